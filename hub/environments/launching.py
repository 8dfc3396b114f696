"""Launching: one transaction that checks everything and writes what is wanted.

The owner's row is locked first, so that two launches at a limit cannot both win (on SQLite the
writing transaction alone does that). A second click finds the environment live and returns it.
"""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import func
from sqlmodel import Session, col, select

from hub.audit.service import record
from hub.clock import now
from hub.clusters.quantities import show_bytes
from hub.environments.catalog import CUSTOM, Catalog, Custom, Profile
from hub.environments.model import LIVE, Environment, Phase, Target
from hub.environments.names import new_slug
from hub.errors import Conflict, LimitReached, NotFound
from hub.identity.model import User
from hub.identity.person import Person
from hub.workspaces.model import Workspace, WorkspaceState

_COUNTED = (Phase.QUEUED, Phase.STARTING, Phase.RUNNING)


@dataclass(frozen=True)
class LaunchOrder:
    """What a person asks for. Without `workspace_id` a new workspace of the environment's name is made."""

    name: str
    profile: str
    custom: Custom | None = None
    workspace_id: str | None = None


@dataclass(frozen=True)
class Plan:
    """What a launch will run, and on which cluster where the workspace is new."""

    profile: Profile
    image: str
    cluster_id: str


@dataclass(frozen=True)
class Limits:
    """What a launch is checked against; `memory_capacity` in bytes, None where nothing is known."""

    max_live: int
    memory_capacity: int | None


def lock_owner(session: Session, user_id: str) -> None:
    session.exec(select(User.id).where(User.id == user_id).with_for_update()).one()


def find_by_name(session: Session, owner_id: str, name: str) -> Environment | None:
    return session.exec(
        select(Environment).where(
            Environment.owner_id == owner_id, Environment.name == name, Environment.target != Target.DELETED
        )
    ).first()


def others_with(session: Session, environment: Environment) -> list[str]:
    """The names of other environments that have the same workspace and are there to stay."""
    query = select(Environment.name).where(
        Environment.workspace_id == environment.workspace_id,
        Environment.id != environment.id,
        Environment.target != Target.DELETED,
    )
    return list(session.exec(query.order_by(col(Environment.name)).limit(3)).all())


def create(session: Session, person: Person, name: str, plan: Plan, workspace_id: str | None) -> Environment:
    """A new row, not yet wanted to run. Raises `NotFound` for a workspace that is not the person's."""
    workspace = _workspace(session, person, name, plan.cluster_id, workspace_id)
    environment = Environment(
        slug=new_slug(name), owner_id=person.user_id, name=name, workspace_id=workspace.id, cluster_id=workspace.cluster_id,
        **_as_planned(plan),
    )  # fmt: skip
    session.add(environment)
    record(session, person, "environment created", environment.id, name=name, profile=environment.profile)
    return environment


def resize(environment: Environment, plan: Plan) -> None:
    """Take another preset's numbers for the next run."""
    for name, value in _as_planned(plan).items():
        setattr(environment, name, value)


def _as_planned(plan: Plan) -> dict[str, Any]:
    """What a row takes over of a preset; a request is never above its limit."""
    profile = plan.profile
    return {
        "profile": profile.name, "image": plan.image, "placement": profile.placement.stored(), "storage": profile.storage,
        "cpu_limit": profile.cpu, "cpu_request": min(profile.cpu_request, profile.cpu),
        "memory_limit": profile.memory, "memory_request": min(profile.memory_request, profile.memory),
    }  # fmt: skip


def renew(environment: Environment, catalog: Catalog) -> None:
    """Before it runs again: what its preset says today of image, placement and storage, which never shrinks.

    The other numbers stay, and all where the preset is gone.
    """
    preset = catalog.find(environment.profile)
    if preset:
        environment.placement, environment.storage = preset.placement.stored(), max(environment.storage, preset.storage)
    if preset or environment.profile == CUSTOM:
        environment.image = catalog.image(preset)


