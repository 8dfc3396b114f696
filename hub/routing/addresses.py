"""The one module that builds and reads the addresses of environments, by host or by path.

By host an environment is `<slug>.<domain>`, so that its code shares no origin with the hub or a
neighbour. By path it is `/user/<slug>/` on the hub's own host, for a bare IP address or a name
without wildcard DNS. Reading is strict: one Host header, a plain name, an optional port; what is
not read with certainty is nobody's address.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Self
from urllib.parse import urlsplit

from hub.settings import Settings

SLUG = "[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?"
"""A label that DNS takes, as a pattern for Python and PCRE."""

HUB_PREFIX = "/_podium/"
"""Below this an environment's address belongs to the hub."""

_HOST = re.compile(r"([a-z0-9_-]+(?:\.[a-z0-9_-]+)*|\[[0-9a-f:.]+\])(?::([0-9]{1,5}))?")
_PATH = re.compile(rf"/user/({SLUG})(/.*|$)", re.DOTALL)
_SLUG = re.compile(SLUG)
_HIGHEST_PORT = 65535


class Kind(StrEnum):
    HUB = "hub"
    ENVIRONMENT = "environment"
    ELSEWHERE = "elsewhere"
    """A host name that is not ours, such as an IP address that somebody typed."""


@dataclass(frozen=True)
class Place:
    """What a request is addressed to. `path` is the part below `prefix`."""

    kind: Kind
    path: str
    slug: str = ""
    prefix: str = ""


@dataclass(frozen=True)
class Addresses:
    """`root` is the hub's public address without a slash at the end; `domain`, below which environments open, has no port.

    `others` are the domains of other clusters than the hub's own, by the cluster's id.
    """

    by_host: bool
    root: str
    domain: str
    others: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, settings: Settings, others: Mapping[str, str] | None = None) -> Self:
        lower = {cluster_id: domain.lower() for cluster_id, domain in (others or {}).items()}
        return cls(settings.routing == "host", settings.root_url, settings.environments_host.lower(), lower)

    @property
    def hub_host(self) -> str:
        return (urlsplit(self.root).hostname or "").lower()

    @property
    def hub_authority(self) -> str:
        """Its host, with the port where the public address names one."""
        return urlsplit(self.root).netloc.lower()

    @property
    def port(self) -> int | None:
        """Where the public address names one."""
        return urlsplit(self.root).port

    @property
    def scheme(self) -> str:
        return urlsplit(self.root).scheme

    def prefix(self, slug: str) -> str:
        """What every path of the environment begins with: its `base_url`."""
        return "" if self.by_host else f"/user/{slug}"

    def origin(self, slug: str, cluster_id: str = "") -> str:
        """Scheme, host and port under which the environment is reached. Without `cluster_id`: of the hub's own cluster."""
        if not self.by_host:
            return self.root
        port = f":{self.port}" if self.port else ""
        return f"{self.scheme}://{slug}.{self.others.get(cluster_id, self.domain)}{port}"

    def environment(self, slug: str, cluster_id: str, path: str = "/") -> str:
        """The address of an environment. `path` begins with a slash."""
        return f"{self.origin(slug, cluster_id)}{self.prefix(slug)}{path}"

    def read(self, hosts: Iterable[bytes], path: str) -> Place | None:
        """What a request with these Host headers and this path is for; None where the host cannot be read."""
        name = host_name(hosts)
        if name is None:
            return None
        if self.by_host:
            return self._read_host(name, path)
        if name != self.hub_host:
            return Place(Kind.ELSEWHERE, path)
        found = _PATH.fullmatch(path)
        return Place(Kind.ENVIRONMENT, found[2], found[1], self.prefix(found[1])) if found else Place(Kind.HUB, path)

    def _read_host(self, name: str, path: str) -> Place:
        if name == self.hub_host:
            return Place(Kind.HUB, path)
        slugs = (name.removesuffix(f".{domain}") for domain in (self.domain, *self.others.values()))
        slug = next((slug for slug in slugs if slug != name and _SLUG.fullmatch(slug)), "")
        return Place(Kind.ENVIRONMENT if slug else Kind.ELSEWHERE, path, slug)


def host_name(hosts: Iterable[bytes]) -> str | None:
    """The lower-case name in the one Host header; None where there are several, none, or it is no plain name.

    A name with a trailing dot is another host for a browser's cookies, so it is not taken.
    """
    values = list(hosts)
    if len(values) != 1:
        return None
    found = _HOST.fullmatch(values[0].decode("latin-1").lower())
    if found is None or int(found[2] or 1) not in range(1, _HIGHEST_PORT + 1):
        return None
    return found[1].strip("[]")
