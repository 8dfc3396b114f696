"""Where in a cluster environments run, and what all of them have in common there."""

from dataclasses import dataclass
from fnmatch import fnmatchcase


@dataclass(frozen=True)
class Place:
    """`storage_class` None takes the cluster's default. `reader_image` is the hub's own image, with which volumes are read.

    `allowed_images` are patterns in which `*` stands for anything. `pull_secrets` are names in the
    namespace. With `user_namespaces` no account in a pod is one of the node's; None leaves it to the nodes.
    """

    namespace: str
    reader_image: str
    storage_class: str | None = None
    allowed_images: tuple[str, ...] = ("*",)
    pull_secrets: tuple[str, ...] = ()
    user_namespaces: bool | None = False

    def allows(self, image: str) -> bool:
        return any(fnmatchcase(image, pattern) for pattern in self.allowed_images)
