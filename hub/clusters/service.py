"""The registry of clusters. In this version it holds one: `local`, this machine."""

import hashlib

from hub.clusters.model import LOCAL, Cluster
from hub.database import Database


def register_local(database: Database, environments_domain: str, credential: str) -> None:
    """Write this machine's row, with the hash of what its proxy shows to `/routing/authorize`."""
    hashed = hashlib.sha256(credential.encode()).hexdigest()
    with database.reading() as session:
        row = session.get(Cluster, LOCAL)
    if row and (row.credential_hash, row.environments_domain) == (hashed, environments_domain):
        return
    with database.writing("register cluster") as session:
        row = session.get(Cluster, LOCAL) or Cluster(id=LOCAL, kind="local", environments_domain="", credential_hash="")
        row.environments_domain, row.credential_hash = environments_domain, hashed
        session.add(row)
