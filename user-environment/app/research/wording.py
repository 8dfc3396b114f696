"""Sizes and times in words, and names made harmless for Markdown."""

import re
from datetime import UTC, datetime

_UNITS = ("B", "kB", "MB", "GB", "TB", "PB")
_THOUSAND = 1000
_STEPS = ((60, "s", 1), (3600, "min", 60), (86_400, "h", 3600), (float("inf"), "d", 86_400))
_MARKDOWN = re.compile(r"([\\`*_{}\[\]()<>#+\-.!|~$:^=&])")


def size(amount: int) -> str:
    """Bytes in the largest unit that fits, with two significant digits: `2.1 GB`, `210 MB`."""
    value, unit = float(amount), 0
    while value >= _THOUSAND - 0.5 and unit < len(_UNITS) - 1:
        value, unit = value / _THOUSAND, unit + 1
    digits = 1 if unit and value < 9.95 else 0
    rounded = round(value, -1) if value >= 99.5 and unit else value
    return f"{rounded:.{digits}f} {_UNITS[unit]}"


def ago(moment: datetime, now: datetime | None = None) -> str:
    """How long ago a time was: `2 h ago`."""
    seconds = max(0.0, ((now or datetime.now(UTC)) - moment).total_seconds())
    unit, length = next((unit, length) for limit, unit, length in _STEPS if seconds < limit)
    return "just now" if seconds < 1 else f"{int(seconds // length)} {unit} ago"


def count(number: int, one: str, many: str) -> str:
    """A number with its noun: `1 file`, `2,300 files`."""
    return f"{number:,} {one if number == 1 else many}"


def shown(name: str) -> str:
    """A file's name as text that can be sent to a browser.

    A name on disk is bytes and need not be UTF-8, and may hold line breaks.
    """
    text = name.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
    return "".join(character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in text)


def literal(name: str) -> str:
    """A file's name in a Markdown text, shown as it is and never as Markdown."""
    return _MARKDOWN.sub(r"\\\1", shown(name))


def shortened(name: str, length: int = 60) -> str:
    """A long name with its end kept, because that is where its kind stands."""
    text = shown(name)
    return text if len(text) <= length else f"{text[: length - 16]}…{text[-15:]}"
