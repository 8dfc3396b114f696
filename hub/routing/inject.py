"""Podium's script as the first thing in the hub's own Streamlit page.

It wraps `WebSocket` and so must run before Streamlit's modules. The page is small, so it is taken
whole and uncompressed from Streamlit and sent on with the tag in it.
"""

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_NO_PAGES = ("/_stcore/", "/static/", "/media/", "/component/", "/app/", "/api/", "/auth/")
_PARTIAL = {b"accept-encoding", b"if-none-match", b"if-modified-since", b"if-range", b"range"}
_STALE = ("content-length", "etag", "last-modified", "accept-ranges")
_OK = 200


class InjectTab:
    """ASGI middleware. `prefix` is the base path of the app, without a slash at the end."""

    def __init__(self, app: ASGIApp, prefix: str = "") -> None:
        self._app = app
        self._prefix = prefix
        self._tag = f'<script src="{prefix}/_podium/tab.js"></script>'.encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "GET" or self._is_no_page(scope["path"]):
            await self._app(scope, receive, send)
            return
        whole = {**scope, "headers": [pair for pair in scope["headers"] if pair[0].lower() not in _PARTIAL]}
        await self._app(whole, receive, _Tagging(send, self._tag))

    def _is_no_page(self, path: str) -> bool:
        return path.removeprefix(self._prefix).startswith(_NO_PAGES)


class _Tagging:
    """A `send` that holds back a page until it is complete, and passes all else on."""

    def __init__(self, send: Send, tag: bytes) -> None:
        self._send = send
        self._tag = tag
        self._start: Message | None = None
        self._body = b""

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start" and _is_page(message):
            self._start = message
        elif self._start is None or message["type"] != "http.response.body":
            await self._send(message)
        else:
            self._body += message.get("body", b"")
            if not message.get("more_body", False):
                await self._finish(self._start)

    async def _finish(self, start: Message) -> None:
        body = self._body.replace(b"<head>", b"<head>" + self._tag, 1)
        headers = MutableHeaders(raw=list(start["headers"]))
        for name in _STALE:
            del headers[name]
        headers["content-length"] = str(len(body))
        await self._send({**start, "headers": headers.raw})
        await self._send({"type": "http.response.body", "body": body})


def _is_page(start: Message) -> bool:
    content_type = next((content for name, content in start["headers"] if name.lower() == b"content-type"), b"")
    return bool(start["status"] == _OK and content_type.startswith(b"text/html"))
