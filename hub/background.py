"""What goes on beside the requests: the controller, and the small loops under its lease.

Each is a thread with the same shape: a round, a pause, and a log line instead of an end when the
database or the cluster is silent.
"""

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from hub import retention
from hub.errors import Silent
from hub.identity import passwords
from hub.routing import control, revocation
from hub.services import Services

log = logging.getLogger(__name__)


@contextmanager
def background(services: Services) -> Iterator[None]:
    """Run it all while the block runs; environments are not touched when it ends."""
    stopped, ended_sessions, ending = threading.Event(), threading.Event(), threading.Event()
    controller = services.controller

    def leading(act: Callable[..., object], *arguments: object) -> Callable[[], None]:
        """The act, where this process holds the lease."""

        def led() -> None:
            if controller.leads:
                act(*arguments)

        return led

    def hear(_session_ids: object) -> None:
        ended_sessions.set()

    threads = [
        threading.Thread(target=controller.run, name="controller"),
        _loop("keeper", leading(services.keeper.round), 2.0, stopped, services.keeper.news),
        _loop("revocations", leading(control.run_once, services.database, services.keys), 1.0, stopped, ended_sessions),
        _loop("retention", leading(retention.sweep, services.database), retention.EVERY, stopped, ending),
        threading.Thread(target=passwords.warm, name="passwords"),
    ]
    revocation.listeners.append(hear)
    for thread in threads:
        thread.daemon = True
        thread.start()
    try:
        yield
    finally:
        revocation.listeners.remove(hear)
        for waited_for in (stopped, ended_sessions, ending, services.keeper.news):
            waited_for.set()
        controller.stop()
        for thread in threads:
            thread.join(3)


def _loop(
    name: str, act: Callable[[], None], pause: float, stopped: threading.Event, at_once: threading.Event
) -> threading.Thread:
    def run() -> None:
        while not stopped.is_set():
            at_once.clear()
            try:
                act()
            except Silent as error:
                log.warning("%s: %s", name, error.sentence)
            except Exception:
                log.exception("%s: a round was cut short", name)
            if not stopped.is_set():
                at_once.wait(pause)

    return threading.Thread(target=run, name=name)
