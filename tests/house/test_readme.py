"""What README.md tells a person to type exists."""

import re

from typer.main import get_command

from hub.cli import app
from hub.settings import ROOT
from tests.house.readme import shell_blocks, text, up_to_serving


def spoken() -> str:
    """Blocks of commands, and commands named in the running text."""
    return "\n".join([*shell_blocks(), *re.findall(r"`([^`\n]+)`", text())])


def test_the_readme_says_how_to_serve_podium() -> None:
    assert up_to_serving()[-1].endswith("make up")


def test_every_make_target_has_a_sentence_and_the_readme_names_no_other() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    explained = set(re.findall(r"^([a-z-]+):.*## .+\.$", makefile, re.MULTILINE))
    phony = set(re.findall(r"^\.PHONY: (.*)$", makefile, re.MULTILINE)[0].split())
    assert phony == explained
    assert set(re.findall(r"(?:^|\s)make ([a-z-]+)", spoken())) <= explained


def test_every_command_of_the_hub_exists() -> None:
    for words in re.findall(r"python -m hub ((?:[a-z-]+ ?)+)", spoken()):
        command = get_command(app)
        for word in words.split():
            subcommands = getattr(command, "commands", None)
            if subcommands is None:
                break
            assert word in subcommands, f"python -m hub {words}: no command {word}"
            command = subcommands[word]


def test_every_link_inside_the_repository_leads_somewhere() -> None:
    links = re.findall(r"\]\((?!https?://|#)([^)#]+)", text())
    assert links
    assert not [link for link in links if not (ROOT / link).exists()]
