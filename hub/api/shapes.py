"""What the API answers and takes, with an example of each field. Times are UTC, sizes are bytes, CPU is cores."""

from datetime import datetime
from typing import Annotated

from fastapi import Path
from pydantic import BaseModel, ConfigDict, Field

from hub.environments.model import Phase, Target
from hub.identity.roles import Role

Id = Annotated[str, Field(examples=["5f0c6b1f0a5d4c62a2d9d4c0b1e7a893"], max_length=64)]


RowId = Annotated[str, Path(pattern="^[0-9a-f]{32}$", description="As a list gives it.")]


class Shape(BaseModel):
    """Read from a service's row of the same names."""

    model_config = ConfigDict(from_attributes=True)


class Order(BaseModel):
    """What is taken: nothing but the named fields."""

    model_config = ConfigDict(extra="forbid")


class Me(Shape):
    """Who calls, and what this call may do."""

    id: Id
    name: str = Field(examples=["grace"])
    display_name: str = Field(examples=["Grace Hopper"])
    email: str | None = Field(examples=["grace@example.org"])
    role: Role
    scopes: list[str] = Field(examples=[["environments:read"]])


class Profile(Shape):
    """A preset that an environment can be launched with."""

    name: str = Field(examples=["Standard"])
    description: str
    cpu: float = Field(examples=[2])
    memory: int = Field(examples=[4 * 2**30])
    storage: int = Field(examples=[20 * 2**30])


class Environment(Shape):
    """`address` is where it opens; `queue_position` is set while it is queued, `reason` where it failed or was started anew.

    `hindrance` is what its run waits for, or suffers from, that may not pass by itself.
    """

    id: Id
    name: str = Field(examples=["My analysis"])
    address: str = Field(examples=["https://my-analysis-x7k2m9qa.environments.example.org/"])
    owner_id: Id
    owner: str = Field(examples=["Grace Hopper"])
    profile: str = Field(examples=["Standard"])
    cpu: float
    memory: int
    storage: int
    workspace_id: Id
    workspace: str
    target: Target
    phase: Phase
    since: datetime
    reason: str | None
    hindrance: str
    queue_position: int | None
    checkpoints: list[str] = Field(examples=[["workspace ready", "started", "ready"]])
    peak_memory: int | None


class Usage(Shape):
    """What a running environment uses. Memory is shared fairly among those that share it; None where nothing is known yet."""

    environment_id: Id
    environment: str = Field(examples=["My analysis"])
    owner: str = Field(examples=["Grace Hopper"])
    at: datetime | None
    memory: int | None = Field(examples=[700 * 2**20])
    memory_limit: int
    cpu_seconds: float | None = Field(description="Since it started.", examples=[42.5])
    cpu_limit: float
    processes: int | None


class CustomSize(Order):
    """The numbers of a custom environment."""

    cpu: float = Field(examples=[1.5], gt=0, le=10_000, allow_inf_nan=False)
    memory: int = Field(examples=[3 * 2**30], gt=0, le=2**50)


class Launch(Order):
    """A launch under a name: a new environment, or the own one of that name. Without `workspace_id` a new workspace is made."""

    name: str = Field(examples=["My analysis"], max_length=1000)
    profile: str = Field("", examples=["Standard"], max_length=200, description="Without one, the default of the catalog.")
    custom: CustomSize | None = Field(None, description="For the profile `Custom`.")
    workspace_id: Annotated[str, Field(pattern="^[0-9a-f]{32}$")] | None = None


class Log(Shape):
    """The last lines of the present or last run."""

    lines: list[str]


class Event(Shape):
    """Who did what to what, when and from where."""

    id: Id
    at: datetime
    actor: str = Field(examples=["Grace Hopper"])
    actor_id: str | None
    act: str = Field(examples=["environment launched"])
    subject_id: str
    address: str
    detail: dict[str, str]


class Workspace(Shape):
    """A folder of files that outlives environments.

    `size` is None while it is not measured yet; `capacity` is what its volume holds at most, None where there is no such end.
    """

    id: Id
    name: str = Field(examples=["My analysis"])
    size: int | None
    capacity: int | None
    size_at: datetime | None
    created_at: datetime
    last_used_at: datetime | None
    used_by: list[str] = Field(description="The environments that have it.")
    running: bool


class NewWorkspace(Order):
    """A new, empty workspace."""

    name: str = Field(examples=["Survey 2026"], max_length=1000)


class Session(Shape):
    """A browser that is logged in."""

    id: Id
    address: str
    user_agent: str
    created_at: datetime
    expires_at: datetime
    last_seen_at: datetime


class Token(Shape):
    """A token that counts. Its value is nowhere."""

    id: Id
    name: str = Field(examples=["nightly run"])
    scopes: list[str]
    created_at: datetime
    expires_at: datetime
    last_used_at: datetime | None


class NewToken(Order):
    """A token with at most the scopes of whoever makes it."""

    name: str = Field(examples=["nightly run"], max_length=1000)
    scopes: list[str] = Field(examples=[["environments:read"]], max_length=50)
    days: int = Field(90, description="Until it ends.", examples=[90])


class MadeToken(Token):
    """The only answer that holds the token's value."""

    token: str = Field(examples=["podium_…"])


class User(Shape):
    """Somebody who may log in, or asks to."""

    id: Id
    name: str = Field(examples=["grace"])
    display_name: str = Field(examples=["Grace Hopper"])
    email: str | None
    role: Role
    state: str = Field(examples=["active"], description="active, pending or disabled")
    created_at: datetime
    last_login_at: datetime | None


class NewUser(Order):
    """A local account; a password link opens it."""

    name: str = Field(examples=["grace"], max_length=1000)
    display_name: str = Field("", examples=["Grace Hopper"], max_length=1000)
    role: Role = Role.USER


class RoleChange(Order):
    """The role that a person has from the next login on."""

    role: Role


class PasswordLink(Shape):
    """Works once, for 24 hours."""

    address: str = Field(examples=["https://podium.example.org/set-password?link=…"])
