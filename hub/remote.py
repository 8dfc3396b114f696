"""A Podium somewhere else, as the command line calls it: over its API, with a token that lies in a file of the person's own."""

import json
import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx2

from hub.errors import Conflict, NotFound, NotLoggedIn, PodiumError, Silent

API = "/api/v1"
TIMEOUT = 30.0


class Answered(PodiumError):
    """The hub refused; the sentence is its own."""


def login_file() -> Path:
    """Where the address and the token are kept; nobody else may read it."""
    return Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config") / "podium" / "login.json"


def keep_login(url: str, token: str) -> None:
    """Whole or not at all: a new file takes the old one's place."""
    path = login_file()
    path.parent.mkdir(parents=True, exist_ok=True)
    new = path.with_suffix(f".{os.getpid()}")
    with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        json.dump({"url": url.rstrip("/"), "token": token}, file)
    new.replace(path)


def kept_login() -> "Remote":
    """Raises `NotLoggedIn`."""
    try:
        kept = json.loads(login_file().read_text("utf-8"))
        return Remote(kept["url"], kept["token"])
    except (OSError, ValueError, KeyError, TypeError):
        raise NotLoggedIn("Log in first: podium login https://podium.example.org --token podium_…") from None


class Remote:
    """Raises `PodiumError` with the hub's own sentence for everything that it refuses."""

    def __init__(self, url: str, token: str) -> None:
        self.url = url.rstrip("/")
        self._client = httpx2.Client(
            base_url=self.url + API, headers={"authorization": f"Bearer {token}"}, timeout=TIMEOUT, follow_redirects=False
        )

    def call(self, method: str, path: str, **arguments: Any) -> Any:
        """The answer's JSON; None where there is none."""
        try:
            answer = self._client.request(method, path, **arguments)
        except httpx2.HTTPError as error:
            raise Silent(f"{self.url} does not answer: {type(error).__name__}. Check the address and the network.") from error
        if answer.status_code >= 300:
            raise Answered(_sentence(answer))
        return answer.json() if answer.content else None

    def environments(self) -> Iterator[dict[str, Any]]:
        """All of the person's own, a page at a time."""
        page, seen = 1, 0
        while True:
            found = self.call("GET", "/environments", params={"page": page, "size": 100, "sort": "name"})
            yield from found["items"]
            seen, page = seen + len(found["items"]), page + 1
            if not found["items"] or seen >= found["total"]:
                return

    def environment(self, name: str) -> dict[str, Any]:
        """The own environment of that name or id. Raises `NotFound`, `Conflict`."""
        found = [one for one in self.environments() if name in {one["name"], one["id"]}]
        if not found:
            raise NotFound(f"You have no environment {name}. `podium env list` shows those that you have.")
        if len(found) > 1:
            raise Conflict(f"Several are called {name}. Give the id that `podium env list --json` shows.")
        return found[0]


def _sentence(answer: httpx2.Response) -> str:
    with suppress(ValueError, KeyError, TypeError):
        problem = answer.json()
        faults = "; ".join(f"{fault['where']}: {fault['what']}" for fault in problem.get("errors", []))
        return f"{problem['detail']} {faults}".strip()
    return f"The hub answered {answer.status_code}. Is this Podium's address?"