def want_running(session: Session, person: Person, environment: Environment, limits: Limits) -> None:
    """Write the target, where the limits allow it: a new row once, after the checks. Raises `LimitReached` or `Conflict`."""
    _check_fits(environment, limits)
    with session.no_autoflush:
        _check_count(session, environment, limits)
        _check_workspace(session, environment)
    moment = now()
    environment.target, environment.reason = Target.RUNNING, None
    environment.restarts, environment.retry_at = 0, None
    if environment.phase in {Phase.STOPPED, Phase.FAILED}:
        environment.phase, environment.phase_since, environment.queued_at = Phase.QUEUED, moment, moment
    session.add(environment)
    record(session, person, "environment launched", environment.id, profile=environment.profile)


def _workspace(session: Session, person: Person, name: str, cluster_id: str, workspace_id: str | None) -> Workspace:
    if workspace_id is None:
        workspace = Workspace(owner_id=person.user_id, name=name, cluster_id=cluster_id)
        session.add(workspace)
        session.flush()
        record(session, person, "workspace created", workspace.id, name=name)
        return workspace
    found = session.get(Workspace, workspace_id)
    if found is None or found.owner_id != person.user_id or found.state is not WorkspaceState.PRESENT:
        raise NotFound("This workspace does not exist. Choose another one, or a new one.")
    return found


def _check_fits(environment: Environment, limits: Limits) -> None:
    if limits.memory_capacity is not None and environment.memory_request > limits.memory_capacity:
        raise LimitReached(
            f"This can never fit: it asks for {show_bytes(environment.memory_request)} of memory, "
            f"and this machine has {show_bytes(limits.memory_capacity)} for environments. Choose a smaller preset."
        )


def _check_count(session: Session, environment: Environment, limits: Limits) -> None:
    others = session.exec(
        select(Environment.name).where(
            Environment.owner_id == environment.owner_id,
            Environment.id != environment.id,
            col(Environment.phase).in_(_COUNTED),
        )
    ).all()
    if len(others) >= limits.max_live:
        named = ", ".join(f"“{name}”" for name in sorted(others)[:5])
        raise LimitReached(
            f"You may have {limits.max_live} running at once, and {named} already "
            f"{'run' if len(others) > 1 else 'runs'}. Stop one, then launch this one."
        )


def _check_workspace(session: Session, environment: Environment) -> None:
    another = (
        (col(Environment.workspace_id) == col(Workspace.id))
        & (col(Environment.id) != environment.id)
        & col(Environment.phase).in_(LIVE)
    )
    query = select(Workspace, Environment.name).join(Environment, another, isouter=True)
    workspace, other = session.exec(query.where(Workspace.id == environment.workspace_id)).one()
    if workspace.state is not WorkspaceState.PRESENT:
        raise Conflict("The workspace of this environment was deleted. Delete the environment and launch a new one.")
    if other is not None:
        raise Conflict(f"“{other}” is using the workspace “{workspace.name}”. Stop it first, or choose another workspace.")
    _check_room(environment, workspace)


def _check_room(environment: Environment, workspace: Workspace) -> None:
    """Where no volume holds a workspace to its size, a launch does, by what was measured after the last run."""
    if workspace.capacity is None and workspace.size is not None and workspace.size > environment.storage:
        raise LimitReached(
            f"The workspace “{workspace.name}” holds {show_bytes(workspace.size)}, and this size may hold "
            f"{show_bytes(environment.storage)}. Choose a larger size for it, or ask an administrator for more; until then you "
            "can download it."
        )


def count_live(session: Session) -> dict[str, int]:
    """How many environments are in each phase, for `/metrics` and `status`."""
    rows = session.exec(
        select(Environment.phase, func.count()).where(col(Environment.deleted_at).is_(None)).group_by(col(Environment.phase))
    )
    return {str(phase): count for phase, count in rows}
