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

    def keep() -> None:
        if controller.leads:
            services.keeper.round()

    def forget() -> None:
        if controller.leads:
            retention.sweep(services.database)

    def deliver() -> None:
        if controller.leads:
            control.run_once(services.database, services.keys)

    def hear(_session_ids: object) -> None:
        ended_sessions.set()

    threads = [
        threading.Thread(target=controller.run, name="controller"),
        _loop("keeper", keep, 2.0, stopped, services.keeper.news),
        _loop("revocations", deliver, 1.0, stopped, ended_sessions),
        _loop("retention", forget, retention.EVERY, stopped, ending),
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
        stopped.set()
        ended_sessions.set()
        ending.set()
        services.keeper.news.set()
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
            if not stopped.is_set():
                at_once.wait(pause)

    return threading.Thread(target=run, name=name)
