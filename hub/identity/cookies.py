"""The hub's cookies: their names, how they are read, and how they are set.

Where browsers allow it the names carry `__Host-`: such a cookie is Secure, has Path=/ and belongs
to this very host, so an environment on a sibling host can neither plant nor overwrite one. Python's
own cookie parser keeps only the last of several cookies of one name; here all are read, because
which of them comes last is an attacker's choice.
"""

from collections.abc import Iterable
from typing import Literal

from hub.settings import Settings

Kind = Literal["session", "form", "entry", "entry-nonce"]

_NAMES: dict[Kind, str] = {
    "session": "podium",
    "form": "podium-form",
    "entry": "podium-entry",
    "entry-nonce": "podium-entry-nonce",
}
COOKIE_VALUE = "[A-Za-z0-9_-]{20,128}"
"""What a value of one looks like, as a pattern for Python and PCRE."""


def cookie_name(settings: Settings, kind: Kind) -> str:
    """The cookie's name on this installation; `__Host-` where browsers take Secure cookies."""
    return f"__Host-{_NAMES[kind]}" if settings.secure_cookies else _NAMES[kind]


def read_cookies(headers: Iterable[tuple[bytes, bytes]], name: str) -> list[str]:
    """Every value of that name in the request, in the order sent, without repetitions."""
    found: dict[str, None] = {}
    for key, value in headers:
        if key.lower() != b"cookie":
            continue
        for pair in value.decode("latin-1").split(";"):
            own_name, separator, content = pair.strip().partition("=")
            if separator and own_name == name:
                found[content] = None
    return list(found)


def set_cookie(settings: Settings, kind: Kind, value: str, max_age: int | None = None) -> str:
    """A Set-Cookie header's value. Without `max_age` the cookie ends with the browser."""
    parts = [f"{cookie_name(settings, kind)}={value}", "Path=/", "HttpOnly", "SameSite=Lax"]
    if settings.secure_cookies:
        parts.append("Secure")
    if max_age is not None:
        parts.append(f"Max-Age={max_age}")
    return "; ".join(parts)


def clear_cookie(settings: Settings, kind: Kind) -> str:
    """A Set-Cookie header's value that takes the cookie away."""
    return set_cookie(settings, kind, "", max_age=0)
