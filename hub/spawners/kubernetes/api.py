"""Calls of one cluster's API server in one namespace, of which the spawner is made."""

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from kubernetes import client
from urllib3.response import BaseHTTPResponse

from hub.spawners.kubernetes.calls import (
    ABSENT,
    ANOTHER,
    ANSWER,
    CONNECT,
    Object,
    Refusal,
    call,
    checked,
    fine_if,
    pages,
    parsed,
    translated,
)

MANAGER = "podium"
"""The field manager of all that the hub applies."""
_PART = 1 << 16
"""Bytes."""
WATCH = 40
"""Seconds after which the server ends a watch by itself; a connection that is silent for longer has died."""


class Api:
    """Safe to share between threads."""

    def __init__(self, connection: client.ApiClient, namespace: str) -> None:
        self.namespace = namespace
        self._core = client.CoreV1Api(connection)
        self._custom = client.CustomObjectsApi(connection)

    def create_pod(self, pod: client.V1Pod) -> Object:
        return parsed(call(self._core.create_namespaced_pod, self.namespace, pod, field_manager=MANAGER))

    def pod(self, name: str) -> Object | None:
        """None where there is none of that name."""
        with fine_if(ABSENT):
            return parsed(call(self._core.read_namespaced_pod, name, self.namespace))
        return None

    def patch_pod(self, name: str, uid: str, patch: Mapping[str, Any]) -> None:
        """This very pod; another one of the same name stays as it is. Nothing happens where it is gone."""
        body = {**patch, "metadata": {**patch.get("metadata", {}), "uid": uid}}
        with fine_if(ABSENT, ANOTHER):
            call(self._core.patch_namespaced_pod, name, self.namespace, body, _content_type="application/merge-patch+json")

    def delete_pod(self, name: str, uid: str) -> None:
        """This very pod; another one of the same name stays. Nothing happens where it is gone."""
        options = client.V1DeleteOptions(preconditions=client.V1Preconditions(uid=uid))
        with fine_if(ABSENT, ANOTHER):
            call(self._core.delete_namespaced_pod, name, self.namespace, body=options)

    def delete_pods(self, selector: str) -> None:
        call(self._core.delete_collection_namespaced_pod, self.namespace, label_selector=selector)

    def apply_secret(self, name: str, secret: client.V1Secret) -> None:
        call(self._core.patch_namespaced_secret, name, self.namespace, secret, **_APPLY)

    def delete_secret(self, name: str) -> None:
        with fine_if(ABSENT):
            call(self._core.delete_namespaced_secret, name, self.namespace)

    def apply_claim(self, name: str, claim: client.V1PersistentVolumeClaim) -> None:
        call(self._core.patch_namespaced_persistent_volume_claim, name, self.namespace, claim, **_APPLY)

    def claim(self, name: str) -> Object | None:
        """None where there is none of that name."""
        with fine_if(ABSENT):
            return parsed(call(self._core.read_namespaced_persistent_volume_claim, name, self.namespace))
        return None

    def delete_claim(self, name: str) -> None:
        with fine_if(ABSENT):
            call(self._core.delete_namespaced_persistent_volume_claim, name, self.namespace)

    def nodes(self) -> Iterator[Object]:
        """All nodes of the cluster, of which no more than one page is held."""
        for page in pages(self._core.list_node):
            yield from page["items"]

    def log(self, pod: str, lines: int) -> str:
        """The last lines of a pod's output; empty where there is none."""
        with fine_if(ABSENT):
            answer = call(self._core.read_namespaced_pod_log, pod, self.namespace, tail_lines=lines, limit_bytes=1 << 20)
            return answer.data.decode(errors="replace")
        return ""

    def pod_usage(self, selector: str) -> list[Object]:
        """What the metrics server last measured. Empty where the cluster has none."""
        ask = self._custom.list_namespaced_custom_object
        with fine_if(ABSENT):
            answer = call(ask, "metrics.k8s.io", "v1beta1", self.namespace, "pods", label_selector=selector)
            return list(parsed(answer)["items"])
        return []

    def list(self, kind: str, selector: str) -> tuple[list[Object], str]:
        """All objects of a kind, asked for in pages, and the version from which a watch goes on."""
        found: list[Object] = []
        version = ""
        for page in pages(self._lists[kind], self.namespace, label_selector=selector):
            found += page["items"]
            version = page["metadata"]["resourceVersion"]
        return found, version

    def watch(self, kind: str, selector: str, version: str, opened: Callable[[], None]) -> Iterator[Object]:
        """Events after `version`, bookmarks among them, until the server ends the watch. Raises `Refusal` 410 when too old.

        `opened` is called when the server has begun to answer: the first event may be a long time coming.
        """
        with translated():
            answer = self._lists[kind](
                self.namespace,
                label_selector=selector,
                resource_version=version,
                watch=True,
                allow_watch_bookmarks=True,
                timeout_seconds=WATCH,
                _preload_content=False,
                _request_timeout=(CONNECT, WATCH + ANSWER),
            )
            try:
                checked(answer)
                opened()
                yield from map(_told, _lines(answer))
            finally:
                answer.close()
                answer.release_conn()

    @property
    def _lists(self) -> dict[str, Callable[..., Any]]:
        return {
            "pods": self._core.list_namespaced_pod,
            "events": self._core.list_namespaced_event,
            "persistentvolumeclaims": self._core.list_namespaced_persistent_volume_claim,
        }


_APPLY: dict[str, Any] = {"field_manager": MANAGER, "force": True, "_content_type": "application/apply-patch+yaml"}


def _lines(answer: BaseHTTPResponse) -> Iterator[bytes]:
    """As they come, whether the server, or a proxy before it, sends in chunks or until it closes."""
    unread = b""
    while part := answer.read1(_PART, decode_content=False):
        *lines, unread = (unread + part).split(b"\n")
        yield from (line for line in lines if line.strip())


def _told(line: bytes) -> Object:
    event: Object = json.loads(line)
    if event["type"] == "ERROR":
        said = event["object"]
        raise Refusal(int(said.get("code", 0)), said.get("reason", ""), said.get("message", ""))
    return event
