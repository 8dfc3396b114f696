"""Every value of the chart is explained above its key."""

import json
from collections.abc import Iterator
from typing import Any

from hub.settings import ROOT

CHART = ROOT / "helm" / "podium"


def values(schema: dict[str, Any], above: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """The paths of all values: what has names of its own is a section."""
    for name, found in schema["properties"].items():
        if "properties" in found:
            yield from values(found, (*above, name))
        else:
            yield (*above, name)


def explained() -> Iterator[tuple[str, ...]]:
    """The paths of all keys in values.yaml with a comment above them."""
    path: list[str] = []
    before = ""
    for line in (CHART / "values.yaml").read_text("utf-8").splitlines():
        text = line.strip()
        if ":" in text and not text.startswith(("#", "-")):
            path = [*path[: (len(line) - len(line.lstrip())) // 2], text.partition(":")[0]]
            if before.startswith("#"):
                yield tuple(path)
        before = text


def test_every_value_is_explained_above_its_key() -> None:
    schema = json.loads((CHART / "values.schema.json").read_text("utf-8"))
    missing = set(values(schema)) - set(explained())
    assert not missing
