"""How a cluster's API server is called: deadlines, and foreign errors translated here and nowhere else.

No answer, a broken one, or one that only says "later" (429, 5xx) is `ClusterSilent`: the caller keeps
what it knows. An answer that says no is `Refusal`, with the server's status and reason; to whoever
expects none it is a kind of silence, so that it is tried again and ends no thread.
"""

import json
from collections.abc import Callable, Iterator
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

CONNECT, ANSWER = 3.0, 10.0
"""Seconds."""
PAGE = 500
"""Objects that one answer lists."""
ABSENT, FORBIDDEN, ANOTHER = 404, 403, 409
_LATER = 429


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
    _share_context(connection.rest_client.pool_manager.connection_pool_kw)
    return connection


def _share_context(options: dict[str, Any]) -> None:
    """One TLS context for all connections, complete before the first: OpenSSL does not bear that one thread loads
    certificates into a context with which another is shaking hands, which urllib3 does for each connection.

    Python 3.13 asks more of a CA (RFC 5280) than many clusters' own has. Chain and name are checked all the same.
    """
    context = create_urllib3_context(verify_flags=VerifyFlags.VERIFY_DEFAULT)
    authorities = {"cafile": options.pop("ca_certs", None), "cadata": options.pop("ca_cert_data", None)}
    if any(authorities.values()):
        context.load_verify_locations(**authorities)
    else:
        context.load_default_certs()
    certificate, key = options.pop("cert_file", None), options.pop("key_file", None)
    if certificate:
        context.load_cert_chain(certificate, key)
    options["ssl_context"] = context


def call(ask: Callable[..., Any], *arguments: Any, **options: Any) -> BaseHTTPResponse:
    """The whole answer of one call of the client's. Raises `Refusal` or `ClusterSilent`."""
    with translated():
        answer: BaseHTTPResponse = ask(*arguments, **options, _preload_content=False, _request_timeout=(CONNECT, ANSWER))
        try:
            answer.read(cache_content=True)
        finally:
            answer.release_conn()
        return checked(answer)


def pages(ask: Callable[..., Any], *arguments: Any, **options: Any) -> Iterator[Object]:
    """The pages of a list, each with its `items`."""
    following: dict[str, str] = {}
    while True:
        page = parsed(call(ask, *arguments, limit=PAGE, **options, **following))
        yield page
        if not page["metadata"].get("continue"):
            return
        following = {"_continue": page["metadata"]["continue"]}


@contextmanager
def translated() -> Iterator[None]:
    """The one place where errors of the client become Podium's."""
    try:
        yield
    except ApiException as error:
        raise _verdict(int(error.status or 0), error.body or "") from error
    except (HTTPError, OSError, ValueError) as error:
        raise ClusterSilent from error


def checked(answer: BaseHTTPResponse) -> BaseHTTPResponse:
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


def parsed(answer: BaseHTTPResponse) -> Object:
    with translated():
        parsed: Object = json.loads(answer.data)
    return parsed
