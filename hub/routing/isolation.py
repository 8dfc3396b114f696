"""Requests that another site, or another environment's page, makes in the visitor's browser.

The hub and its environments are hosts of one site, so SameSite cookies go along with requests
between them. What the browser says about a request's origin decides instead: from elsewhere one
may only follow a link here, in a tab of its own. A request that changes something must prove that
it comes from the own pages; one without any such header is no browser of today.
"""

from collections.abc import Sequence
from urllib.parse import urlsplit

from starlette.types import Scope

from hub.routing.headers import value, values

_SAFE = {"GET", "HEAD", "OPTIONS"}
_OURS = {"same-origin", "none"}


def is_foreign(scope: Scope) -> bool:
    """Whether the request comes from a page that is not of this very host, and is no plain link."""
    headers = scope["headers"]
    if scope["type"] == "websocket":
        return not _origin_is_own(headers)
    site = value(headers, b"sec-fetch-site")
    if scope["method"] not in _SAFE:
        return not is_own_form(headers)
    return bool(site) and site not in _OURS and not _is_link(headers)


def is_own_form(headers: Sequence[tuple[bytes, bytes]]) -> bool:
    """Whether a request that changes something was proven to come from the own pages, or carries no cookie at all."""
    site = value(headers, b"sec-fetch-site")
    if site:
        return site == "same-origin"
    if values(headers, b"origin"):
        return _origin_is_own(headers)
    return not values(headers, b"cookie")


def _origin_is_own(headers: Sequence[tuple[bytes, bytes]]) -> bool:
    """A missing Origin is accepted: every browser sends one with a WebSocket."""
    origins = values(headers, b"origin")
    if not origins:
        return True
    return urlsplit(value(headers, b"origin")).netloc.lower() == value(headers, b"host").lower()


def _is_link(headers: Sequence[tuple[bytes, bytes]]) -> bool:
    return value(headers, b"sec-fetch-mode") == "navigate" and value(headers, b"sec-fetch-dest") == "document"
