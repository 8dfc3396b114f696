"""Writes `docs/api.md` from the API's own schema: `make api`. `test_api_document.py` refuses a commit in which they differ."""

from collections.abc import Iterator
from typing import Any

from hub.api import ROOT
from hub.api.app import create_api
from hub.identity.scopes import SCOPES
from hub.services import Services
from hub.settings import ROOT as CHECKOUT

PAGE = CHECKOUT / "docs" / "api.md"
_HEAD = f"""\
# The API

Everything below `{ROOT}`. A running hub shows the same with a form for each call at `/docs`, and the schema at
`{ROOT}/openapi.json`.

```
podium token create ada --scope environments:read --scope environments:write
curl -H "Authorization: Bearer podium_…" https://podium.example.org{ROOT}/environments
podium login https://podium.example.org        # asks for the token
podium env launch "My analysis" --wait
```

* **Who calls.** A token that a person made on the page *Account*, or an operator with `podium token create`; an access token
  of a configured provider for one of `API_AUDIENCES`, which opens the account that has logged in there before; or a page of
  the hub's own by the browser's session. A token carries at most what its owner may do at that moment.
* **Lists** take `page` (from 1), `size` (at most 100), `sort` (a leading `-` turns it round) and filters, and answer `items`,
  `total`, `page`, `size`.
* **Refusals** are problem details (RFC 9457): `type` does not change, `detail` says what happened and what to do.
* **Polling** costs nothing while nothing changes: send the last `ETag` as `If-None-Match` and get 304.
* **A launch that may be sent twice** carries an `Idempotency-Key`: for a day the same key brings the same environment.
* After thirty wrong tokens in a minute their address waits a minute (429); tokens that have counted before go on.

## Scopes

| Scope | What it lets a program do |
|---|---|
"""


def written() -> str:
    """The whole page."""
    scopes = "".join(f"| `{scope}` | {words} |\n" for scope, words in SCOPES.items())
    return _HEAD + scopes + "\n## Calls\n" + "".join(_calls(create_api(Services.__new__(Services)).openapi()))


def _calls(schema: dict[str, Any]) -> Iterator[str]:
    for path, operations in schema["paths"].items():
        for method, operation in operations.items():
            yield f"\n### `{method.upper()} {path}`\n\n{operation['description']}\n"
            asked = [_parameter(one) for one in operation.get("parameters", []) if one["in"] != "path"]
            if "requestBody" in operation:
                name = operation["requestBody"]["content"]["application/json"]["schema"]["$ref"].rpartition("/")[2]
                asked += _fields(schema["components"]["schemas"][name])
            if asked:
                yield "\n| Field | Where | Meaning |\n|---|---|---|\n" + "".join(asked)
            good = [status for status in operation["responses"] if status < "300"]
            yield f"\nAnswers {', '.join(good)}; refusals {', '.join(sorted(set(operation['responses']) - set(good)))}.\n"


def _parameter(one: dict[str, Any]) -> str:
    words = one.get("description") or one["schema"].get("description", "")
    return f"| `{one['name']}` | {one['in']} | {_choices(one['schema']) or words} |\n"


def _fields(shape: dict[str, Any]) -> list[str]:
    required = set(shape.get("required", []))
    return [
        f"| `{name}` | body{', required' if name in required else ''} | {field.get('description', '')} |\n"
        for name, field in shape["properties"].items()
    ]


def _choices(schema: dict[str, Any]) -> str:
    return ", ".join(f"`{choice}`" for choice in schema.get("enum", []))


if __name__ == "__main__":
    PAGE.write_text(written(), "utf-8")
