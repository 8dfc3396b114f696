"""The one door to environments: launch, stop, restart, delete, look.

Every act writes only what is wanted, with its event, in one transaction, then wakes the
controller, which moves what is towards it. A person acts on the own environments; an
administrator may look at and stop everyone's. Of what a person may not see the answer is
`NotFound`, as of what does not exist.
"""

from collections.abc import Collection, Mapping
from typing import Protocol

from sqlalchemy import update
from sqlmodel import Session, col, select

from hub.audit.service import EventView, count_story, record, story_of
from hub.clock import now
from hub.database import Database
from hub.environments import admission, launch_keys, launching, views
from hub.environments.catalog import Catalog
from hub.environments.launching import LaunchOrder, Limits, Plan
from hub.environments.model import Environment, Phase, Target
from hub.environments.names import checked_name
from hub.environments.views import CHANGED_LAST, LARGEST_PAGE, EnvironmentFilter, EnvironmentView, read_views
from hub.errors import Conflict, Invalid, NotFound, Refused
from hub.identity.person import Person
from hub.settings import Settings
from hub.spawners.base import Spawner, Usage

PAGE = 20  # cards
TABLE_PAGE = 100  # rows of the administrators' table
_not_going = col(Environment.target) != Target.DELETED
_UNKNOWN = "This environment does not exist, or it is not yours."


class ControllerSide(Protocol):
    """What the service needs of the controller in its own process."""

    def wake(self) -> None: ...
    def hindrance(self, cluster_id: str, start_id: str | None) -> str: ...


