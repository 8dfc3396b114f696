"""Two numbers that the settings write as `first-last`, both ends within."""


def span_of(text: str, lowest: int, highest: int) -> tuple[int, int] | None:
    """None for what is none, or leaves the numbers that are allowed."""
    first, _, last = text.partition("-")
    if first.isdecimal() and last.isdecimal() and lowest <= int(first) <= int(last) <= highest:
        return int(first), int(last)
    return None
