"""What goes wrong in a cluster, done to a real one: a start ends or goes on as it should, and says so in words."""

import os
from datetime import timedelta
from pathlib import Path

import certifi
import pytest
import yaml  # type: ignore[import-untyped]

from hub.clock import new_id, now
from hub.errors import ClusterSilent
from hub.spawners.base import Ending, Observation, State
from hub.spawners.kubernetes import reader_pod, volumes
from hub.spawners.kubernetes.api import Api
from hub.spawners.kubernetes.calls import Object, connect
from hub.spawners.kubernetes.place import Place
from hub.spawners.kubernetes.reading import is_over
from tests.cluster.tools import kubectl
from tests.spawners.far_side import ended, in_state, observed, ready, until
from tests.spawners.kubernetes_side import HUB, KubernetesFarSide


def pod_of(far: KubernetesFarSide, workspace_id: str) -> Object:
    found = far.api.pod(f"environment-{workspace_id}")
    assert found
    return found


def told(far: KubernetesFarSide, start_id: str, word: str = "") -> Observation | None:
    """The observation once it says why the start does not go on."""
    seen = observed(far, start_id)
    return seen if seen and (seen.exit or (seen.hindrance and word in seen.hindrance)) else None


@pytest.mark.case("R3")
def test_a_pod_that_somebody_deletes_is_told_as_lost_and_the_next_start_finds_the_files(far: KubernetesFarSide) -> None:
    spec = far.spec()
    ready(far, spec)
    far.run(spec.start_id, "open('notes.txt', 'w').write('kept')")
    kubectl("-n", far.namespace, "delete", "pod", f"environment-{spec.workspace_id}", "--wait=false")
    exit_ = ended(far, spec.start_id).exit
    assert exit_
    assert (exit_.why, exit_.detail) == (Ending.LOST, "its pod was deleted")
    again = far.spec(workspace_id=spec.workspace_id)
    ready(far, again)
    assert far.run(again.start_id, "result = open('notes.txt').read()") == "kept"


@pytest.mark.case("R9")
def test_a_start_waits_for_the_pod_of_the_last_run_however_slowly_that_goes(far: KubernetesFarSide) -> None:
    spec = far.spec()
    ready(far, spec)
    held = ("-n", far.namespace, "patch", "pod", f"environment-{spec.workspace_id}", "--type=merge", "-p")
    kubectl(*held, '{"metadata": {"finalizers": ["podium.test/slow"]}}')
    far.spawner.stop(spec.start_id)
    ended(far, spec.start_id)
    far.spawner.forget(spec.start_id)
    again = far.spec(workspace_id=spec.workspace_id)

    def is_ready() -> bool:
        far.spawner.start(again)
        return in_state(far, again.start_id, State.READY) is not None

    assert not is_ready()
    ready(far, far.spec())
    assert observed(far, again.start_id) is None
    kubectl(*held, '{"metadata": {"finalizers": null}}')
    until(is_ready)


def test_what_no_node_can_give_is_said_with_its_name_and_can_be_cancelled(far: KubernetesFarSide) -> None:
    spec = far.spec(cpu=9999.0, cpu_request=9999.0)
    far.spawner.start(spec)
    waiting = until(lambda: told(far, spec.start_id, "CPU"))
    assert waiting.state is State.PENDING
    assert "has too little CPU free" in waiting.hindrance
    far.spawner.stop(spec.start_id)
    exit_ = ended(far, spec.start_id).exit
    assert exit_
    assert exit_.why is Ending.STOPPED


def test_a_volume_that_waits_for_its_first_environment_is_not_made_where_somebody_measures_it(far: KubernetesFarSide) -> None:
    spec = far.spec(cpu=9999.0, cpu_request=9999.0)
    far.spawner.start(spec)
    until(lambda: told(far, spec.start_id))
    far.spawner.stop(spec.start_id)
    ended(far, spec.start_id)
    claim = ("-n", far.namespace, "get", "pvc", f"workspace-{spec.workspace_id}", "-o", "jsonpath={.status.phase}")
    assert kubectl(*claim) == "Pending"
    assert far.spawner.workspace_size(spec.workspace_id).used == 0
    assert next(far.spawner.workspace_archive(spec.workspace_id)) == reader_pod.EMPTY_ARCHIVE
    assert kubectl(*claim) == "Pending"


