"""Which headers cross between a browser and an environment, in either direction.

Towards the environment an allow-list: whatever names a person, carries a secret of the hub or
pretends to come from a proxy is not on it, in whatever spelling. From the environment a block-list:
what would change how the browser or NGINX treats other hosts, and cookies that are not the
environment's own. NGINX's configuration is rendered from the same lists.
"""

from collections.abc import Iterable

Headers = list[tuple[bytes, bytes]]

REQUEST = (
    "accept",
    "accept-encoding",
    "accept-language",
    "access-control-request-headers",
    "access-control-request-method",
    "cache-control",
    "content-disposition",
    "content-encoding",
    "content-language",
    "content-range",
    "content-type",
    "if-match",
    "if-modified-since",
    "if-none-match",
    "if-range",
    "if-unmodified-since",
    "last-event-id",
    "origin",
    "pragma",
    "range",
    "referer",
    "sec-fetch-dest",
    "sec-fetch-mode",
    "sec-fetch-site",
    "sec-fetch-user",
    "user-agent",
    "x-csrf-token",
    "x-requested-with",
    "x-xsrftoken",
)
"""Passed to an environment as they are, beside Host, Cookie (without the hub's) and the body's length."""

RESPONSE_DROPPED = (
    "alt-svc",
    "clear-site-data",
    "public-key-pins",
    "service-worker-allowed",
    "set-cookie2",
    "strict-transport-security",
    "x-accel-buffering",
    "x-accel-charset",
    "x-accel-expires",
    "x-accel-limit-rate",
    "x-accel-redirect",
    "x-podium-refusal",
)
"""Not passed to the browser."""

_HOP_BY_HOP = {
    b"connection",
    b"keep-alive",
    b"proxy-authenticate",
    b"proxy-authorization",
    b"proxy-connection",
    b"te",
    b"trailer",
    b"transfer-encoding",
    b"upgrade",
}
_SERVERS_OWN = {b"date", b"server"}
_REQUEST = {name.encode() for name in REQUEST}
_RESPONSE_DROPPED = {name.encode() for name in RESPONSE_DROPPED} | _HOP_BY_HOP | _SERVERS_OWN
_HUB_COOKIES = (b"podium", b"_streamlit_user")


def values(headers: Iterable[tuple[bytes, bytes]], name: bytes) -> list[bytes]:
    return [value for key, value in headers if key.lower() == name]


def value(headers: Iterable[tuple[bytes, bytes]], name: bytes) -> str:
    """The header's only value as text; empty where it is missing or sent twice."""
    found = values(headers, name)
    return found[0].decode("latin-1") if len(found) == 1 else ""


def to_environment(headers: Iterable[tuple[bytes, bytes]]) -> Headers:
    """What an environment gets of a browser's request, without the assertion."""
    headers = list(headers)
    kept = [(name.lower(), content) for name, content in headers if name.lower() in _REQUEST]
    kept += [(b"host", content) for content in values(headers, b"host")[:1]]
    cookies = b"; ".join(part for content in values(headers, b"cookie") if (part := own_cookies(content)))
    return [*kept, (b"cookie", cookies)] if cookies else kept


def own_cookies(content: bytes) -> bytes:
    """A Cookie header's value without the hub's cookies."""
    pairs = (pair.strip() for pair in content.split(b";"))
    return b"; ".join(pair for pair in pairs if pair and not _is_hubs_cookie(pair.partition(b"=")[0]))


def to_browser(headers: Iterable[tuple[bytes, bytes]]) -> Headers:
    """What a browser gets of an environment's answer."""
    headers = list(headers)
    named = {name.strip().lower() for content in values(headers, b"connection") for name in content.split(b",")}
    return [(name, content) for name, content in headers if _passes(name.lower(), content, named)]


def _passes(name: bytes, content: bytes, hop_by_hop: set[bytes]) -> bool:
    if name == b"set-cookie":
        return is_own_cookie(content)
    return not (name in _RESPONSE_DROPPED or name in hop_by_hop or name.startswith(b"x-accel-"))


def is_own_cookie(set_cookie: bytes) -> bool:
    """Whether a Set-Cookie stays on the environment's host and does not bear one of the hub's names.

    A cookie without a name is sent as its bare value, so `=podium=x` would arrive as `podium=x`.
    """
    pair, *attributes = set_cookie.split(b";")
    name, separator, _ = pair.partition(b"=")
    if not separator or not name.strip() or _is_hubs_cookie(name):
        return False
    return not any(attribute.partition(b"=")[0].strip().lower() == b"domain" for attribute in attributes)


def _is_hubs_cookie(name: bytes) -> bool:
    plain = name.strip().lower()
    return plain.removeprefix(b"__host-").removeprefix(b"__secure-").startswith(_HUB_COOKIES)
