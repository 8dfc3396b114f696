"""The steps of the state machine as transactions: each reads the row anew, locked, and writes once.

A step whose premise no longer holds (a person acted in between) writes nothing; the next round
decides again.
"""

from collections.abc import Callable

from sqlalchemy import update
from sqlmodel import Session, col, select

from hub.audit.service import record
from hub.clock import now
from hub.database import Database
from hub.environments import reasons
from hub.environments.launching import others_with
from hub.environments.lifecycle import MAX_RESTARTS, STEADY, back_off
from hub.environments.model import Environment, Phase, Start, Target
from hub.spawners.base import Ending, Exit, Observation, State
from hub.workspaces.model import Workspace, WorkspaceState


def locked(session: Session, environment_id: str) -> Environment:
    return session.exec(select(Environment).where(Environment.id == environment_id).with_for_update()).one()


def enter(environment: Environment, phase: Phase) -> None:
    environment.phase, environment.phase_since = phase, now()


def queue(database: Database, environment_id: str) -> None:
    with database.writing("queue") as session:
        environment = locked(session, environment_id)
        if environment.phase in {Phase.STOPPED, Phase.FAILED} and environment.target is Target.RUNNING:
            enter(environment, Phase.QUEUED)
            environment.queued_at = now()


def admit(
    database: Database, environment_id: str, key_id: str, fits: Callable[[Session, Environment], bool]
) -> Environment | None:
    """Give it the next run, where `fits` says that there is room. The row if it was admitted."""
    with database.writing("admit") as session:
        environment = locked(session, environment_id)
        if environment.phase is not Phase.QUEUED or environment.target is not Target.RUNNING:
            return None
        if not fits(session, environment):
            return None
        environment.generation += 1
        start = Start(environment_id=environment.id, generation=environment.generation, image=environment.image, key_id=key_id)
        session.add(start)
        environment.start_id, environment.retry_at = start.id, None
        enter(environment, Phase.STARTING)
        _workspace_is_used(session, environment)
    return environment


def record_progress(database: Database, environment_id: str, observation: Observation) -> None:
    """Store the checkpoints as they were reached, and readiness."""
    with database.writing("progress") as session:
        present = select(Environment, Start).join(Start, col(Start.id) == col(Environment.start_id)).with_for_update()
        found = session.exec(present.where(Environment.id == environment_id, Start.id == observation.start_id)).first()
        if found is None or found[0].phase not in {Phase.STARTING, Phase.RUNNING}:
            return
        environment, start = found
        start.checkpoints = [
            {"name": point.name, "at": point.at.isoformat(), "detail": point.detail} for point in observation.checkpoints
        ]
        start.upstream = observation.upstream
        if observation.state is State.READY and environment.phase is Phase.STARTING:
            start.ready_at = now()
            enter(environment, Phase.RUNNING)
            record(session, None, "environment ready", environment.id)


def begin_stopping(database: Database, environment_id: str) -> None:
    with database.writing("begin stopping") as session:
        environment = locked(session, environment_id)
        if environment.phase in {Phase.STARTING, Phase.RUNNING} and environment.target is not Target.RUNNING:
            enter(environment, Phase.STOPPING)


def become_stopped(database: Database, environment_id: str, exit_: Exit | None) -> None:
    """At rest, because somebody wanted it so."""
    with database.writing("stopped") as session:
        environment = locked(session, environment_id)
        if environment.phase is Phase.QUEUED and environment.target is Target.RUNNING:
            return
        if environment.phase in {Phase.STOPPING, Phase.QUEUED}:
            _end_start(session, environment, exit_)
            enter(environment, Phase.STOPPED)
            environment.reason = None


def fail(
    database: Database, environment_id: str, start_id: str, exit_: Exit, reason: str | None = None, log_end: str = ""
) -> None:
    """Phase failed, target stopped and the reason, in one transaction: what ended by itself stays ended."""
    with database.writing("failed") as session:
        environment = locked(session, environment_id)
        if environment.start_id != start_id or environment.phase not in {Phase.STARTING, Phase.RUNNING}:
            return
        _end_start(session, environment, exit_)
        if environment.target is Target.RUNNING:
            environment.target = Target.STOPPED
        environment.reason = reason or reasons.explain(environment, exit_, log_end)
        enter(environment, Phase.FAILED)
        record(session, None, "environment failed", environment.id, why=exit_.why.value, reason=environment.reason)


def fail_slow(database: Database, environment_id: str, start_id: str, hindrance: str = "") -> None:
    """Not ready before the deadline. What runs of it is ended as a stray in the same round."""
    fail(database, environment_id, start_id, Exit(Ending.NEVER_STARTED, now()), reasons.too_slow(hindrance))


def restart_lost(database: Database, environment_id: str, start_id: str, exit_: Exit) -> None:
    """Back into the queue with back-off, `MAX_RESTARTS` times; then failed."""
    with database.writing("restart lost") as session:
        environment = locked(session, environment_id)
        if environment.start_id != start_id or environment.phase not in {Phase.STARTING, Phase.RUNNING}:
            return
        if _ran_steadily(session, start_id):
            environment.restarts = 0
        if environment.restarts < MAX_RESTARTS:
            _end_start(session, environment, exit_)
            environment.queued_at = now()
            environment.retry_at = now() + back_off(environment.restarts)
            environment.restarts += 1
            environment.reason = reasons.taken(exit_)
            enter(environment, Phase.QUEUED)
            record(session, None, "environment restarted", environment.id, why=exit_.detail or exit_.why.value)
            return
    fail(database, environment_id, start_id, exit_, reasons.taken_too_often(exit_))


def _ran_steadily(session: Session, start_id: str) -> bool:
    """Whether the run was ready for so long that earlier losses no longer count."""
    ready_at = session.get_one(Start, start_id).ready_at
    return ready_at is not None and now() - ready_at > STEADY


def delete(database: Database, environment_id: str) -> None:
    """The row stays, so that its slug is never reused; its workspace goes if its owner said so."""
    with database.writing("deleted") as session:
        environment = locked(session, environment_id)
        if environment.target is not Target.DELETED or environment.deleted_at is not None:
            return
        environment.deleted_at = now()
        workspace = session.get_one(Workspace, environment.workspace_id)
        wanted_elsewhere = others_with(session, environment)
        if environment.delete_workspace and workspace.state is WorkspaceState.PRESENT and not wanted_elsewhere:
            workspace.state = WorkspaceState.DELETING


def _end_start(session: Session, environment: Environment, exit_: Exit | None) -> None:
    start = session.get(Start, environment.start_id) if environment.start_id else None
    if start is None or start.ended_at is not None:
        return
    start.ended_at = exit_.at if exit_ else now()
    start.ended_why = (exit_.why if exit_ else Ending.STOPPED).value
    start.upstream = None
    if exit_:
        start.exit_code, start.peak_memory = exit_.exit_code, exit_.peak_memory
    _workspace_is_used(session, environment)


def _workspace_is_used(session: Session, environment: Environment) -> None:
    session.execute(update(Workspace).where(col(Workspace.id) == environment.workspace_id).values(last_used_at=now()))
