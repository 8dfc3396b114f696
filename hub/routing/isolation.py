"""Requests that another site, or another environment's page, makes in the visitor's browser.

The hub and its environments are hosts of one site, so SameSite cookies go along with requests
between them. What the browser says about a request's origin decides instead, in `Sec-Fetch-Site` or
at least in `Origin`; no page can forge either, while `Sec-Fetch-Mode` is the page's own choice and
lets nothing in but a plain link. This is asked of every request, whatever answers it, so a new route
cannot forget it.
"""

from collections.abc import Sequence

from starlette.types import Scope

from hub.routing.headers import value, values

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
"""Methods that change nothing anywhere in Podium."""

_OURS = ([b"same-origin"], [b"none"])
_Headers = Sequence[tuple[bytes, bytes]]


def is_foreign(scope: Scope, scheme: str) -> bool:
    """Whether the request comes from a page that is not of this very host, and is no plain link.

    `scheme` is what the public address begins with; a proxy in front may hide it from the scope.
    """
    headers = scope["headers"]
    if scope["type"] == "websocket":
        return not _origin_is_own(headers, scheme)
    if scope["method"] not in SAFE_METHODS:
        return not _is_own_form(headers, scheme)
    sites = values(headers, b"sec-fetch-site")
    return bool(sites) and sites not in _OURS and not _is_link(headers)


def _is_own_form(headers: _Headers, scheme: str) -> bool:
    """Whether what may change something comes from an own page, or from a program, which carries no cookie unasked."""
    sites = values(headers, b"sec-fetch-site")
    origins = values(headers, b"origin")
    if sites:  # a page without a referrer sends `null` as the origin of its own form
        return sites == [b"same-origin"] and (origins == [b"null"] or _origin_is_own(headers, scheme))
    if origins:
        return _origin_is_own(headers, scheme)
    return not values(headers, b"cookie")


def _origin_is_own(headers: _Headers, scheme: str) -> bool:
    """A missing Origin is accepted: every browser sends one with a WebSocket and with a form."""
    origins, hosts = values(headers, b"origin"), values(headers, b"host")
    return not origins or (
        len(hosts) == 1 and [one.lower() for one in origins] == [scheme.encode() + b"://" + hosts[0].lower()]
    )


def _is_link(headers: _Headers) -> bool:
    return value(headers, b"sec-fetch-mode") == "navigate" and value(headers, b"sec-fetch-dest") == "document"
