"""Calls of one cluster's API server in one namespace: each with a deadline, foreign errors translated here and nowhere else.

No answer, a broken one, or one that only says "later" (429, 5xx) is `ClusterSilent`: the caller keeps
what it knows. An answer that says no is `Refusal`, with the server's status and reason; to whoever
expects none it is a kind of silence, so that it is tried again and ends no thread.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from ssl import VerifyFlags
from typing import Any

from kubernetes import client, config
from kubernetes.client.exceptions import ApiException
from kubernetes.config.config_exception import ConfigException
from urllib3.exceptions import HTTPError
from urllib3.response import BaseHTTPResponse
from urllib3.util.ssl_ import create_urllib3_context

from hub.errors import CannotStart, ClusterSilent

Object = dict[str, Any]

MANAGER = "podium"
"""The field manager of all that the hub applies."""
_CONNECT, _ANSWER = 3.0, 10.0
"""Seconds."""
WATCH = 40
"""Seconds after which the server ends a watch by itself; a connection that is silent for longer has died."""
_PAGE = 500
_ABSENT, _ANOTHER, _LATER = 404, 409, 429


class Refusal(ClusterSilent):
    """The API server answered, and said no. `code` is HTTP's; `reason` is its word for it, such as `AlreadyExists`."""

    def __init__(self, code: int, reason: str, message: str) -> None:
        super().__init__(f"The cluster refused this: {message[:300].rstrip('.')}. Tell an administrator.")
        self.code, self.reason, self.message = code, reason, message


def connect(kubeconfig: str | None) -> client.ApiClient:
    """With a kubeconfig file, or as the service account of the pod that this process runs in. Raises `CannotStart`."""
    configuration = client.Configuration()
    try:
        if kubeconfig:
            config.load_kube_config(kubeconfig, client_configuration=configuration)  # type: ignore[no-untyped-call]
        else:
            config.load_incluster_config(client_configuration=configuration)  # type: ignore[no-untyped-call]
    except ConfigException as error:
        raise CannotStart(f"The cluster's credentials cannot be read: {error}. Set KUBECONFIG, or run in a pod.") from error
    configuration.retries = False
    configuration.connection_pool_maxsize = 32
    connection = client.ApiClient(configuration)
    # Python 3.13 asks more of a CA (RFC 5280) than many clusters' own has. Chain and name are checked all the same.
    context = create_urllib3_context(verify_flags=VerifyFlags.VERIFY_DEFAULT)
    connection.rest_client.pool_manager.connection_pool_kw["ssl_context"] = context
    return connection


