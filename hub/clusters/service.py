"""The registry of clusters: `local`, this machine, from the first migration, and the one that settings name."""

import hashlib
from contextlib import suppress

from hub.clusters.model import Cluster
from hub.database import Database
from hub.errors import Conflict


def register(database: Database, cluster_id: str, kind: str, environments_domain: str, credential: str) -> None:
    """Write the row of the hub's own cluster, with the hash of what its proxy shows to `/routing/authorize`."""
    hashed = hashlib.sha256(credential.encode()).hexdigest()
    with database.reading() as session:
        row = session.get(Cluster, cluster_id)
    if row and (row.credential_hash, row.environments_domain) == (hashed, environments_domain):
        return
    # Of several hubs that start at once one writes the row, and all write the same.
    with suppress(Conflict), database.writing("register cluster") as session:
        row = session.get(Cluster, cluster_id) or Cluster(id=cluster_id, kind=kind, environments_domain="", credential_hash="")
        row.environments_domain, row.credential_hash = environments_domain, hashed
        session.add(row)
