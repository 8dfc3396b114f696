"""What README.md tells a person to type exists."""

import re

from typer.main import get_command

from hub.cli import app
from hub.settings import ROOT

README = ROOT / "README.md"


def shell_lines() -> list[str]:
    blocks = re.findall(
        r"^```(?:sh|bash|shell|console)\n(.*?)^```", README.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL
    )
    return [
        line.removeprefix("$ ").partition("  #")[0].strip() for block in blocks for line in block.splitlines() if line.strip()
    ]


def spoken() -> str:
    """Blocks of commands and commands named in the running text."""
    return "\n".join([*shell_lines(), *re.findall(r"`([^`\n]+)`", README.read_text(encoding="utf-8"))])


def test_the_readme_has_commands() -> None:
    assert any(line.startswith("make up") for line in shell_lines())


def test_every_make_target_exists_with_a_sentence() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z-]+):.*## .+\.$", makefile, re.MULTILINE))
    phony = set(re.findall(r"^\.PHONY: (.*)$", makefile, re.MULTILINE)[0].split())
    assert phony == targets, "each target needs `## ` and a sentence"
    named = set(re.findall(r"(?:^|\s)make ([a-z-]+)", spoken()))
    assert named <= targets


def test_every_command_of_the_hub_exists() -> None:
    root = get_command(app)
    for words in re.findall(r"python -m hub ((?:[a-z-]+ ?)+)", spoken()):
        command = root
        for word in words.split():
            subcommands = getattr(command, "commands", None)
            if subcommands is None:
                break
            assert word in subcommands, f"python -m hub {words}: no command {word}"
            command = subcommands[word]


def test_every_link_inside_the_repository_leads_somewhere() -> None:
    links = re.findall(r"\]\((?!https?://|#)([^)#]+)", README.read_text(encoding="utf-8"))
    assert links
    assert not [link for link in links if not (ROOT / link).exists()]
