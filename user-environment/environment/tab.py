"""Podium's script in Streamlit's page, so that a tab whose environment ended shows the way back.

Streamlit answers the root and every unknown path with its one page. The script's tag must be the
first thing in it, because it wraps `WebSocket` before Streamlit opens one. The page is small and
changes with Streamlit's version, so it is taken as Streamlit sends it, whole and never compressed
or "not modified", and gets the tag on the way out.
"""

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_OTHER_THAN_PAGES = ("/_stcore/", "/static/", "/media/", "/component/", "/app/")
_PARTIAL = {b"accept-encoding", b"if-none-match", b"if-modified-since", b"if-range", b"range"}
_STALE = ("content-length", "etag", "last-modified", "accept-ranges")


class TabScript:
    """ASGI middleware that adds `<script src="{base_url}/_podium/tab.js">` to pages."""

    def __init__(self, app: ASGIApp, base_url: str) -> None:
        self._app = app
        self._base_url = base_url
        self._tag = f'<script src="{base_url}/_podium/tab.js"></script>'.encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "GET" or not self._may_be_a_page(scope["path"]):
            await self._app(scope, receive, send)
            return
        whole = {**scope, "headers": [pair for pair in scope["headers"] if pair[0].lower() not in _PARTIAL]}
        await self._app(whole, receive, _Page(send, self._tag).send)

    def _may_be_a_page(self, path: str) -> bool:
        return not path.removeprefix(self._base_url).startswith(_OTHER_THAN_PAGES)


class _Page:
    """Passes an answer on; if it is a page, holds it until it is complete."""

    def __init__(self, send: Send, tag: bytes) -> None:
        self._send = send
        self._tag = tag
        self._start: Message | None = None
        self._body = b""

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start" and _is_page(message):
            self._start = message
        elif self._start is not None and message["type"] == "http.response.body":
            self._body += message.get("body", b"")
            if not message.get("more_body", False):
                await self._send_page(self._start)
        else:
            await self._send(message)

    async def _send_page(self, start: Message) -> None:
        body = self._body.replace(b"<head>", b"<head>" + self._tag, 1)
        headers = MutableHeaders(raw=list(start["headers"]))
        for name in _STALE:
            del headers[name]
        headers["content-length"] = str(len(body))
        await self._send({**start, "headers": headers.raw})
        await self._send({"type": "http.response.body", "body": body})


def _is_page(start: Message) -> bool:
    content_type = dict(start["headers"]).get(b"content-type", b"")
    return bool(start["status"] == 200 and content_type.startswith(b"text/html"))
