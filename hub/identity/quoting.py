"""What strangers sent, made fit for a log line: escaped, short, and never able to begin a line of its own."""

KEPT = 40
"""Characters of a value that a log line shows."""


def quoted(value: str) -> str:
    """The value's first characters as a Python literal, and how long it really was."""
    shown = ascii(value[:KEPT])
    return shown if len(value) <= KEPT else f"{shown}… ({len(value)} characters)"
