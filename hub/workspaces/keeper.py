"""The keeper: deletes the workspaces that were given up, and measures the others now and then.

It runs beside the controller, under the same lease. Each round touches at most `BATCH` of them, so
its cost does not grow with the number of workspaces.
"""

import logging
import threading
from collections.abc import Mapping
from datetime import timedelta
from time import monotonic

from sqlmodel import col, select

from hub.clock import now
from hub.database import Database
from hub.environments.model import Environment, Phase, Target
from hub.errors import ClusterSilent, Conflict
from hub.seam import crossing
from hub.spawners.base import Spawner
from hub.workspaces.model import TO_DELETE, TO_MEASURE, Workspace, WorkspaceState

log = logging.getLogger(__name__)

BATCH = 20
_AGAIN = 600.0
"""Seconds until what could not be measured is tried again."""
_REMEMBERED = 500


class Keeper:
    """Call `round` again and again; every step may be cut short and is taken up by the next round."""

    def __init__(self, database: Database, spawners: Mapping[str, Spawner]) -> None:
        self._database, self._spawners = database, spawners
        self.news = threading.Event()
        """Set when there is something to delete; who runs the rounds waits for it."""
        self._not_before: dict[str, float] = {}
        """Workspaces that could not be measured, and from when on they are tried again, on the monotonic clock."""
        self._deleted_to = ""
        """The last one that was to be deleted: those that do not go keep nobody from the others."""

    def round(self) -> None:
        """Deletions come first, also those of which another hub was asked meanwhile: a measurement may take minutes."""
        self._delete_all()
        for workspace in self._to_measure():
            self._measure(workspace)
            self._delete_all()

    def _delete_all(self) -> None:
        for workspace in self._to_delete():
            self._delete(workspace)

    def _to_delete(self) -> list[Workspace]:
        """The next ones, beginning anew behind the last."""
        query = select(Workspace).where(TO_DELETE, col(Workspace.id) > self._deleted_to).order_by(col(Workspace.id))
        with self._database.reading() as session:
            found = list(session.exec(query.limit(BATCH)).all())
        self._deleted_to = found[-1].id if len(found) == BATCH else ""
        return found

    def _to_measure(self) -> list[Workspace]:
        """A few of each cluster."""
        return [found for cluster, spawner in self._spawners.items() for found in self._stale(cluster, spawner.size_stays)]

    def _stale(self, cluster_id: str, size_stays: timedelta) -> list[Workspace]:
        """Those used since they were measured, then those in use whose figure is old; the oldest first."""
        self._not_before = {found: moment for found, moment in self._not_before.items() if moment > monotonic()}
        wanted = select(Environment.workspace_id).where(Environment.target == Target.RUNNING)
        running = wanted.where(Environment.phase == Phase.RUNNING)
        starting = wanted.where(col(Environment.phase).in_((Phase.QUEUED, Phase.STARTING)))
        untried = (
            Workspace.cluster_id == cluster_id,
            col(Workspace.id).not_in(list(self._not_before)),
            col(Workspace.id).not_in(starting),
        )
        old = (Workspace.state == WorkspaceState.PRESENT, col(Workspace.size_at) < now() - size_stays)
        queries = (select(Workspace).where(TO_MEASURE), select(Workspace).where(*old, col(Workspace.id).in_(running)))
        first = col(Workspace.size_at).asc().nulls_first()
        with self._database.reading() as session:
            found = [session.exec(query.where(*untried).order_by(first).limit(BATCH)).all() for query in queries]
        return list({row.id: row for rows in found for row in rows}.values())[:BATCH]

    def _delete(self, workspace: Workspace) -> None:
        try:
            with crossing("order a workspace's deletion"):
                self._spawners[workspace.cluster_id].delete_workspace(workspace.id)
        except (ClusterSilent, Conflict) as error:
            log.warning("workspace %s cannot be deleted yet: %s", workspace.id, error)
            return
        with self._database.writing("workspace deleted") as session:
            session.get_one(Workspace, workspace.id).state = WorkspaceState.DELETED

    def _measure(self, workspace: Workspace) -> None:
        moment = now()
        try:
            size = self._spawners[workspace.cluster_id].workspace_size(workspace.id)
        except ClusterSilent:
            if len(self._not_before) < _REMEMBERED:
                self._not_before[workspace.id] = monotonic() + _AGAIN
            return
        with self._database.writing("workspace size") as session:
            row = session.get_one(Workspace, workspace.id)
            row.size, row.capacity, row.size_at = size.used, size.capacity, moment
