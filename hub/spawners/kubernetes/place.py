"""Where in a cluster environments run."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Place:
    """`storage_class` None takes the cluster's default. `reader_image` is the hub's own image, with which volumes are read."""

    namespace: str
    reader_image: str
    storage_class: str | None = None