class Environments:
    """Safe to share between threads. New environments go to the cluster `home`."""

    def __init__(
        self,
        database: Database,
        settings: Settings,
        catalog: Catalog,
        spawners: Mapping[str, Spawner],
        home: str,
        controller: ControllerSide,
    ) -> None:
        self.catalog = catalog
        self._database = database
        self._max_live = settings.max_user_pods
        self._spawners = spawners
        self._home = home
        self._controller = controller
        self._wake = controller.wake

    def launch(self, person: Person, order: LaunchOrder, key: str | None = None) -> EnvironmentView:
        """Launch under a name: a new environment, or the own one of that name with the order's preset.

        `key` makes it safe to send the same order again. Raises `Invalid`, `NotFound`, `LimitReached` or `Conflict`.
        """
        name, plan = checked_name(order.name), self._plan(order)
        with self._database.writing("launch") as session:
            launching.lock_owner(session, person.user_id)
            launched = launch_keys.earlier(session, person.user_id, key, order) if key is not None else None
            if launched:
                return self._again(session, person, launched)
            environment = launching.find_by_name(session, person.user_id, name)
            if environment is None:
                environment = launching.create(session, person, name, plan, order.workspace_id)
            elif environment.target is not Target.RUNNING:
                launching.resize(environment, plan)
            if environment.target is not Target.RUNNING:
                launching.want_running(session, person, environment, self._limits(environment.cluster_id))
                session.flush()
            if key is not None:
                launch_keys.keep(session, person.user_id, key, order, environment.id)
            view = self._one(session, environment.id)
        self._wake()
        return view

    def relaunch(self, person: Person, environment_id: str) -> None:
        """Launch an own environment again as it is; nothing happens where it is wanted to run already."""
        with self._database.writing("relaunch") as session:
            launching.lock_owner(session, person.user_id)
            environment = self._own(session, person, environment_id)
            if environment.target is not Target.RUNNING:
                launching.renew(environment, self.catalog)
                launching.want_running(session, person, environment, self._limits(environment.cluster_id))
        self._wake()

    def stop(self, person: Person, environment_id: str) -> None:
        """Stop, or cancel a start. Administrators may stop anybody's."""
        with self._database.writing("stop") as session:
            environment = self._visible(session, person, environment_id)
            if environment.owner_id != person.user_id and not person.is_administrator:
                raise Refused("Only its owner and administrators may stop this environment.")
            if environment.target is Target.RUNNING:
                environment.target = Target.STOPPED
                record(session, person, "environment stopped", environment.id, by=person.name)
        self._wake()

    def restart(self, person: Person, environment_id: str) -> None:
        """End the present run and begin a new one. Raises `LimitReached` or `Conflict` as a launch does."""
        with self._database.writing("restart") as session:
            launching.lock_owner(session, person.user_id)
            environment = self._own(session, person, environment_id)
            launching.renew(environment, self.catalog)
            launching.want_running(session, person, environment, self._limits(environment.cluster_id))
            if environment.phase in {Phase.STARTING, Phase.RUNNING}:
                environment.phase, environment.phase_since = Phase.STOPPING, now()
        self._wake()

    def delete(self, person: Person, environment_id: str, typed_name: str, *, with_workspace: bool) -> None:
        """Delete an own environment for good; its workspace stays unless asked for. Raises `Invalid`, `Conflict`."""
        with self._database.writing("delete") as session:
            environment = self._own(session, person, environment_id)
            if typed_name.strip() != environment.name:
                raise Invalid(f"Type the name “{environment.name}” exactly, then delete.")
            others = launching.others_with(session, environment) if with_workspace else []
            if others:
                raise Conflict(f"The environment “{others[0]}” has the same files. Keep them, or delete that one first.")
            environment.target, environment.delete_workspace = Target.DELETED, with_workspace
            kept = "deleted too" if with_workspace else "kept"
            record(session, person, "environment deleted", environment.id, name=environment.name, workspace=kept)
        self._wake()

    def stop_all_of(self, session: Session, user_id: str) -> None:
        """In the caller's transaction: everything of this person is wanted to stop."""
        session.execute(
            update(Environment)
            .where(col(Environment.owner_id) == user_id, col(Environment.target) == Target.RUNNING)
            .values(target=Target.STOPPED)
        )

    def wake(self) -> None:
        """Tell the controller that there is work, after a transaction that `stop_all_of` was part of."""
        self._wake()

    def get(self, person: Person, environment_id: str) -> EnvironmentView:
        with self._database.reading() as session:
            self._visible(session, person, environment_id)
            return self._one(session, environment_id)

    def of(self, person: Person, page: int = 0) -> list[EnvironmentView]:
        """The person's own environments, `PAGE` at a time."""
        with self._database.reading() as session:
            return read_views(session, col(Environment.owner_id) == person.user_id, _not_going, limit=PAGE, offset=page * PAGE)

    def count_of(self, person: Person) -> int:
        with self._database.reading() as session:
            return views.count(session, col(Environment.owner_id) == person.user_id, _not_going)

    def search(
        self, person: Person, which: EnvironmentFilter, page: int = 0, size: int = PAGE, sort: str = CHANGED_LAST,
        *, everyone: bool = False,
    ) -> tuple[list[EnvironmentView], int]:  # fmt: skip
        """A page of the own environments, or of everybody's for administrators and auditors, and how many there are.

        Raises `NotFound` for whoever may not see everybody's.
        """
        if everyone and not person.sees_all:
            raise NotFound("This page does not exist.")
        whose = [] if everyone else [col(Environment.owner_id) == person.user_id, _not_going]
        conditions, size = [*whose, *which.conditions()], min(size, LARGEST_PAGE)
        with self._database.reading() as session:
            rows = read_views(session, *conditions, limit=size, offset=page * size, sort=sort)
            return rows, views.count(session, *conditions)

    def usage(
        self, person: Person, page: int, size: int, *, everyone: bool = False
    ) -> tuple[list[tuple[EnvironmentView, Usage | None]], int]:
        """Running environments by name with what they use, and how many there are: one question to each cluster.

        Raises `ClusterSilent`.
        """
        running = EnvironmentFilter(phase=Phase.RUNNING)
        found, total = self.search(person, running, page, size, "name", everyone=everyone)
        spawners = [self._spawners[cluster] for cluster in {view.cluster_id for view in found}]
        samples = {sample.start_id: sample for spawner in spawners for sample in spawner.usage()}
        return [(view, samples.get(view.start_id or "")) for view in found], total

    def for_routing(self, slugs: Collection[str]) -> dict[str, EnvironmentView]:
        """What routing decides on, for the addresses that environments have."""
        with self._database.reading() as session:
            return views.by_slugs(session, slugs)

    def requested(self, cluster_id: str) -> tuple[float, int]:
        """The cores and the bytes of memory that environments of a cluster ask for together."""
        with self._database.reading() as session:
            return admission.requested(session, cluster_id)

    def checkpoints(self, view: EnvironmentView) -> tuple[str, ...]:
        """The names of all checkpoints that a start of this environment passes, in order."""
        return self._spawners[view.cluster_id].checkpoints

    def hindrance(self, view: EnvironmentView) -> str:
        """What its run waits for, or suffers from, that may not pass by itself; empty where nothing is known of it."""
        runs = view.phase in {Phase.STARTING, Phase.RUNNING, Phase.STOPPING}
        return self._controller.hindrance(view.cluster_id, view.start_id) if runs else ""

    def log(self, person: Person, environment_id: str, lines: int = 200) -> str:
        """The last lines of the present or last run. Raises `ClusterSilent`."""
        view = self.get(person, environment_id)
        return self._spawners[view.cluster_id].log(view.start_id, min(lines, 2000)) if view.start_id else ""

    def story(self, person: Person, environment_id: str, page: int = 0, size: int = 50) -> tuple[list[EventView], int]:
        """A page of who did what to it, newest first, and how many events there are."""
        self.get(person, environment_id)
        size = min(size, LARGEST_PAGE)
        return story_of(self._database, environment_id, size, page * size), count_story(self._database, environment_id)

    def _plan(self, order: LaunchOrder) -> Plan:
        profile = self.catalog.choose(order.profile, order.custom)
        return Plan(profile, self.catalog.image(profile), self._home)

    def _limits(self, cluster_id: str) -> Limits:
        return Limits(self._max_live, self._spawners[cluster_id].memory_capacity())

    def _again(self, session: Session, person: Person, environment_id: str) -> EnvironmentView:
        """What a launch that is sent again has brought. Raises `NotFound` where it was deleted since."""
        self._own(session, person, environment_id)
        return self._one(session, environment_id)

    @staticmethod
    def _one(session: Session, environment_id: str) -> EnvironmentView:
        return read_views(session, col(Environment.id) == environment_id, limit=1)[0]

    @staticmethod
    def _own(session: Session, person: Person, environment_id: str) -> Environment:
        environment = session.exec(select(Environment).where(Environment.id == environment_id).with_for_update()).first()
        if environment is None or environment.target is Target.DELETED or environment.owner_id != person.user_id:
            raise NotFound(_UNKNOWN)
        return environment

    @staticmethod
    def _visible(session: Session, person: Person, environment_id: str) -> Environment:
        environment = session.get(Environment, environment_id)
        if environment is None or environment.target is Target.DELETED:
            raise NotFound(_UNKNOWN)
        if environment.owner_id != person.user_id and not person.sees_all:
            raise NotFound(_UNKNOWN)
        return environment
