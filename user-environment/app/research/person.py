"""Who uses the environment, from what the hub signed and the shim verified."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self


@dataclass(frozen=True)
class Person:
    name: str
    email: str
    role: str

    @classmethod
    def of(cls, user: Mapping[str, Any]) -> Self | None:
        """The person behind `st.user`; None where the app runs without Podium in front of it."""
        if not user.get("id"):
            return None
        name, email, role = (_text(user.get(key)) for key in ("name", "email", "role"))
        return cls(name or email or "You", email, role)


def _text(value: object) -> str:
    """A header's value: UTF-8 that the server decoded as latin-1, as HTTP says."""
    if not isinstance(value, str):
        return ""
    try:
        return value.encode("latin-1").decode("utf-8")
    except UnicodeError:
        return value
