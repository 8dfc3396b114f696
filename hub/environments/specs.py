"""Builds the frozen spec of a start from its rows."""

from collections.abc import Mapping
from typing import Protocol

from sqlmodel import select

from hub.database import Database
from hub.environments.model import Environment
from hub.identity.model import User
from hub.settings import Settings
from hub.spawners.base import StartSpec
from hub.spawners.placement import Placement


class TrustedKeys(Protocol):
    """What a spec needs of `hub.routing.keys`."""

    def public_set(self) -> tuple[Mapping[str, str], ...]: ...


class SpecBuilder:
    """`variables` of an environment name its owner and the hub; no secret is among them."""

    def __init__(self, database: Database, settings: Settings, keys: TrustedKeys) -> None:
        self._database, self._settings, self._keys = database, settings, keys

    def build(self, environment: Environment) -> StartSpec:
        """The spec of the environment's present run."""
        with self._database.reading() as session:
            email = session.exec(select(User.email).where(User.id == environment.owner_id)).one()
        return StartSpec(
            start_id=environment.start_id or "",
            environment_id=environment.id,
            workspace_id=environment.workspace_id,
            image=environment.image,
            cpu=environment.cpu_limit,
            memory=environment.memory_limit,
            processes=self._settings.max_processes,
            cpu_request=environment.cpu_request,
            memory_request=environment.memory_request,
            storage=environment.storage,
            placement=Placement.model_validate(environment.placement),
            base_url=f"/user/{environment.slug}" if self._settings.routing == "path" else "",
            keys=tuple(self._keys.public_set()),
            variables={
                "USER_ID": environment.owner_id,
                "USER_EMAIL": email or "",
                "ENV_ID": environment.id,
                "ENV_NAME": environment.name,
                "HUB_URL": self._settings.root_url,
            },
        )
