"""What a pod's status says of its start, from the moments of its life that a kubelet writes down."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from hub.spawners.base import Ending, State
from hub.spawners.kubernetes.reading import CHECKPOINTS, has_run, observation

MOMENT = datetime(2026, 1, 1, 12, 0, 30, tzinfo=UTC)
GIB = 2**30


def at(second: int) -> str:
    return f"2026-01-01T12:00:{second:02}Z"


def pod(status: dict[str, Any]) -> dict[str, Any]:
    return {
        "metadata": {"name": "environment-w", "uid": "u", "labels": {"podium/start": "s", "podium/workspace": "w"}},
        "spec": {"containers": [{"image": "environment:1", "resources": {"limits": {"memory": str(4 * GIB)}}}]},
        "status": status,
    }


def condition(name: str, second: int, status: str = "True", **more: str) -> dict[str, str]:
    return {"type": name, "status": status, "lastTransitionTime": at(second), **more}


def container(state: dict[str, Any], *, started: bool = False) -> list[dict[str, Any]]:
    return [{"name": "environment", "image": "environment:1", "state": state, "started": started}]


def ended(phase: str, terminated: dict[str, Any], **more: Any) -> dict[str, Any]:
    state = {"terminated": {"startedAt": at(4), "finishedAt": at(9), **terminated}}
    return pod({"phase": phase, "conditions": [condition("PodScheduled", 1)], "containerStatuses": container(state), **more})


def word(why: str, **more: Any) -> str:
    return json.dumps({"why": why, "detail": "", "exit_code": None, "peak_memory": None, **more})


RUNNING = {"running": {"startedAt": at(4)}}
STEPS: list[tuple[dict[str, Any], int]] = [
    ({"phase": "Pending"}, 0),
    ({"phase": "Pending", "conditions": [condition("PodScheduled", 1)]}, 2),
    ({"phase": "Running", "conditions": [condition("PodScheduled", 1)], "containerStatuses": container(RUNNING)}, 4),
    (
        {
            "phase": "Running",
            "podIP": "10.0.0.7",
            "conditions": [condition("PodScheduled", 1), condition("Ready", 6)],
            "containerStatuses": container(RUNNING, started=True),
        },
        5,
    ),
]


@pytest.mark.parametrize(("status", "reached"), STEPS)
def test_checkpoints_are_reached_one_after_the_other(status: dict[str, Any], reached: int) -> None:
    seen = observation(pod(status), None, MOMENT)
    assert tuple(point.name for point in seen.checkpoints) == CHECKPOINTS[:reached]
    assert seen.state is (State.READY if reached == len(CHECKPOINTS) else State.PENDING)
    assert seen.upstream == ("10.0.0.7:8501" if reached == len(CHECKPOINTS) else None)


def test_a_pulled_image_is_a_checkpoint_before_the_container_starts() -> None:
    status = {"phase": "Pending", "conditions": [condition("PodScheduled", 1)]}
    seen = observation(pod(status), datetime.fromisoformat(at(3)), MOMENT)
    assert [point.name for point in seen.checkpoints] == ["volume bound", "scheduled", "image pulled"]


def test_a_busy_server_that_misses_its_probe_stays_reachable() -> None:
    unready = STEPS[-1][0] | {"conditions": [condition("PodScheduled", 1), condition("Ready", 8, "False")]}
    assert observation(pod(unready), None, MOMENT).state is State.READY


def test_an_address_of_version_6_is_written_as_a_proxy_needs_it() -> None:
    assert observation(pod(STEPS[-1][0] | {"podIP": "fd00::7"}), None, MOMENT).upstream == "[fd00::7]:8501"


def test_what_no_node_can_take_says_why() -> None:
    unschedulable = condition("PodScheduled", 1, "False", reason="Unschedulable", message="0/3 nodes: 3 Insufficient cpu")
    seen = observation(pod({"phase": "Pending", "conditions": [unschedulable]}), None, MOMENT)
    assert seen.state is State.PENDING
    assert seen.hindrance == "No node can take it: 0/3 nodes: 3 Insufficient cpu"


WAITING = [
    ("InvalidImageName", "", Ending.NEVER_STARTED),
    ("ErrImagePull", "manifest unknown", Ending.NEVER_STARTED),
    ("ImagePullBackOff", "pull access denied, repository does not exist", Ending.NEVER_STARTED),
    ("ErrImagePull", "dial tcp: i/o timeout", None),
    ("ContainerCreating", "", None),
]


@pytest.mark.case("R14")
@pytest.mark.parametrize(("reason", "message", "why"), WAITING)
def test_an_image_that_is_not_there_ends_the_start_and_a_silent_registry_does_not(
    reason: str, message: str, why: Ending | None
) -> None:
    waiting = container({"waiting": {"reason": reason, "message": message}})
    status = {"phase": "Pending", "conditions": [condition("PodScheduled", 1)], "containerStatuses": waiting}
    seen = observation(pod(status), None, MOMENT)
    assert (seen.exit.why if seen.exit else None) is why
    assert not has_run(pod(status))


@pytest.mark.case("R14")
def test_an_image_for_which_its_node_has_no_room_is_tried_on_with_the_reason_in_words() -> None:
    full = 'failed to pull and unpack image "x": failed to extract layer: write /usr/lib/x.so: no space left on device'
    waiting = container({"waiting": {"reason": "ErrImagePull", "message": full}})
    status = {"phase": "Pending", "conditions": [condition("PodScheduled", 1)], "containerStatuses": waiting}
    seen = observation(pod(status), None, MOMENT)
    assert seen.exit is None
    assert "its node's disk is full" in seen.hindrance


ENDINGS = [
    ("stopped by its deadline", ended("Failed", {"exitCode": 0}, reason="DeadlineExceeded"), Ending.STOPPED),
    ("ended by itself", ended("Failed", {"exitCode": 7, "message": word("exited", exit_code=7)}), Ending.EXITED),
    ("killed", ended("Failed", {"exitCode": 1, "message": word("killed", detail="SIGKILL")}), Ending.KILLED),
    ("out of memory", ended("Failed", {"exitCode": 137, "reason": "OOMKilled"}), Ending.OUT_OF_MEMORY),
    ("a child out of memory", ended("Failed", {"exitCode": 1, "message": word("out_of_memory")}), Ending.OUT_OF_MEMORY),
    ("without a word", ended("Failed", {"exitCode": 3, "message": "Traceback …"}), Ending.EXITED),
    (
        "evicted for its node",
        ended("Failed", {"exitCode": 137}, reason="Evicted", message="node was low on memory"),
        Ending.LOST,
    ),
    (
        "evicted for itself",
        ended("Failed", {"exitCode": 137}, reason="Evicted", message='emptyDir "scratch" exceeds the limit "2Gi".'),
        Ending.OUT_OF_SPACE,
    ),
    ("its node was shut down", ended("Failed", {"exitCode": 137}, reason="Terminated"), Ending.LOST),
    ("its node was lost", ended("Failed", {"exitCode": 137, "reason": "ContainerStatusUnknown"}), Ending.LOST),
    ("disrupted", ended("Failed", {"exitCode": 137}, conditions=[condition("DisruptionTarget", 8)]), Ending.LOST),
    ("not admitted by a kubelet", pod({"phase": "Failed", "reason": "OutOfcpu"}), Ending.LOST),
    ("a word that claims to be lost", ended("Failed", {"exitCode": 1, "message": word("lost")}), Ending.EXITED),
    ("a word that claims to be stopped", ended("Failed", {"exitCode": 1, "message": word("stopped")}), Ending.EXITED),
    ("a word that is none", ended("Failed", {"exitCode": 1, "message": '{"why": "exited", "exit_code": "x"}'}), Ending.EXITED),
]


def running(ready: dict[str, str], *conditions: dict[str, str], **metadata: Any) -> dict[str, Any]:
    status = {
        "phase": "Running",
        "podIP": "10.0.0.7",
        "conditions": [condition("PodScheduled", 1), ready, *conditions],
        "containerStatuses": container(RUNNING, started=True),
    }
    found = pod(status)
    found["metadata"] |= metadata
    found["spec"]["nodeName"] = "node-7"
    return found


EVICTED = condition("DisruptionTarget", 9, reason="DeletionByTaintManager")
OF_A_NODE = [
    ("answers", running(condition("Ready", 6)), False),
    ("answers, and its program does not", running(condition("Ready", 9, "False", reason="ContainersNotReady")), False),
    ("does not answer", running(condition("Ready", 9, "False")), True),
    ("does not answer for minutes", running(condition("Ready", 9, "False"), EVICTED, deletionTimestamp=at(9)), True),
    ("has a pod that is being deleted", running(condition("Ready", 6), deletionTimestamp=at(9)), False),
]


@pytest.mark.case("R4")
@pytest.mark.parametrize(("story", "found", "silent"), OF_A_NODE, ids=[story for story, *_ in OF_A_NODE])
def test_a_node_that_does_not_answer_is_said_and_its_pod_counts_as_running(
    story: str, found: dict[str, Any], *, silent: bool
) -> None:
    seen = observation(found, None, MOMENT)
    assert seen.state is State.READY, story
    assert seen.hindrance.startswith("Its machine node-7 does not answer.") is silent


@pytest.mark.case("R4")
@pytest.mark.parametrize(("story", "status", "why"), ENDINGS, ids=[story for story, *_ in ENDINGS])
def test_why_a_pod_ended(story: str, status: dict[str, Any], why: Ending) -> None:
    seen = observation(status, None, MOMENT)
    assert seen.state is State.ENDED, story
    assert seen.exit
    assert seen.exit.why is why


@pytest.mark.case("R4")
def test_a_memory_limit_is_read_as_the_api_server_writes_it() -> None:
    """2000000000 comes back as 2G."""
    over = ended("Failed", {"exitCode": 137, "reason": "OOMKilled"})
    over["spec"]["containers"][0]["resources"]["limits"]["memory"] = "2G"
    exit_ = observation(over, None, MOMENT).exit
    assert exit_
    assert (exit_.peak_memory, exit_.detail) == (2 * 10**9, "Its limit is 1907 MiB.")


def test_the_end_of_a_pod_without_memory_names_limit_and_peak() -> None:
    seen = observation(ended("Failed", {"exitCode": 137, "reason": "OOMKilled"}), None, MOMENT)
    assert seen.exit
    assert (seen.exit.peak_memory, seen.exit.detail) == (4 * GIB, "Its limit is 4096 MiB.")


def test_a_word_of_any_length_is_cut_to_size() -> None:
    seen = observation(ended("Failed", {"exitCode": 1, "message": word("killed", detail="x" * 4000)}), None, MOMENT)
    assert seen.exit
    assert len(seen.exit.detail) == 300


WORDS = [
    '{"why": "exited", "detail": "", "exit_code": Infinity, "peak_memory": null}',
    '{"why": "exited", "detail": "", "exit_code": 1e400, "peak_memory": null}',
    '{"why": "exited", "detail": "", "exit_code": 1, "peak_memory": 99999999999999999999999}',
    '{"why": "exited", "detail": "", "exit_code": 999999999999999999999999, "peak_memory": 1}',
    '{"why": "exited", "detail": {"a": "\\ud800\\u0000"}, "exit_code": 1, "peak_memory": 1}',
    "[" * 100_000,
]


@pytest.mark.case("R4")
@pytest.mark.parametrize("hostile", WORDS)
def test_a_word_that_a_person_s_code_left_is_no_more_than_a_word(hostile: str) -> None:
    """Whatever it says is kept by both databases and ends nobody else's news."""
    exit_ = observation(ended("Failed", {"exitCode": 1, "message": hostile}), None, MOMENT).exit
    assert exit_
    assert exit_.why is Ending.EXITED
    assert exit_.detail.isprintable()
    assert (exit_.exit_code, abs(exit_.peak_memory or 0) < 2**63) == (1, True)
