"""What strangers sent, made fit for a log line: escaped, short, and never able to begin a line of its own."""

KEPT = 40
"""Characters of a value that a log line shows."""


def quoted(value: str, most: int = KEPT) -> str:
    """The value's first characters as a Python literal, and how long it really was."""
    shown = ascii(value[:most])
    return shown if len(value) <= most else f"{shown}… ({len(value)} characters)"