class Api:
    """Safe to share between threads."""

    def __init__(self, connection: client.ApiClient, namespace: str) -> None:
        self.namespace = namespace
        self._core = client.CoreV1Api(connection)
        self._custom = client.CustomObjectsApi(connection)

    def create_pod(self, pod: client.V1Pod) -> Object:
        return _parsed(self._call(self._core.create_namespaced_pod, self.namespace, pod, field_manager=MANAGER))

    def pod(self, name: str) -> Object | None:
        """None where there is none of that name."""
        with fine_if(_ABSENT):
            return _parsed(self._call(self._core.read_namespaced_pod, name, self.namespace))
        return None

    def patch_pod(self, name: str, uid: str, patch: Mapping[str, Any]) -> None:
        """This very pod; another one of the same name stays as it is. Nothing happens where it is gone."""
        body = {**patch, "metadata": {**patch.get("metadata", {}), "uid": uid}}
        with fine_if(_ABSENT, _ANOTHER):
            self._call(
                self._core.patch_namespaced_pod, name, self.namespace, body, _content_type="application/merge-patch+json"
            )

    def delete_pod(self, name: str, uid: str) -> None:
        """This very pod; another one of the same name stays. Nothing happens where it is gone."""
        options = client.V1DeleteOptions(preconditions=client.V1Preconditions(uid=uid))
        with fine_if(_ABSENT, _ANOTHER):
            self._call(self._core.delete_namespaced_pod, name, self.namespace, body=options)

    def delete_pods(self, selector: str) -> None:
        self._call(self._core.delete_collection_namespaced_pod, self.namespace, label_selector=selector)

    def apply_secret(self, name: str, secret: client.V1Secret) -> None:
        self._call(self._core.patch_namespaced_secret, name, self.namespace, secret, **_APPLY)

    def delete_secret(self, name: str) -> None:
        with fine_if(_ABSENT):
            self._call(self._core.delete_namespaced_secret, name, self.namespace)

    def apply_claim(self, name: str, claim: client.V1PersistentVolumeClaim) -> None:
        self._call(self._core.patch_namespaced_persistent_volume_claim, name, self.namespace, claim, **_APPLY)

    def claim(self, name: str) -> Object | None:
        """None where there is none of that name."""
        with fine_if(_ABSENT):
            return _parsed(self._call(self._core.read_namespaced_persistent_volume_claim, name, self.namespace))
        return None

    def delete_claim(self, name: str) -> None:
        with fine_if(_ABSENT):
            self._call(self._core.delete_namespaced_persistent_volume_claim, name, self.namespace)

    def log(self, pod: str, lines: int) -> str:
        """The last lines of a pod's output; empty where there is none."""
        with fine_if(_ABSENT):
            answer = self._call(self._core.read_namespaced_pod_log, pod, self.namespace, tail_lines=lines, limit_bytes=1 << 20)
            return answer.data.decode(errors="replace")
        return ""

    def pod_usage(self, selector: str) -> list[Object]:
        """What the metrics server last measured. Empty where the cluster has none."""
        ask = self._custom.list_namespaced_custom_object
        with fine_if(_ABSENT):
            answer = self._call(ask, "metrics.k8s.io", "v1beta1", self.namespace, "pods", label_selector=selector)
            return list(_parsed(answer)["items"])
        return []

    def list(self, kind: str, selector: str) -> tuple[list[Object], str]:
        """All objects of a kind, asked for in pages, and the version from which a watch goes on."""
        found: list[Object] = []
        following: dict[str, str] = {}
        while True:
            answer = self._call(self._lists[kind], self.namespace, label_selector=selector, limit=_PAGE, **following)
            page = _parsed(answer)
            found += page["items"]
            if not page["metadata"].get("continue"):
                return found, page["metadata"]["resourceVersion"]
            following = {"_continue": page["metadata"]["continue"]}

    def watch(self, kind: str, selector: str, version: str) -> Iterator[Object]:
        """Events after `version`, bookmarks among them, until the server ends the watch. Raises `Refusal` 410 when too old."""
        with translated():
            answer = self._lists[kind](
                self.namespace,
                label_selector=selector,
                resource_version=version,
                watch=True,
                allow_watch_bookmarks=True,
                timeout_seconds=WATCH,
                _preload_content=False,
                _request_timeout=(_CONNECT, WATCH + _ANSWER),
            )
            try:
                yield from map(_told, _lines(_checked(answer)))
            finally:
                answer.close()
                answer.release_conn()

    @property
    def _lists(self) -> dict[str, Callable[..., Any]]:
        return {
            "pods": self._core.list_namespaced_pod,
            "events": self._core.list_namespaced_event,
        }

    @staticmethod
    def _call(call: Callable[..., Any], *arguments: Any, **options: Any) -> BaseHTTPResponse:
        with translated():
            answer: BaseHTTPResponse = call(*arguments, **options, _preload_content=False, _request_timeout=(_CONNECT, _ANSWER))
            try:
                answer.read(cache_content=True)
            finally:
                answer.release_conn()
            return _checked(answer)


_APPLY: dict[str, Any] = {"field_manager": MANAGER, "force": True, "_content_type": "application/apply-patch+yaml"}


@contextmanager
def translated() -> Iterator[None]:
    """The one place where errors of the client become Podium's."""
    try:
        yield
    except ApiException as error:
        raise _verdict(int(error.status or 0), error.body or "") from error
    except (HTTPError, OSError, ValueError) as error:
        raise ClusterSilent from error


def _checked(answer: BaseHTTPResponse) -> BaseHTTPResponse:
    """An answer that is not parsed by the client is not judged by it either."""
    if not 200 <= answer.status < 300:
        raise _verdict(answer.status, answer.read(cache_content=True))
    return answer


def _verdict(status: int, body: bytes | str) -> Refusal | ClusterSilent:
    if status >= 500 or status in {0, _LATER}:
        return ClusterSilent()
    try:
        said = json.loads(body)
    except ValueError:
        said = {}
    return Refusal(status, said.get("reason", ""), said.get("message", "") or f"status {status}")


@contextmanager
def fine_if(*codes: int) -> Iterator[None]:
    """A refusal with one of these changes nothing."""
    try:
        yield
    except Refusal as refusal:
        if refusal.code not in codes:
            raise


def _lines(answer: BaseHTTPResponse) -> Iterator[bytes]:
    unread = b""
    for part in answer.stream(amt=None, decode_content=False):
        *lines, unread = (unread + part).split(b"\n")
        yield from (line for line in lines if line.strip())


def _told(line: bytes) -> Object:
    event: Object = json.loads(line)
    if event["type"] == "ERROR":
        said = event["object"]
        raise Refusal(int(said.get("code", 0)), said.get("reason", ""), said.get("message", ""))
    return event


def _parsed(answer: BaseHTTPResponse) -> Object:
    parsed: Object = json.loads(answer.data)
    return parsed
