"""The controller: moves what is towards what is wanted, again and again.

One round reads the few environments that have work, decides each one's next step from its row and
the latest observation, and carries it out. Nothing that matters is kept in memory: whichever line
a hub is killed at, the next round of the next hub goes on from the database and from what the
spawner observes. Only the replica that holds the lease runs rounds.
"""

import logging
import threading
import time
from collections.abc import Mapping
from typing import Protocol

from hub.clock import now
from hub.database import Database
from hub.environments import admission, reasons, steps, strays, work
from hub.environments.lease import Leadership
from hub.environments.lifecycle import Situation, Step, decide
from hub.environments.model import Environment, Start
from hub.environments.observing import Observed
from hub.environments.orders import order_forget, order_start, order_stop
from hub.environments.specs import SpecBuilder
from hub.environments.work import BATCH, Patrol
from hub.errors import ClusterSilent, DatabaseSilent
from hub.spawners.base import Ending, Exit, Observation, Spawner, State

log = logging.getLogger(__name__)

TICK_SECONDS = 1.0
"""How long a round waits for news at most."""
ORDER_AGAIN = 2.0
"""Seconds after which a start that was ordered and is not seen is ordered again."""


class Keys(Protocol):
    """What the controller needs of `hub.routing.keys`."""

    def current_kid(self) -> str: ...


