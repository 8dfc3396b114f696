"""What the API answers about clusters. Times are UTC, sizes are bytes, CPU is cores."""

from datetime import datetime

from pydantic import Field

from hub.api.shapes import Shape


class Amount(Shape):
    """What there is, what is asked for by all that runs there, and what is in use; None where it may not be seen."""

    capacity: float = Field(examples=[64])
    requested: float | None = Field(examples=[12.5])
    used: float | None = Field(examples=[3.2])


class Cluster(Shape):
    """A place with nodes; `launches` where this Podium launches environments. Numbers are None while nothing was heard."""

    id: str = Field(examples=["local"])
    name: str = Field(examples=["This machine"])
    launches: bool
    at: datetime | None
    silent: str = Field(examples=[""])
    links: dict[str, str] = Field(examples=[{"Grafana": "https://grafana.example.org"}])
    nodes: int | None = Field(examples=[12])
    cpu: Amount | None
    memory: Amount | None
    unseen: list[str] = Field(description="What Podium may not see there.", examples=[[]])


class Device(Shape):
    """Devices of one model. `resource` is what a preset asks for them by; `memory` is that of each."""

    cluster_id: str = Field(examples=["local"])
    resource: str = Field(examples=["nvidia.com/gpu"])
    model: str = Field(examples=["NVIDIA-H100-80GB-HBM3"])
    count: int = Field(examples=[8])
    requested: int | None = Field(examples=[3])
    free: int | None = Field(description="What could be asked for now.", examples=[5])
    memory: int | None = Field(examples=[80 * 2**30])


class Node(Shape):
    """`trouble`: the pressures and failures that the node itself reports, by Kubernetes' names for them."""

    name: str = Field(examples=["worker-1"])
    ready: bool
    cordoned: bool
    trouble: list[str] = Field(examples=[["DiskPressure"]])
    cpu: Amount
    memory: Amount
