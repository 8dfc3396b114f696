"""Namespaces that a test makes, and deletes with all that is in them."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

from kubernetes import client

from hub.clock import new_id
from hub.spawners.kubernetes.calls import connect
from tests.spawners.far_side import until

_RESTRICTED = {"pod-security.kubernetes.io/enforce": "restricted"}


@contextmanager
def own_namespace(*, restricted: bool = True, gone_within: float = 0) -> Iterator[str]:
    """In which the API server itself refuses every pod that is not "restricted", unless that is not wanted.

    Its deletion is waited for, so many seconds, where somebody needs a cluster at rest.
    """
    core = client.CoreV1Api(connect(os.environ["KUBECONFIG"]))
    name = f"podium-test-{new_id()[:12]}"
    core.create_namespace(client.V1Namespace(metadata=client.V1ObjectMeta(name=name, labels=_RESTRICTED if restricted else {})))
    try:
        yield name
    finally:
        core.delete_namespace(name)
        if gone_within:
            until(lambda: not core.list_namespace(field_selector=f"metadata.name={name}").items, gone_within)