class Controller:
    """Run `run` in a thread of its own. `wake` may be called from any thread."""

    def __init__(self, database: Database, spawners: Mapping[str, Spawner], specs: SpecBuilder, keys: Keys) -> None:
        self._database, self._spawners, self._specs, self._keys = database, spawners, specs, keys
        self._leadership = Leadership(database, "controller")
        self._news = threading.Event()
        self._stopped = threading.Event()
        self._order_again_at: dict[str, float] = {}
        """Starts that were ordered a moment ago, and are not seen yet."""
        self._full: set[str] = set()
        """Clusters without room for the first of their queue, in the present round."""
        self.observed = {name: Observed(spawner, self.wake) for name, spawner in spawners.items()}
        self._patrol = Patrol(self.observed)

    def wake(self) -> None:
        self._news.set()

    def hindrance(self, cluster_id: str, start_id: str | None) -> str:
        """What a run was last seen to wait for, or to suffer from; empty where nothing is known of it."""
        seen = self.observed[cluster_id].of(start_id) if cluster_id in self.observed else None
        return seen.hindrance if seen and seen.state is not State.ENDED else ""

    def stop(self) -> None:
        """End `run` after the present step; environments are not touched."""
        self._stopped.set()
        self._news.set()

    def run(self) -> None:
        """Rounds until `stop`. A silent database or cluster delays them and ends none."""
        watchers = [threading.Thread(target=seen.follow, args=(self._stopped,), daemon=True) for seen in self.observed.values()]
        for watcher in watchers:
            watcher.start()
        while not self._stopped.is_set():
            self._news.clear()
            try:
                worked = self.round() if self._leadership.hold() else self._follow()
            except DatabaseSilent:
                log.warning("the database is silent; the controller tries again")
                worked = False
            except Exception:
                log.exception("a round was cut short")
                worked = False
            if not worked:
                self._news.wait(TICK_SECONDS)

    @property
    def leads(self) -> bool:
        """Whether this replica held the lease when it last looked; other loops run under it too."""
        return self._leadership.held

    def round(self) -> bool:
        """One look at everything that has work; True if a step was carried out."""
        news = {name: seen.take_changed(BATCH) for name, seen in self.observed.items()}
        try:
            worked = self._work_on({start_id for changed in news.values() for start_id in changed})
        except Exception:
            for name, changed in news.items():
                self.observed[name].put_back(changed)
            raise
        for name, seen in self.observed.items():
            strays.clear(self._database, self._spawners[name], seen)
        return worked

    def _work_on(self, changed: set[str]) -> bool:
        self._full.clear()
        moment = time.monotonic()
        self._order_again_at = {start_id: at for start_id, at in self._order_again_at.items() if at > moment}
        with self._database.reading() as session:
            due = work.due(session, self._spawners, changed)
        worked = self._carry_out_all(due)
        with self._database.reading() as session:
            wrong = self._patrol.due(session)
        return self._carry_out_all(wrong) or worked

    def _carry_out_all(self, rows: list[work.Row]) -> bool:
        """True if a step was carried out."""
        once = {environment.id: (environment, start) for environment, start in rows}.values()
        worked = [self._carry_out(environment, start) for environment, start in once]
        return any(worked)

    def _follow(self) -> bool:
        """The hub that leads acts on what is new; this one would look at all that runs if it took over."""
        for seen in self.observed.values():
            seen.skip_changed()
        return False

    def _carry_out(self, environment: Environment, start: Start | None) -> bool:
        seen = self.observed[environment.cluster_id]
        observation = seen.of(environment.start_id)
        step = decide(Situation(environment, start, observation, seen.synced, now()))
        if step is Step.NOTHING:
            return False
        try:
            return self._do(step, environment, observation)
        except ClusterSilent:
            log.warning("the cluster %s is silent; %s waits", environment.cluster_id, environment.id)
        except DatabaseSilent:
            raise
        except Exception:
            log.exception("the step of %s failed; the others go on", environment.id)
        seen.put_back([environment.start_id or ""])
        return False

    def _do(self, step: Step, environment: Environment, observation: Observation | None) -> bool:
        """Carry the step out; False where it changed nothing that a next round could build on."""
        spawner = self._spawners[environment.cluster_id]
        match step:
            case Step.ADMIT:
                return self._admit(environment, spawner)
            case Step.ORDER_START:
                self._order(environment)
                return False
            case Step.ORDER_STOP:
                order_stop(spawner, environment.start_id or "")
                return False
            case Step.FAIL | Step.FAIL_SLOW | Step.RESTART:
                self._end(step, environment, observation.exit if observation else None)
            case Step.RECORD_PROGRESS if observation:
                steps.record_progress(self._database, environment.id, observation)
            case _:
                self._settle(step, environment, observation.exit if observation else None)
        return True

    def _end(self, step: Step, environment: Environment, exit_: Exit | None) -> None:
        """It ended by itself, was too slow, or was taken by the infrastructure. What is left of it is ended as a stray."""
        start_id = environment.start_id or ""
        if step is Step.FAIL:
            how = exit_ or Exit(Ending.EXITED, now())
            log_end = self._log_end(environment) if how.why is Ending.EXITED else ""
            steps.fail(self._database, environment.id, start_id, how, log_end=log_end)
        elif step is Step.RESTART:
            steps.restart_lost(self._database, environment.id, start_id, exit_ or Exit(Ending.LOST, now()))
        else:
            steps.fail_slow(self._database, environment.id, start_id, self.hindrance(environment.cluster_id, start_id))
        self.observed[environment.cluster_id].recheck(start_id)

    def _log_end(self, environment: Environment) -> str:
        """What it wrote last, for the reason; a far side that keeps silent about it delays nothing."""
        try:
            return self._spawners[environment.cluster_id].log(environment.start_id or "", reasons.LAST_LINES)
        except ClusterSilent:
            return ""

    def _settle(self, step: Step, environment: Environment, exit_: Exit | None) -> None:
        """It is put into the queue, is about to stop, has stopped, or goes for good."""
        if step is Step.QUEUE:
            steps.queue(self._database, environment.id)
        elif step is Step.BEGIN_STOPPING:
            steps.begin_stopping(self._database, environment.id)
        elif step is Step.BECOME_STOPPED:
            steps.become_stopped(self._database, environment.id, exit_)
        else:
            steps.delete(self._database, environment.id)
            self._forget(environment)

    def _admit(self, environment: Environment, spawner: Spawner) -> bool:
        if environment.cluster_id in self._full:
            return False
        capacity = spawner.memory_capacity()
        kid = self._keys.current_kid()
        admitted = steps.admit(self._database, environment.id, kid, lambda session, row: admission.fits(session, row, capacity))
        if admitted is None:
            self._full.add(environment.cluster_id)
            return False
        self._forget(environment)
        self._order(admitted)
        return True

    def _order(self, environment: Environment) -> None:
        """Ask for its start, again where the last order seems to have come to nothing."""
        start_id = environment.start_id or ""
        if time.monotonic() < self._order_again_at.get(start_id, 0.0):
            return
        order_start(self._spawners[environment.cluster_id], self._specs.build(environment))
        self._order_again_at[start_id] = time.monotonic() + ORDER_AGAIN

    def _forget(self, environment: Environment) -> None:
        """Drop what is kept of a run that is over; if a crash or a silence comes first, it is found as a stray."""
        if environment.start_id:
            seen = self.observed[environment.cluster_id]
            seen.recheck(environment.start_id)
            order_forget(self._spawners[environment.cluster_id], environment.start_id)
            seen.drop(environment.start_id)
