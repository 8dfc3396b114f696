"""The catalog: the presets that people choose from, and what a custom environment may ask for."""

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from hub.clusters.quantities import parse_bytes, show_bytes, show_limit
from hub.errors import CannotStart, Invalid
from hub.settings import Settings
from hub.spawners.placement import NOWHERE_SPECIAL, Placement

CUSTOM = "Custom"
"""The profile's name of an environment whose owner chose the numbers."""
LEAST_MEMORY = 300 * 10**6
"""Bytes; a round number above the 256 MiB that a start asks for."""

_Bytes = Annotated[int, BeforeValidator(lambda value: parse_bytes(str(value)))]


class Profile(BaseModel):
    """A preset. CPU in cores, memory and storage in bytes."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(min_length=1, max_length=60)
    description: str = ""
    cpu: float = Field(gt=0)
    memory: _Bytes = Field(gt=0)
    storage: _Bytes = 10 * 2**30
    cpu_request: float = 0.1
    memory_request: _Bytes = 256 * 2**20
    python: Path | None = None
    image: str | None = None
    placement: Placement = NOWHERE_SPECIAL
    default: bool = False

    @property
    def summary(self) -> str:
        """`2 CPU · 4.3 GB memory · 21 GB files`, and the devices where it has some."""
        devices = f" · {self.placement.summary}" if self.placement.resources else ""
        return f"{self.cpu:g} CPU · {show_bytes(self.memory)} memory · {show_bytes(self.storage)} files{devices}"


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid")
    profile: list[Profile] = Field(min_length=1)


@dataclass(frozen=True)
class Custom:
    """The numbers of a custom environment as a person gave them, not yet checked."""

    cpu: float
    memory: int


class Catalog:
    """The presets of `PROFILES_FILE`, read once at start. Raises `CannotStart` for a faulty file."""

    def __init__(self, settings: Settings) -> None:
        self.max_cpu = settings.max_cpu
        self.max_memory = parse_bytes(settings.max_memory)
        self._python = settings.environment_python
        self._image = settings.environment_image if settings.spawner == "kubernetes" else None
        self.profiles = _read(settings.profiles_file)
        if settings.spawner == "local":
            _check_local(self.profiles, settings.profiles_file)

    @property
    def default(self) -> Profile:
        return next((profile for profile in self.profiles if profile.default), self.profiles[0])

    @property
    def interpreters(self) -> tuple[Path, ...]:
        """Every interpreter that a profile may start, each once."""
        return tuple(dict.fromkeys([self._python, *(profile.python for profile in self.profiles if profile.python)]))

    @property
    def images(self) -> tuple[str, ...]:
        """Every image or interpreter that a preset or a custom environment runs, each once."""
        return tuple(dict.fromkeys([self.image(None), *(self.image(profile) for profile in self.profiles)]))

    def choose(self, name: str, custom: Custom | None = None) -> Profile:
        """The preset of that name, or the checked custom one. Raises `Invalid`."""
        if name == CUSTOM:
            return self._custom(custom)
        if preset := self.find(name):
            return preset
        raise Invalid(f"The preset “{name[:60]}” does not exist any more. Choose another one: {self._names()}.")

    def find(self, name: str) -> Profile | None:
        return next((profile for profile in self.profiles if profile.name == name), None)

    def image(self, preset: Profile | None) -> str:
        """What a start runs: an image in a cluster, an interpreter's path on one machine. None: that of custom environments."""
        if self._image:
            return (preset and preset.image) or self._image
        return str((preset and preset.python) or self._python)

    def _custom(self, custom: Custom | None) -> Profile:
        if custom is None:
            raise Invalid("A custom environment needs a number of CPU cores and an amount of memory.")
        if not 0.1 <= custom.cpu <= self.max_cpu:
            raise Invalid(f"{custom.cpu:g} CPU is not possible here. Choose between 0.1 and {self.max_cpu:g}.")
        if not LEAST_MEMORY <= custom.memory <= self.max_memory:
            raise Invalid(
                f"{show_bytes(custom.memory)} of memory is not possible here. "
                f"Choose between {show_bytes(LEAST_MEMORY)} and {show_limit(self.max_memory)}."
            )
        return Profile(name=CUSTOM, cpu=custom.cpu, memory=custom.memory)

    def _names(self) -> str:
        return ", ".join([*(profile.name for profile in self.profiles), CUSTOM])


def _check_local(profiles: tuple[Profile, ...], path: Path) -> None:
    for profile in profiles:
        if profile.placement.resources or profile.placement.claim_template:
            raise CannotStart(f"{path}: the preset “{profile.name}” asks for devices, which only SPAWNER=kubernetes hands out.")


def _read(path: Path) -> tuple[Profile, ...]:
    try:
        profiles = _File.model_validate(tomllib.loads(path.read_text("utf-8"))).profile
    except OSError as error:
        raise CannotStart(f"The catalog of presets cannot be read: {path}: {error.strerror}. Check PROFILES_FILE.") from error
    except (tomllib.TOMLDecodeError, ValidationError, ValueError) as error:
        raise CannotStart(f"The catalog of presets has a fault: {path}: {error}") from error
    names = [profile.name for profile in profiles]
    if len(set(names)) < len(names) or CUSTOM in names:
        raise CannotStart(f"The catalog of presets has a fault: {path}: a name stands twice, or is “{CUSTOM}”.")
    return tuple(profiles)
