"""What one environment server is told: read from a JSON file, or handed over after a fork."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Self


class InvalidSpec(Exception):
    """The specification cannot be taken; the text says what is wrong with it."""


@dataclass(frozen=True)
class ServerSpec:
    """All that an environment server needs to know.

    `start_id` is the audience that it demands of every assertion and `keys` are the public JWKs
    that it trusts at first. It listens on `socket`, or where that is None on `host` and `port`; a
    `descriptor` is that socket, bound already by somebody who still could.
    """

    start_id: str
    environment_id: str
    workspace: Path
    script: Path
    keys: tuple[Mapping[str, Any], ...]
    name: str = ""
    base_url: str = ""
    socket: Path | None = None
    host: str = "127.0.0.1"
    port: int | None = None
    descriptor: int | None = None

    def __post_init__(self) -> None:
        if not self.start_id:
            raise InvalidSpec("start_id is empty: an environment without an audience would trust every assertion.")
        if not self.keys:
            raise InvalidSpec("keys is empty: nobody could ever enter.")
        if (self.socket is None) == (self.port is None):
            raise InvalidSpec("Give either socket or port.")
        if self.base_url and (not self.base_url.startswith("/") or self.base_url.endswith("/")):
            raise InvalidSpec("base_url is empty or begins with a slash and does not end with one.")

    @classmethod
    def from_json(cls, text: str) -> Self:
        try:
            given = json.loads(text)
        except ValueError as error:
            raise InvalidSpec(f"The specification is no JSON: {error}") from error
        if not isinstance(given, dict):
            raise InvalidSpec("The specification is no JSON object.")
        return cls.from_mapping(given)

    @classmethod
    def from_mapping(cls, given: Mapping[str, Any]) -> Self:
        """Paths may be strings; fields that are not known are refused."""
        unknown = set(given) - {field.name for field in fields(cls)}
        if unknown:
            raise InvalidSpec(f"Unknown in the specification: {', '.join(sorted(unknown))}")
        values: dict[str, Any] = {n: Path(v) if n in _PATHS and v is not None else v for n, v in given.items()}
        try:
            return cls(**{**values, "keys": tuple(values.get("keys", ()))})
        except TypeError as error:
            raise InvalidSpec(f"The specification is incomplete: {error}") from error

    def to_json(self) -> str:
        return json.dumps({field.name: _plain(getattr(self, field.name)) for field in fields(self)})


_PATHS = {"workspace", "script", "socket"}


def _plain(value: Any) -> Any:
    if isinstance(value, Path):
        return str(value)
    return [dict(key) for key in value] if isinstance(value, tuple) else value
