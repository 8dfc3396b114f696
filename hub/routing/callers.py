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

    def admits(self, cluster_id: str, authorization: str) -> bool:
        """Whether the credential is that cluster's. Raises `DatabaseSilent`."""
        scheme, _, credential = authorization.partition(" ")
        if scheme.lower() != "bearer" or not credential or not cluster_id:
            return False
        expected = self._credential_hash(cluster_id)
        return bool(expected) and hmac.compare_digest(expected, digest(credential))

    def _credential_hash(self, cluster_id: str) -> str:
        at, known = self._known.get(cluster_id, (0.0, ""))
        if known and time.monotonic() - at < _KEPT:
            return known
        try:
            with self._database.reading() as session:
                cluster = session.get(Cluster, cluster_id)
        except DatabaseSilent:
            if known:
                return known
            raise
        if cluster is None:
            return ""
        if len(self._known) < _MOST:
            self._known[cluster_id] = (time.monotonic(), cluster.credential_hash)
        return cluster.credential_hash
