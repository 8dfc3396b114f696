"""Who may ask for decisions: a proxy that shows its cluster's credential, and nobody else.

An answer of `/routing/authorize` holds an assertion, so to everyone else the address does not
exist. What was read of a cluster's row is used on while the database is silent.
"""

import hmac
import time

from hub.clusters.model import Cluster
from hub.database import Database
from hub.errors import DatabaseSilent
from hub.identity.tokens import digest

_KEPT = 10.0
_MOST = 1000


class Callers:
    """Safe to share between threads."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._known: dict[str, tuple[float, str]] = {}

    def recent(self, cluster_id: str, authorization: str) -> bool | None:
        """As `admits`, at once; None where the cluster's row has to be read."""
        at, expected = self._known.get(cluster_id, (0.0, ""))
        return _is(authorization, expected) if expected and time.monotonic() - at < _KEPT else None

    def admits(self, cluster_id: str, authorization: str) -> bool:
        """Whether the credential is that cluster's. Raises `DatabaseSilent`."""
        return bool(cluster_id) and _is(authorization, self._credential_hash(cluster_id))

    def _credential_hash(self, cluster_id: str) -> str:
        _, known = self._known.get(cluster_id, (0.0, ""))
        try:
            with self._database.reading() as session:
                cluster = session.get(Cluster, cluster_id)
        except DatabaseSilent:
            if known:
                return known
            raise
        if cluster is None:
            return ""
        if cluster_id in self._known or len(self._known) < _MOST:
            self._known[cluster_id] = (time.monotonic(), cluster.credential_hash)
        return cluster.credential_hash


def _is(authorization: str, expected: str) -> bool:
    """Whether it shows the credential whose hash is `expected`; an empty one is nobody's."""
    scheme, _, credential = authorization.partition(" ")
    return bool(expected) and scheme.lower() == "bearer" and hmac.compare_digest(expected, digest(credential))
