"""The registry of clusters: `local`, this machine, from the first migration, the one that settings name, and further ones."""

import hashlib
import hmac
from collections.abc import Collection
from contextlib import suppress

from sqlmodel import col, select, update

from hub.clusters.model import Cluster
from hub.database import Database
from hub.errors import Conflict


def credential_of(cluster_id: str, home_credential: str) -> str:
    """What the proxy of another cluster shows. It follows from the home's, so hubs have nothing more to keep or to share."""
    return hmac.new(home_credential.encode(), cluster_id.encode(), hashlib.sha256).hexdigest()


def register(database: Database, cluster_id: str, kind: str, environments_domain: str, credential: str) -> None:
    """Write the row of a cluster, with the hash of what its proxy shows to `/routing/authorize`."""
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


def withdraw_all_but(database: Database, known: Collection[str]) -> None:
    """The proxies of clusters that the settings name no more are nobody's from now on."""
    forgotten = col(Cluster.id).not_in(known), col(Cluster.credential_hash) != ""
    with database.reading() as session:
        if session.exec(select(Cluster.id).where(*forgotten)).first() is None:
            return
    with database.writing("withdraw credentials") as session:
        session.execute(update(Cluster).where(*forgotten).values(credential_hash=""))
