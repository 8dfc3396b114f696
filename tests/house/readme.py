"""Reads what README.md tells a person to type."""

import re

from hub.settings import ROOT

README = ROOT / "README.md"


def text() -> str:
    return README.read_text(encoding="utf-8")


def shell_blocks() -> list[str]:
    """The fenced blocks of shell commands, in order."""
    return re.findall(r"^```(?:sh|bash|shell|console)\n(.*?)^```", text(), re.MULTILINE | re.DOTALL)


def shell_lines() -> list[str]:
    """Their commands, without prompts and comments at the end."""
    lines = [line.removeprefix("$ ").partition("  #")[0].strip() for block in shell_blocks() for line in block.splitlines()]
    return [line for line in lines if line and not line.startswith("#")]


def up_to_serving() -> list[str]:
    """The commands from the first one to the one that serves Podium."""
    lines = shell_lines()
    last = next(number for number, line in enumerate(lines) if re.search(r"\bmake up\b", line))
    return lines[: last + 1]