@pytest.mark.case("R13")
@pytest.mark.case("A9-5")
def test_a_namespace_whose_quota_is_used_up_refuses_with_a_sentence(far: KubernetesFarSide) -> None:
    kubectl("-n", far.namespace, "create", "quota", "few", "--hard=pods=1")
    first, second = far.spec(), far.spec()
    ready(far, first)
    far.spawner.start(second)
    exit_ = ended(far, second.start_id).exit
    assert exit_
    assert exit_.why is Ending.NEVER_STARTED
    assert "the cluster's quota for all environments is used up" in exit_.detail


@pytest.mark.case("R14")
def test_an_image_that_no_registry_has_is_said_while_it_is_tried_and_can_be_cancelled(far: KubernetesFarSide) -> None:
    spec = far.spec(image="registry.invalid/nothing:1")
    far.spawner.start(spec)
    waiting = until(lambda: told(far, spec.start_id, "image"))
    assert "image" in (waiting.exit.detail if waiting.exit else waiting.hindrance)
    far.spawner.stop(spec.start_id)
    assert ended(far, spec.start_id).state is State.ENDED


@pytest.mark.case("R13")
def test_a_volume_that_nobody_can_make_is_said_and_can_be_cancelled(far: KubernetesFarSide) -> None:
    spec = far.spec()
    with far.another(storage_class="no-such-class") as misled:
        misled.start(spec)
        waiting = until(lambda: told(far, spec.start_id, "no-such-class"))
    assert waiting.state is State.PENDING
    assert "Its volume cannot be made just now" in waiting.hindrance
    far.spawner.stop(spec.start_id)
    assert ended(far, spec.start_id).state is State.ENDED


@pytest.mark.case("R13")
def test_a_namespace_that_is_being_deleted_refuses_with_a_sentence(far: KubernetesFarSide) -> None:
    held = far.spec()
    ready(far, held)
    patch = '{"metadata":{"finalizers":["podium.test/held"]}}'
    kubectl("-n", far.namespace, "patch", "pod", f"environment-{held.workspace_id}", "--type=merge", "-p", patch)
    kubectl("delete", "namespace", far.namespace, "--wait=false")
    late = far.spec()
    far.spawner.start(late)
    exit_ = ended(far, late.start_id).exit
    assert exit_
    assert exit_.why is Ending.NEVER_STARTED
    assert "the place where environments run is being deleted" in exit_.detail
    free = '{"metadata":{"finalizers":null}}'
    kubectl("-n", far.namespace, "patch", "pod", f"environment-{held.workspace_id}", "--type=merge", "-p", free)


NAMES = ["$(PODIUM_ADDRESS)", "a\nb", "'\"\\", "😀" * 200, "{{ x }}", "-".join("x" * 10)]


@pytest.mark.case("A9-7")
@pytest.mark.parametrize("name", NAMES)
def test_a_hostile_name_arrives_as_it_is_and_nothing_expands_it(far: KubernetesFarSide, name: str) -> None:
    spec = far.spec(variables={"ENV_NAME": name})
    ready(far, spec)
    assert far.run(spec.start_id, "import os; result = os.environ['ENV_NAME']") == name


@pytest.mark.case("R7")
def test_a_start_that_is_ordered_by_two_hubs_at_once_is_one_pod(far: KubernetesFarSide) -> None:
    spec = far.spec()
    with far.another() as other:
        for spawner in (far.spawner, other):
            spawner.start(spec)
        until(lambda: in_state(far, spec.start_id, State.READY))
        uid = pod_of(far, spec.workspace_id)["metadata"]["uid"]
        other.start(spec)
        assert pod_of(far, spec.workspace_id)["metadata"]["uid"] == uid


def test_an_api_server_whose_certificate_another_authority_signed_is_not_talked_to(tmp_path: Path) -> None:
    known = yaml.safe_load(Path(os.environ["KUBECONFIG"]).read_text(encoding="utf-8"))
    for cluster in known["clusters"]:
        cluster["cluster"].pop("certificate-authority-data", None)
        cluster["cluster"]["certificate-authority"] = certifi.where()
    (tmp_path / "kubeconfig").write_text(yaml.safe_dump(known), encoding="utf-8")
    with pytest.raises(ClusterSilent) as refused:
        Api(connect(str(tmp_path / "kubeconfig")), "default").list("pods", "")
    assert "CERTIFICATE_VERIFY_FAILED" in str(refused.value.__cause__)


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
