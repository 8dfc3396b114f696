"""How a setting is declared: its group in the documents, its default, and a sentence that explains it."""

from typing import Any, Literal

from pydantic import Field

Group = Literal["Address", "Storage", "Login", "Environments", "Kubernetes", "Metrics"]


def setting(group: Group, default: Any, text: str, **limits: Any) -> Any:
    return Field(default=default, description=text, json_schema_extra={"group": group}, **limits)


def listed(text: str) -> tuple[str, ...]:
    """The entries of a list that is written with commas."""
    return tuple(entry for entry in (part.strip() for part in text.split(",")) if entry)
