"""What every answer of the hub carries: headers that hold the browser to https and to this host, and small cookies."""

import anyio
import httpx
import pytest
from starlette.responses import PlainTextResponse

from hub.identity.cookies import set_cookie
from hub.identity.headers import SecurityHeaders
from hub.identity.tokens import new_token
from hub.settings import Settings

TLS = Settings(base_domain="podium.example.org", tls_enabled=True)
PLAIN = Settings()
LARGEST = 4096
"""Bytes that a browser keeps of a cookie, and that all of ours together stay below."""


def answered(settings: Settings) -> httpx.Headers:
    app = SecurityHeaders(PlainTextResponse("fine"), settings)

    async def ask() -> httpx.Headers:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=settings.root_url) as client:
            return (await client.get("/")).headers

    return anyio.run(ask)


@pytest.mark.case("A8-11")
def test_behind_tls_a_browser_is_held_to_it_for_a_year_and_elsewhere_not() -> None:
    assert answered(TLS)["strict-transport-security"] == "max-age=31536000"
    assert "strict-transport-security" not in answered(PLAIN)


@pytest.mark.case("A8-12")
def test_the_hubs_pages_can_be_neither_framed_nor_sniffed_nor_rebased() -> None:
    headers = answered(PLAIN)
    for directive in ("object-src 'none'", "base-uri 'none'", "frame-ancestors 'none'"):
        assert directive in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["cross-origin-opener-policy"] == "same-origin"


@pytest.mark.case("A8-10")
def test_all_cookies_of_the_hub_together_are_small() -> None:
    cookies = [
        set_cookie(PLAIN, "session", new_token(), 10**6),
        set_cookie(PLAIN, "form", new_token()),
        set_cookie(PLAIN, "entry", new_token(), 10**6),
        set_cookie(PLAIN, "entry-nonce", new_token(), 600),
    ]
    assert sum(map(len, cookies)) < LARGEST
