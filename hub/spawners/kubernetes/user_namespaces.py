"""Whether pods get accounts that mean nothing on their node: where every node that one may come to can give them.

A node says so of each of its runtimes (`status.runtimeHandlers`, Kubernetes 1.30 and newer). A pod that demands them on a node
that has none never starts, so a single node without them among those that a pod may come to decides.
"""

import logging
import threading
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Self

from hub.spawners.kubernetes.api import Api
from hub.spawners.kubernetes.calls import FORBIDDEN, Object, Refusal
from hub.spawners.kubernetes.place import Place
from hub.spawners.placement import Placement

log = logging.getLogger(__name__)

_KEPT = 600.0
"""Seconds for which what nodes said is believed."""
_DEFAULT = ""
"""The name of the runtime that a pod gets which names none."""


@dataclass(frozen=True)
class NodeRuntimes:
    """What one node says. `every`: whether each of its runtimes can do it."""

    labels: Mapping[str, str]
    default: bool
    every: bool

    @classmethod
    def of(cls, node: Object) -> Self:
        handlers = {one["name"]: _can(one) for one in node["status"].get("runtimeHandlers") or []}
        every = bool(handlers) and all(handlers.values())
        return cls(node["metadata"].get("labels", {}), handlers.get(_DEFAULT, False), every)

    def takes(self, selector: Mapping[str, str]) -> bool:
        return selector.items() <= self.labels.items()


class UserNamespaces:
    """Safe to share between threads. Where `place` leaves it open the nodes are asked, at most every ten minutes."""

    def __init__(self, api: Api, place: Place) -> None:
        self._api, self._place = api, place
        self._lock = threading.Lock()
        self._nodes: list[NodeRuntimes] = []
        self._asked_at = float("-inf")

    def place_for(self, placement: Placement) -> Place:
        """The place as it is for such a pod. Raises `ClusterSilent`."""
        if self._place.user_namespaces is not None:
            return self._place
        return replace(self._place, user_namespaces=all_have(self._known(), placement))

    def _known(self) -> list[NodeRuntimes]:
        with self._lock:
            if time.monotonic() - self._asked_at > _KEPT:
                self._nodes, self._asked_at = self._ask(), time.monotonic()
            return self._nodes

    def _ask(self) -> list[NodeRuntimes]:
        try:
            return [NodeRuntimes.of(node) for node in self._api.nodes()]
        except Refusal as refusal:
            if refusal.code != FORBIDDEN:
                raise
            log.info("pods share their node's accounts: Podium may not list nodes (`clusterRole`), or set USER_NAMESPACES=true")
            return []


def all_have(nodes: Iterable[NodeRuntimes], placement: Placement) -> bool:
    """A pod with a runtime class may get any runtime of its node."""
    possible = [node for node in nodes if node.takes(placement.node_selector)]
    return bool(possible) and all(node.every if placement.runtime_class else node.default for node in possible)


def _can(handler: Mapping[str, Any]) -> bool:
    return bool((handler.get("features") or {}).get("userNamespaces"))
