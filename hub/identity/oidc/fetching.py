"""How a provider is asked: briefly, of its own hosts only, without following it anywhere.

Answers are bounded in time and size as a whole, so that a provider which drips bytes holds nobody
up for long. Redirects are never followed: they could lead a request to a host inside (SSRF) or
exchange the keys.
"""

import ssl
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2

from hub.errors import Silent

DEADLINE = 8.0
"""Seconds for one answer as a whole."""
LARGEST = 512 * 1024
_OK = 200


class ProviderSilent(Silent):
    """A provider does not answer, or answers what cannot be used."""


class BoundedTransport(httpx2.BaseTransport):
    """Reads each answer whole, within `DEADLINE` seconds and `LARGEST` bytes. Raises `ProviderSilent`."""

    def __init__(self, ca_bundle: Path | None = None) -> None:
        trust = ssl.create_default_context()
        if ca_bundle:
            trust.load_verify_locations(ca_bundle)
        self._inner = httpx2.HTTPTransport(verify=trust)

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        deadline = time.monotonic() + DEADLINE
        try:
            answer = self._inner.handle_request(request)
            body = b"".join(_bounded(answer, deadline))
        except (httpx2.HTTPError, OSError) as error:
            raise ProviderSilent(f"{request.url.host} does not answer: {error}") from error
        return httpx2.Response(answer.status_code, headers=_plain(answer.headers), content=body, request=request)

    def close(self) -> None:
        self._inner.close()


def _plain(headers: httpx2.Headers) -> list[tuple[str, str]]:
    return [(name, value) for name, value in headers.items() if name.lower() == "content-type"]


def _bounded(answer: httpx2.Response, deadline: float) -> Iterator[bytes]:
    size = 0
    try:
        for chunk in answer.iter_raw():
            size += len(chunk)
            if size > LARGEST:
                raise ProviderSilent("The provider's answer is too large.")
            if time.monotonic() > deadline:
                raise ProviderSilent("The provider's answer takes too long.")
            yield chunk
    finally:
        answer.close()


def client(transport: BoundedTransport) -> httpx2.Client:
    """A client for one provider."""
    plain = {"accept-encoding": "identity"}  # a small answer must not become a large one
    return httpx2.Client(transport=transport, timeout=DEADLINE, follow_redirects=False, headers=plain)


def get_json(http: httpx2.Client, url: str, headers: dict[str, str] | None = None) -> dict[str, Any]:
    """The JSON object at `url`. Raises `ProviderSilent` for all else, redirects included."""
    answer = http.get(url, headers={"accept": "application/json", **(headers or {})})
    if answer.status_code != _OK:
        raise ProviderSilent(f"{answer.request.url.host} answered {answer.status_code}.")
    return read_object(answer)


def read_object(answer: httpx2.Response) -> dict[str, Any]:
    try:
        found = answer.json()
    except (ValueError, RecursionError) as error:
        raise ProviderSilent("The provider's answer is no JSON.") from error
    if not isinstance(found, dict):
        raise ProviderSilent("The provider's answer is no JSON object.")
    return found
