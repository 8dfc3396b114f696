"""Parts of the cluster are away. Run alone: nothing else works meanwhile."""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from hub.errors import ClusterSilent
from hub.spawners.base import State
from tests.cluster.tools import kubectl, run
from tests.spawners.far_side import in_state, observed, ready, until
from tests.spawners.kubernetes_side import KubernetesFarSide
from tests.support.ci import absent

AWAY, SETTLES = 60, 300
"""Seconds: how long the API server is away, and after that a scheduler may take to look at it again, by its own back-off."""


@contextmanager
def without(program: str) -> Iterator[None]:
    """A part of the cluster is away."""
    if "CLUSTER" not in os.environ:
        absent("Only a command in CLUSTER can take a part of a cluster away")
    run("stop", program)
    try:
        yield
    finally:
        run("start", program)


def is_silent(far: KubernetesFarSide) -> bool:
    try:
        far.spawner.observe()
    except ClusterSilent:
        return True
    return False


def hindrance_of(far: KubernetesFarSide, start_id: str) -> str:
    seen = observed(far, start_id)
    return seen.hindrance if seen else ""


@pytest.mark.case("R6")
def test_while_the_api_server_is_away_environments_go_on_and_nothing_is_known_to_have_ended(far: KubernetesFarSide) -> None:
    spec, late = far.spec(), far.spec()
    seen = ready(far, spec)
    with far.watching() as watch:
        with without("kube-apiserver"):
            since = time.monotonic()
            until(lambda: not watch.thread.is_alive())
            far.spawner.start(late)
            with pytest.raises(ClusterSilent):
                far.spawner.stop(spec.start_id)
            until(lambda: time.monotonic() - since > AWAY, 2 * AWAY)
            assert far.run_at(seen, "result = 'still here'") == "still here"
        until(lambda: not is_silent(far), 120)
    assert in_state(far, spec.start_id, State.READY)
    far.spawner.start(late)
    until(lambda: in_state(far, late.start_id, State.READY), SETTLES)


@pytest.mark.case("R4")
def test_while_its_kubelet_is_away_an_environment_goes_on_and_what_was_asked_for_comes_about_afterwards(
    far: KubernetesFarSide,
) -> None:
    spec, late = far.spec(), far.spec()
    seen = ready(far, spec)
    kubectl("-n", far.namespace, "wait", "--for=condition=Ready", f"pod/environment-{spec.workspace_id}", "--timeout=60s")
    with without("kubelet"):
        far.spawner.start(late)
        until(lambda: hindrance_of(far, spec.start_id).startswith("Its machine"), 180)
        far.spawner.stop(spec.start_id)
        assert far.run_at(seen, "result = 'still here'") == "still here"
    until(lambda: in_state(far, spec.start_id, State.ENDED), 120)
    until(lambda: in_state(far, late.start_id, State.READY), 120)
