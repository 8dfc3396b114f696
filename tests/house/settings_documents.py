"""Writes `.env.example` and `docs/settings.md` from the settings themselves: `make settings`.

Each setting is explained in one place, its field in `hub/settings.py`; the two documents repeat it for those who look for it
there, and `test_settings_documents.py` refuses a commit in which they differ.
"""

import textwrap
from itertools import groupby
from pathlib import Path
from typing import Any, get_args

from pydantic.fields import FieldInfo

from hub.settings import ROOT, Settings
from hub.settings_field import Group
from hub.settings_seeds import DATABASE_PARTS, KNOWN_WITHOUT_EFFECT

EXAMPLE = ROOT / ".env.example"
TABLE = ROOT / "docs" / "settings.md"

_EXAMPLE_HEAD = """\
# Podium's settings. Copy this file to .env and change what you need; without it Podium runs with the defaults below.
# A name that is not listed here stops the start. docs/settings.md says more.
"""

_TABLE_HEAD = """\
# Settings

Podium runs without any setting. To change one, write it to `.env` in the checkout (`.env.example` is a start) or set it in the
process environment, where `PODIUM_NAME` wins over `NAME` and both win over `.env`.

In `.env` every name must be known. In the process environment only names that begin with `PODIUM_` are checked, because shells
and Kubernetes put much else there; the names that Kubernetes makes for a Service called podium (`PODIUM_SERVICE_HOST`,
`PODIUM_PORT=tcp://…`) are passed over. `up` reports all faults at once.
"""

_PARTS = """\
## Database in parts

Where `DATABASE_URL` is not set, these names of MAIA give PostgreSQL's address in parts, as soon as `DB_HOST` is set.

| Name | Meaning |
|---|---|
| `DB_HOST` | The server's name. |
| `DB_PORT` | Its port. Default: 5432. |
| `DB_NAME` | The database. |
| `DB_USERNAME` | The user. |
| `DB_PASS` | The password, as it is. |
| `DB_ENGINE` | Accepted and not needed: with `DB_HOST` it is always PostgreSQL. |
"""

_SEEDS_HEAD = """\
## Names of earlier systems

These names are accepted, so that a `.env` can be brought along. They have no effect in this version; `up` names those that are
set, once.

| From | Names |
|---|---|
"""


def example() -> str:
    """The text of `.env.example`."""
    parts = [_EXAMPLE_HEAD]
    for group, fields in _groups():
        parts.append(f"\n# ---- {group} {'-' * (110 - len(group))}\n")
        parts += [_example_entry(name, field) for name, field in fields]
        if group == "Storage":
            parts.append(_commented("PostgreSQL's address in parts, where DATABASE_URL is not set."))
            parts.append("".join(f"# {name}=\n" for name in DATABASE_PARTS))
    return "".join(parts)


def table() -> str:
    """The text of `docs/settings.md`."""
    parts = [_TABLE_HEAD]
    for group, fields in _groups():
        parts.append(f"\n## {group}\n\n| Name | Default | Meaning |\n|---|---|---|\n")
        parts += [f"| `{name.upper()}` | {_default(field, tick='`')} | {field.description} |\n" for name, field in fields]
        if group == "Storage":
            parts.append("\n" + _PARTS)
    systems = dict.fromkeys(KNOWN_WITHOUT_EFFECT.values())
    rows = [f"| {system} | {_names_of(system)} |\n" for system in systems]
    return "".join([*parts, "\n", _SEEDS_HEAD, *rows])


def _groups() -> list[tuple[str, list[tuple[str, FieldInfo]]]]:
    order = get_args(Group)
    fields = sorted(Settings.model_fields.items(), key=lambda item: order.index(_extra(item[1])["group"]))
    return [(name, list(members)) for name, members in groupby(fields, key=lambda item: _extra(item[1])["group"])]


def _extra(field: FieldInfo) -> dict[str, Any]:
    assert isinstance(field.json_schema_extra, dict)
    return dict(field.json_schema_extra)


def _example_entry(name: str, field: FieldInfo) -> str:
    return _commented((field.description or "").replace("`", "")) + f"# {name.upper()}={_default(field)}\n"


def _commented(text: str) -> str:
    return "\n" + "".join(f"# {line}\n" for line in textwrap.wrap(text, 118))


def _default(field: FieldInfo, tick: str = "") -> str:
    value = field.default
    if value is None or value == "":
        return ""
    if isinstance(value, Path) and value.is_absolute():
        value = value.relative_to(ROOT)
    return f"{tick}{str(value).lower() if isinstance(value, bool) else value}{tick}"


def _names_of(system: str) -> str:
    return ", ".join(f"`{name}`" for name, owner in KNOWN_WITHOUT_EFFECT.items() if owner == system)


if __name__ == "__main__":
    EXAMPLE.write_text(example(), encoding="utf-8")
    TABLE.write_text(table(), encoding="utf-8")
