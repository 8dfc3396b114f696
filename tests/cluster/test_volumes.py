"""Volumes of workspaces on a real cluster: those that cannot be had, are taken away, or are read by a hub that dies."""

import os
from datetime import timedelta

import pytest

from hub.clock import new_id, now
from hub.spawners.base import Observation, State
from hub.spawners.kubernetes import reader_pod, volumes
from hub.spawners.kubernetes.place import Place
from hub.spawners.kubernetes.reading import is_over
from tests.cluster.tools import kubectl
from tests.spawners.far_side import ended, hindered, in_state, ready, until
from tests.spawners.kubernetes_side import HUB, KubernetesFarSide


def test_a_volume_that_waits_for_its_first_environment_is_not_made_where_somebody_measures_it(far: KubernetesFarSide) -> None:
    spec = far.spec(cpu=9999.0, cpu_request=9999.0)
    far.spawner.start(spec)
    until(lambda: hindered(far, spec.start_id))
    far.spawner.stop(spec.start_id)
    ended(far, spec.start_id)
    claim = ("-n", far.namespace, "get", "pvc", f"workspace-{spec.workspace_id}", "-o", "jsonpath={.status.phase}")
    assert kubectl(*claim) == "Pending"
    assert far.spawner.workspace_size(spec.workspace_id).used == 0
    assert next(far.spawner.workspace_archive(spec.workspace_id)) == reader_pod.EMPTY_ARCHIVE
    assert kubectl(*claim) == "Pending"


@pytest.mark.case("R13")
def test_a_volume_that_nobody_can_make_is_said_and_can_be_cancelled(far: KubernetesFarSide) -> None:
    spec = far.spec()
    with far.another(storage_class="no-such-class") as misled:
        misled.start(spec)
        waiting = until(lambda: hindered(far, spec.start_id, "no-such-class"))
    assert waiting.state is State.PENDING
    assert "Its volume cannot be made just now" in waiting.hindrance
    far.spawner.stop(spec.start_id)
    assert ended(far, spec.start_id).state is State.ENDED


@pytest.mark.case("R13")
def test_a_volume_that_somebody_deletes_is_said_and_the_start_can_be_cancelled(far: KubernetesFarSide) -> None:
    workspace_id = left_workspace(far)
    claim = ("-n", far.namespace, "patch", "pvc", f"workspace-{workspace_id}", "--type=merge", "-p")
    kubectl(*claim, '{"metadata": {"finalizers": ["podium.test/held"]}}')
    kubectl("-n", far.namespace, "delete", "pvc", f"workspace-{workspace_id}", "--wait=false")
    says_of_its_volume_and_can_be_cancelled(far, workspace_id, "is being deleted")
    kubectl(*claim, '{"metadata": {"finalizers": null}}')


@pytest.mark.case("R13")
def test_a_volume_that_is_lost_is_said_and_the_start_can_be_cancelled(far: KubernetesFarSide) -> None:
    workspace_id = left_workspace(far)
    claim = ("-n", far.namespace, "get", "pvc", f"workspace-{workspace_id}", "-o")
    volume = kubectl(*claim, "jsonpath={.spec.volumeName}")
    kubectl("delete", "pv", volume, "--wait=false")
    kubectl("patch", "pv", volume, "--type=merge", "-p", '{"metadata": {"finalizers": null}}')
    until(lambda: kubectl(*claim, "jsonpath={.status.phase}") == "Lost")
    says_of_its_volume_and_can_be_cancelled(far, workspace_id, "is lost")


def left_workspace(far: KubernetesFarSide) -> str:
    """A workspace with a volume and no environment."""
    spec = far.spec()
    ready(far, spec)
    far.spawner.stop(spec.start_id)
    ended(far, spec.start_id)
    far.spawner.forget(spec.start_id)
    until(lambda: far.api.pod(f"environment-{spec.workspace_id}") is None)
    return spec.workspace_id


def says_of_its_volume_and_can_be_cancelled(far: KubernetesFarSide, workspace_id: str, words: str) -> None:
    spec = far.spec(workspace_id=workspace_id)
    far.spawner.start(spec)
    assert f"Its volume {words}" in until(lambda: hindered(far, spec.start_id, words)).hindrance
    far.spawner.stop(spec.start_id)
    assert ended(far, spec.start_id).state is State.ENDED


@pytest.mark.case("R2")
def test_what_a_hub_left_behind_that_died_while_it_measured_holds_no_workspace_back(far: KubernetesFarSide) -> None:
    spec = far.spec()
    ready(far, spec)
    far.spawner.stop(spec.start_id)
    until(lambda: in_state(far, spec.start_id, State.ENDED))
    left = left_behind(far, spec.workspace_id)
    far.spawner.delete_workspace(spec.workspace_id)
    assert left not in pods(far)


def test_what_a_hub_left_behind_that_died_while_it_measured_goes_when_nobody_waits_for_it_any_more(
    far: KubernetesFarSide, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec = far.spec()
    ready(far, spec)
    left = left_behind(far, spec.workspace_id)
    far.spawner.workspace_size(spec.workspace_id)
    assert left in pods(far)
    monkeypatch.setattr(volumes, "now", lambda: now() + timedelta(seconds=reader_pod.WAITED_FOR + 60))
    far.spawner.workspace_size(spec.workspace_id)
    until(lambda: left not in pods(far))


def left_behind(far: KubernetesFarSide, workspace_id: str) -> str:
    """A reader that has ended, and whose hub is not there any more."""
    pod = reader_pod.build(new_id(), workspace_id, Place(far.namespace, os.environ[HUB]), ["size"], None)
    name: str = far.api.create_pod(pod)["metadata"]["name"]
    until(lambda: is_over(far.api.pod(name) or {}), 120)
    return f"pod/{name}"


def pods(far: KubernetesFarSide) -> list[str]:
    return kubectl("-n", far.namespace, "get", "pods", "-o", "name").split()


def test_a_volume_grows_with_the_next_start_and_never_shrinks(far: KubernetesFarSide) -> None:
    small = far.spec(storage=64 * 2**20)
    ready(far, small)
    far.run(small.start_id, "open('notes.txt', 'w').write('kept')")
    for size, capacity in ((128 * 2**20, "134217728"), (32 * 2**20, "134217728")):
        far.spawner.stop(observed_now(far).start_id)
        until(lambda: observed_now(far).state is State.ENDED)
        spec = far.spec(workspace_id=small.workspace_id, storage=size)
        ready(far, spec)
        assert far.run(spec.start_id, "result = open('notes.txt').read()") == "kept"
        claim = kubectl("-n", far.namespace, "get", "pvc", f"workspace-{small.workspace_id}", "-o",
            "jsonpath={.spec.resources.requests.storage}",
        )  # fmt: skip
        assert claim == capacity
        far.spawner.forget(next(one.start_id for one in far.spawner.observe() if one.state is State.ENDED))


def observed_now(far: KubernetesFarSide) -> Observation:
    [seen] = far.spawner.observe()
    return seen
