"""Podium's script in the hub's own page."""

from collections.abc import Iterator

import httpx
import pytest
from starlette.applications import Starlette
from starlette.middleware.gzip import GZipMiddleware
from starlette.responses import HTMLResponse, PlainTextResponse
from starlette.routing import Route

from hub.routing.inject import InjectTab
from tests.routing.serving import listener, serving

PAGE = "<!doctype html><html><head><title>x</title></head><body>" + "y" * 2000 + "</body></html>"


@pytest.fixture
def client() -> Iterator[httpx.Client]:
    page = Route("/", lambda _: HTMLResponse(PAGE, headers={"ETag": '"1"'}))
    plain = Route("/_stcore/health", lambda _: PlainTextResponse("<head>"))
    app = InjectTab(GZipMiddleware(Starlette(routes=[page, plain])))
    bound = listener()
    address = f"http://127.0.0.1:{bound.getsockname()[1]}"
    with serving(app, bound), httpx.Client(base_url=address, trust_env=False) as client:
        yield client


def test_the_script_is_the_first_thing_in_the_page(client: httpx.Client) -> None:
    answer = client.get("/", headers={"If-None-Match": '"1"'})
    assert '<head><script src="/_podium/tab.js"></script><title>' in answer.text
    assert int(answer.headers["content-length"]) == len(answer.content)
    assert "etag" not in answer.headers


def test_what_is_no_page_stays_as_it_is(client: httpx.Client) -> None:
    assert client.get("/_stcore/health").text == "<head>"
