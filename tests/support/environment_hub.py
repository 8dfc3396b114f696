"""A hub without its servers: a real database, the service, and a controller over a spawner in memory."""

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta

import pytest

from hub.clock import now
from hub.clusters.service import register
from hub.database import Database
from hub.environments.catalog import Catalog
from hub.environments.controller import Controller
from hub.environments.launching import LaunchOrder
from hub.environments.model import Environment
from hub.environments.service import Environments
from hub.environments.specs import SpecBuilder
from hub.environments.views import EnvironmentView
from hub.identity.model import User
from hub.identity.person import Person
from hub.identity.roles import Role
from hub.settings import Settings
from hub.spawners.base import Spawners
from hub.workspaces.service import Workspaces
from tests.support.memory_spawner import MemorySpawner


class OneKey:
    """Keys enough for a spec."""

    def current_kid(self) -> str:
        return "key-1"

    def public_set(self) -> tuple[dict[str, str], ...]:
        return ({"kid": "key-1"},)


@dataclass
class Hub:
    """What the tests of environments act on."""

    database: Database
    settings: Settings
    spawner: MemorySpawner
    environments: Environments
    workspaces: Workspaces
    controller: Controller
    threads: list[threading.Thread] = field(default_factory=list)

    def person(self, name: str, role: Role = Role.USER) -> Person:
        """A new user, logged in."""
        user = User(name=name, display_name=name.title(), role=role)
        with self.database.writing("test user") as session:
            session.add(user)
        return Person(user.id, name, user.display_name, None, role, "0" * 32, now() + timedelta(hours=8))

    def start_controller(self) -> None:
        thread = threading.Thread(target=self.controller.run)
        thread.start()
        self.threads.append(thread)

    def stop_controller(self) -> None:
        self.controller.stop()
        self.spawner.hang_up()
        for thread in self.threads:
            thread.join(10)
        self.threads.clear()

    def new_controller(self) -> None:
        """What a restarted hub has: nothing in memory."""
        self.stop_controller()
        keys = OneKey()
        specs = SpecBuilder(self.database, self.settings, keys)
        self.controller = Controller(self.database, {"local": self.spawner}, specs, keys)

    def launch(
        self, person: Person, name: str = "analysis", profile: str = "Light", workspace_id: str | None = None
    ) -> EnvironmentView:
        return self.environments.launch(person, LaunchOrder(name, profile, None, workspace_id))

    def is_deleted(self, view: EnvironmentView) -> bool:
        with self.database.reading() as session:
            return session.get_one(Environment, view.id).deleted_at is not None

    def until(
        self, person: Person, view: EnvironmentView, right: Callable[[EnvironmentView], bool], seconds: float = 10
    ) -> EnvironmentView:
        """The view once it is right; fails with the last one after the deadline."""
        deadline = now() + timedelta(seconds=seconds)
        waiting = threading.Event()
        while now() < deadline:
            seen = self.environments.get(person, view.id)
            if right(seen):
                return seen
            waiting.wait(0.01)
        pytest.fail(f"still {seen}")


@dataclass
class PresentController:
    """Tests put a new controller in the place of the old one."""

    present: Callable[[], Controller]

    def wake(self) -> None:
        self.present().wake()

    def hindrance(self, cluster_id: str, start_id: str | None) -> str:
        return self.present().hindrance(cluster_id, start_id)


@pytest.fixture
def hub(database: Database) -> Iterator[Hub]:
    settings = Settings(max_user_pods=3)
    register(database, "local", "local", "localhost", "a credential")
    spawner = MemorySpawner()
    spawners = Spawners({"local": spawner})
    keys = OneKey()

    controller = Controller(database, spawners, SpecBuilder(database, settings, keys), keys)
    environments = Environments(
        database, settings, Catalog(settings), spawners, "local", PresentController(lambda: made.controller)
    )
    made = Hub(database, settings, spawner, environments, Workspaces(database, spawners, "local", lambda: None), controller)
    yield made
    made.stop_controller()
