"""What goes wrong in a cluster, done to a real one: a start ends or goes on as it should, and says so in words."""

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import certifi
import pytest
import yaml  # type: ignore[import-untyped]

from hub.errors import ClusterSilent
from hub.spawners.base import Ending, State
from hub.spawners.kubernetes.api import Api
from hub.spawners.kubernetes.calls import Object, connect
from hub.spawners.kubernetes.container import SCRATCH
from hub.spawners.kubernetes.parts import START, STARTS
from tests.cluster.tools import kubectl
from tests.spawners.far_side import MIB, ended, hindered, in_state, observed, ready, until
from tests.spawners.kubernetes_side import KubernetesFarSide


def pod_of(far: KubernetesFarSide, workspace_id: str) -> Object:
    found = far.api.pod(f"environment-{workspace_id}")
    assert found
    return found


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


@pytest.mark.case("R4")
def test_a_pod_that_the_kubelet_evicts_for_its_own_files_is_told_so_and_the_next_start_finds_the_workspace(
    far: KubernetesFarSide,
) -> None:
    spec = far.spec(memory=2 * SCRATCH)
    ready(far, spec)
    far.run(spec.start_id, "open('notes.txt', 'w').write('kept')")
    large = SCRATCH + 64 * MIB
    far.run(spec.start_id, f"import os; os.posix_fallocate(os.open('/tmp/large', os.O_CREAT | os.O_WRONLY), 0, {large})")
    exit_ = ended(far, spec.start_id, within=180).exit
    assert exit_
    assert exit_.why is Ending.OUT_OF_SPACE
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
    waiting = until(lambda: hindered(far, spec.start_id, "CPU"))
    assert waiting.state is State.PENDING
    assert "has too little CPU free" in waiting.hindrance
    far.spawner.stop(spec.start_id)
    exit_ = ended(far, spec.start_id).exit
    assert exit_
    assert exit_.why is Ending.STOPPED


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


LARGEST = """
apiVersion: v1
kind: LimitRange
metadata: {name: largest}
spec: {limits: [{type: Container, max: {memory: 1Gi}}]}
"""


@pytest.mark.case("A9-5")
def test_a_start_larger_than_one_may_be_in_its_namespace_is_refused_with_a_sentence(
    far: KubernetesFarSide, tmp_path: Path
) -> None:
    (tmp_path / "largest.yaml").write_text(LARGEST, encoding="utf-8")
    kubectl("-n", far.namespace, "create", "-f", str(tmp_path / "largest.yaml"))
    spec = far.spec(memory=2**31)
    far.spawner.start(spec)
    exit_ = ended(far, spec.start_id).exit
    assert exit_
    assert exit_.why is Ending.NEVER_STARTED
    assert "it asks for more than one environment may have in this cluster" in exit_.detail
    ready(far, far.spec())


@pytest.mark.case("R14")
def test_an_image_that_no_registry_has_is_said_while_it_is_tried_and_can_be_cancelled(far: KubernetesFarSide) -> None:
    spec = far.spec(image="registry.invalid/nothing:1")
    far.spawner.start(spec)
    waiting = until(lambda: hindered(far, spec.start_id, "image"))
    assert "image" in (waiting.exit.detail if waiting.exit else waiting.hindrance)
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


@pytest.mark.case("R8")
def test_a_hundred_starts_that_two_hubs_order_at_once_are_a_hundred_pods(far: KubernetesFarSide) -> None:
    specs = [far.spec(cpu=9999.0, cpu_request=9999.0) for _ in range(100)]
    with far.another() as other, ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda spawner: [spawner.start(spec) for spec in specs], (far.spawner, other)))
        until(lambda: len(starts_with_a_pod(far)) == len(specs))
        first = starts_with_a_pod(far)
        list(pool.map(lambda spawner: [spawner.start(spec) for spec in specs], (other, far.spawner)))
        until(lambda: {seen.start_id for seen in other.observe()} == {spec.start_id for spec in specs})
        assert all(seen.state is State.PENDING for spawner in (far.spawner, other) for seen in spawner.observe())
    assert starts_with_a_pod(far) == first


def starts_with_a_pod(far: KubernetesFarSide) -> dict[str, str]:
    """The uid of the pod of each start."""
    pods, _ = far.api.list("pods", STARTS)
    found = {pod["metadata"]["labels"][START]: pod["metadata"]["uid"] for pod in pods}
    assert len(found) == len(pods)
    return found


def test_an_api_server_whose_certificate_another_authority_signed_is_not_talked_to(tmp_path: Path) -> None:
    known = yaml.safe_load(Path(os.environ["KUBECONFIG"]).read_text(encoding="utf-8"))
    for cluster in known["clusters"]:
        cluster["cluster"].pop("certificate-authority-data", None)
        cluster["cluster"]["certificate-authority"] = certifi.where()
    (tmp_path / "kubeconfig").write_text(yaml.safe_dump(known), encoding="utf-8")
    with pytest.raises(ClusterSilent) as refused:
        Api(connect(str(tmp_path / "kubeconfig")), "default").list("pods", "")
    assert "CERTIFICATE_VERIFY_FAILED" in str(refused.value.__cause__)
