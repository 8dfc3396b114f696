"""Where in a cluster a start may run, and what it takes there beside CPU and memory."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

_NAME = r"^[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?$"
_KEY = r"^([a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?/)?[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?$"
_OBJECT = r"^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$"
_RESOURCE = r"^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?/[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?$"

_Key = Annotated[str, Field(pattern=_KEY)]
_Value = Annotated[str, Field(pattern=f"^$|{_NAME}")]


class Toleration(BaseModel):
    """As in a pod's spec; without `key`, and with `Exists`, it tolerates every taint."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    key: _Key | None = None
    operator: Literal["Exists", "Equal"] = "Equal"
    value: _Value = ""
    effect: Literal["NoSchedule", "PreferNoSchedule", "NoExecute"] | None = None

    @model_validator(mode="after")
    def _as_kubernetes_takes_it(self) -> Self:
        if self.key is None and self.operator != "Exists":
            raise ValueError('a toleration without a key needs operator = "Exists"')
        if self.operator == "Exists" and self.value:
            raise ValueError('a toleration with operator = "Exists" has no value')
        return self


class Placement(BaseModel):
    """Part of a preset; the default asks for nothing.

    `resources` are extended resources in whole numbers (`nvidia.com/gpu`, `nvidia.com/mig-1g.10gb`).
    `claim_template` is a ResourceClaimTemplate in the environments' namespace, for devices that the
    cluster hands out by dynamic resource allocation. `runtime_class` chooses another container
    runtime, such as gVisor.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    resources: Mapping[Annotated[str, Field(pattern=_RESOURCE)], Annotated[int, Field(ge=1, le=1024)]] = Field(
        default_factory=dict, max_length=8
    )
    node_selector: Mapping[_Key, _Value] = Field(default_factory=dict, max_length=16)
    tolerations: tuple[Toleration, ...] = Field(default=(), max_length=16)
    priority_class: str | None = Field(default=None, pattern=_OBJECT)
    claim_template: str | None = Field(default=None, pattern=_OBJECT)
    runtime_class: str | None = Field(default=None, pattern=_OBJECT)

    def stored(self) -> dict[str, Any]:
        """What of it is not the default, as JSON has it."""
        return self.model_dump(mode="json", exclude_defaults=True)

    @property
    def summary(self) -> str:
        """`2 GPU`, `1 mig-1g.10gb`; empty where nothing is asked for."""
        return " · ".join(f"{count} {_device(name)}" for name, count in self.resources.items())


NOWHERE_SPECIAL = Placement()


def _device(resource: str) -> str:
    name = resource.rpartition("/")[2]
    return "GPU" if name == "gpu" else name
