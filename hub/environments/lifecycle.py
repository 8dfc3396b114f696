"""The state machine: what happens next to an environment, decided from rows and an observation.

`decide` is pure. The controller carries its step out, one transaction or one spawner call each, and
asks again: whatever line it is killed at, the next round decides from what is stored and observed.

    stopped ─ queue ─► queued ─ admit ─► starting ─ ready ─► running
       ▲                 │                  │                   │
       └──── stopped ────┴──── stopping ◄───┴── order stop ─────┘      ended by itself ─► failed
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum, auto

from hub.environments.model import Environment, Phase, Start, Target
from hub.spawners.base import Ending, Observation, State

START_DEADLINE = timedelta(minutes=15)
"""How long a start may take, image pull included."""
MAX_RESTARTS = 3
"""How often an environment that the infrastructure took is restarted before it counts as failed."""
STEADY = timedelta(minutes=10)
"""A run that was ready for longer than this begins to count its losses anew."""
_BACK_OFF = timedelta(seconds=5)


class Step(Enum):
    """One thing to do; each is idempotent."""

    NOTHING = auto()
    QUEUE = auto()
    """It is wanted and stopped: put it in the queue."""
    ADMIT = auto()
    """It is queued and may start, if the machine has room."""
    ORDER_START = auto()
    """The spawner does not know this start (yet, or any more): ask (again)."""
    RECORD_PROGRESS = auto()
    """New checkpoints are known, readiness perhaps among them."""
    BEGIN_STOPPING = auto()
    ORDER_STOP = auto()
    BECOME_STOPPED = auto()
    FAIL = auto()
    """It ended by itself: failed, and no longer wanted."""
    FAIL_SLOW = auto()
    """It was not ready before the deadline."""
    RESTART = auto()
    """The infrastructure took it: back into the queue, later each time."""
    DELETE = auto()


@dataclass(frozen=True)
class Situation:
    """All that a decision depends on. `synced`: the spawner has told everything that it runs."""

    environment: Environment
    start: Start | None
    observation: Observation | None
    synced: bool
    moment: datetime


def decide(situation: Situation) -> Step:
    """The next step towards the target."""
    phase = situation.environment.phase
    if phase in {Phase.STOPPED, Phase.FAILED}:
        return _at_rest(situation.environment)
    if phase is Phase.QUEUED:
        return _queued(situation)
    if phase is Phase.STOPPING:
        return _stopping(situation)
    return _under_way(situation)


def back_off(restarts: int) -> timedelta:
    """How long to wait before restart number `restarts` + 1: 5, 10, 20 seconds."""
    return _BACK_OFF * int(2**restarts)


def _at_rest(environment: Environment) -> Step:
    if environment.target is Target.DELETED:
        return Step.DELETE
    return Step.QUEUE if environment.target is Target.RUNNING else Step.NOTHING


def _queued(situation: Situation) -> Step:
    environment = situation.environment
    if environment.target is not Target.RUNNING:
        return Step.BECOME_STOPPED
    if environment.retry_at and environment.retry_at > situation.moment:
        return Step.NOTHING
    return Step.ADMIT


def _stopping(situation: Situation) -> Step:
    observation = situation.observation
    if observation and observation.state is State.ENDED:
        return Step.BECOME_STOPPED
    if observation is None and situation.synced:
        return Step.BECOME_STOPPED
    return Step.ORDER_STOP


def _under_way(situation: Situation) -> Step:
    """Starting or running."""
    environment, observation = situation.environment, situation.observation
    if environment.target is not Target.RUNNING:
        return Step.BEGIN_STOPPING
    if observation is None:
        return _unobserved(situation)
    if observation.state is State.ENDED:
        return _ended(observation)
    if _has_news(situation.start, observation):
        return Step.RECORD_PROGRESS
    return Step.FAIL_SLOW if _takes_too_long(situation) else Step.NOTHING


def _takes_too_long(situation: Situation) -> bool:
    """A start in a cluster that is silent takes as long as that."""
    environment = situation.environment
    too_long = situation.moment - environment.phase_since > START_DEADLINE
    return environment.phase is Phase.STARTING and situation.synced and too_long


def _unobserved(situation: Situation) -> Step:
    if situation.environment.phase is Phase.STARTING:
        return Step.FAIL_SLOW if _takes_too_long(situation) else Step.ORDER_START
    return Step.RESTART if situation.synced else Step.NOTHING


def _ended(observation: Observation) -> Step:
    lost = observation.exit is not None and observation.exit.why is Ending.LOST
    return Step.RESTART if lost else Step.FAIL


def _has_news(start: Start | None, observation: Observation) -> bool:
    if start is None:
        return False
    ready = observation.state is State.READY and start.ready_at is None
    return ready or len(observation.checkpoints) > len(start.checkpoints) or start.upstream != observation.upstream
