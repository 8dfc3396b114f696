"""What becomes of a start when orders get lost, pods go, and news comes late."""

from datetime import UTC, datetime
from typing import Any

import pytest

from hub.spawners.base import Ending, State
from hub.spawners.kubernetes import starts as module
from hub.spawners.kubernetes.starts import Starts

RUNNING = {
    "phase": "Running",
    "podIP": "10.0.0.7",
    "conditions": [
        {"type": name, "status": "True", "lastTransitionTime": "2026-01-01T12:00:01Z"} for name in ("PodScheduled", "Ready")
    ],
    "containerStatuses": [{"state": {"running": {"startedAt": "2026-01-01T12:00:01Z"}}, "started": True}],
}
FAILED = {"phase": "Failed", "containerStatuses": [{"state": {"terminated": {"exitCode": 7}}}]}


def pod(status: dict[str, Any], start: str = "s") -> dict[str, Any]:
    labels = {"podium/start": start, "podium/workspace": "w"}
    return {
        "metadata": {"name": "p", "uid": f"u-{start}", "labels": labels, "creationTimestamp": "2026-01-01T12:00:00Z"},
        "spec": {"containers": [{"image": "i"}]},
        "status": status,
    }


@pytest.fixture
def told() -> list[str]:
    return []


@pytest.fixture
def starts(told: list[str]) -> Starts:
    return Starts(told.append)


def why(starts: Starts, start: str = "s") -> Ending | None:
    seen = starts.seen.get(start)
    return seen.exit.why if seen and seen.exit else None


@pytest.mark.case("R7")
def test_an_order_is_given_once_until_its_pod_is_seen_or_it_got_lost(starts: Starts, told: list[str]) -> None:
    assert starts.order("s", "w")
    assert not starts.order("s", "w")
    assert "s" not in starts.seen
    assert told == []
    starts.lose_order("s")
    assert starts.order("s", "w")
    starts.pod_is(pod(RUNNING))
    assert not starts.order("s", "w")
    assert told == ["s"]


@pytest.mark.case("R7")
def test_an_order_of_which_nothing_was_heard_may_be_given_again(starts: Starts, monkeypatch: pytest.MonkeyPatch) -> None:
    assert starts.order("s", "w")
    starts.order_is_through("s")
    assert not starts.order("s", "w")
    monkeypatch.setattr(module, "ON_ITS_WAY", 0.0)
    starts.order_is_through("s")
    assert starts.order("s", "w")


@pytest.mark.case("R7")
def test_a_start_that_was_taken_for_ended_is_told_when_its_pod_comes_after_all_so_that_somebody_ends_it(starts: Starts) -> None:
    starts.order("s", "w")
    assert starts.stop("s") is None
    assert why(starts) is Ending.STOPPED
    starts.pod_is(pod(RUNNING))
    assert starts.seen["s"].state is State.READY
    assert starts.stop("s") is not None
    starts.pod_went(pod(RUNNING))
    assert why(starts) is Ending.STOPPED


@pytest.mark.case("R5")
def test_what_comes_late_of_a_pod_that_went_is_no_news(starts: Starts) -> None:
    starts.pod_is(pod(RUNNING))
    starts.pod_went(pod(RUNNING))
    starts.pod_is(pod(RUNNING))
    assert why(starts) is Ending.LOST


@pytest.mark.case("R9")
def test_a_start_that_is_forgotten_while_its_order_is_in_hand_is_still_to_end(starts: Starts) -> None:
    starts.order("s", "w")
    starts.stop("s")
    starts.forget("s")
    assert "s" in starts.stopping


@pytest.mark.case("R3")
def test_a_pod_that_somebody_deletes_is_lost_and_one_that_was_to_stop_has_stopped(starts: Starts) -> None:
    for start in ("s", "t"):
        starts.pod_is(pod(RUNNING, start))
    assert starts.stop("t") is not None
    for start in ("s", "t"):
        starts.pod_went(pod(RUNNING, start))
    assert (why(starts, "s"), why(starts, "t")) == (Ending.LOST, Ending.STOPPED)


@pytest.mark.case("R3")
def test_a_pod_that_ends_because_it_is_being_deleted_is_lost_or_has_stopped(starts: Starts) -> None:
    """Its server ends at SIGTERM and says so, before the pod is gone."""
    for start in ("s", "t"):
        starts.pod_is(pod(RUNNING, start))
    starts.stop("t")
    for start in ("s", "t"):
        ending = pod(FAILED, start)
        ending["metadata"]["deletionTimestamp"] = "2026-01-01T12:00:09Z"
        starts.pod_is(ending)
    assert (why(starts, "s"), why(starts, "t")) == (Ending.LOST, Ending.STOPPED)


def test_an_end_stays_when_the_pod_goes_until_it_is_forgotten(starts: Starts) -> None:
    starts.pod_is(pod(FAILED))
    ended = starts.seen["s"]
    starts.pod_went(pod(FAILED))
    assert starts.seen["s"] == ended
    starts.forget("s")
    assert "s" not in starts.seen


def test_a_pod_that_goes_after_it_was_forgotten_is_not_remembered(starts: Starts) -> None:
    starts.pod_is(pod(FAILED))
    starts.forget("s")
    starts.pod_went(pod(FAILED))
    assert "s" not in starts.seen


def test_of_what_has_no_pod_only_the_newest_are_remembered(starts: Starts, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "REMEMBERED", 2)
    for start in ("a", "b", "c"):
        starts.never_started(start, "w", "no")
    assert set(starts.seen) == {"b", "c"}


def test_news_that_changes_nothing_is_not_told(starts: Starts, told: list[str]) -> None:
    for _ in range(3):
        starts.pod_is(pod(RUNNING))
    assert told == ["s"]
    assert starts.seen["s"].state is State.READY


PENDING = {"phase": "Pending"}
BOUND = {
    "phase": "Pending",
    "conditions": [{"type": "PodScheduled", "status": "True", "lastTransitionTime": "2026-01-01T12:00:03Z"}],
}
BEFORE, AFTER = datetime(2026, 1, 1, 11, tzinfo=UTC), datetime(2026, 1, 1, 13, tzinfo=UTC)


@pytest.mark.case("R4")
@pytest.mark.parametrize(
    ("said", "why"),
    [
        ('Usage of EmptyDir volume "scratch" exceeds the limit "2Gi". ', Ending.OUT_OF_SPACE),
        ("The node was low on resource: memory. ", Ending.LOST),
    ],
)
def test_a_pod_that_ends_well_after_an_event_said_that_it_is_evicted_ended_for_that(
    starts: Starts, said: str, why: Ending
) -> None:
    starts.pod_is(pod(RUNNING))
    starts.was_evicted("another", "nothing of ours")
    starts.was_evicted(pod(RUNNING)["metadata"]["uid"], said)
    assert starts.seen["s"].state is not State.ENDED
    starts.pod_is(pod({"phase": "Succeeded"}))
    exit_ = starts.seen["s"].exit
    assert exit_
    assert (exit_.why, exit_.detail) == (why, said)


@pytest.mark.case("R13")
def test_what_an_event_says_that_a_start_waits_for_is_told_until_its_next_checkpoint(starts: Starts) -> None:
    starts.pod_is(pod(PENDING))
    starts.is_hindered("workspace-w", BEFORE, "of the start before")
    assert starts.seen["s"].hindrance == ""
    starts.is_hindered("workspace-w", AFTER, "no volume")
    starts.is_hindered("workspace-another", AFTER, "nothing of ours")
    assert starts.seen["s"].hindrance == "no volume"
    starts.pod_is(pod(BOUND))
    assert starts.seen["s"].hindrance == ""
    starts.is_hindered("environment-w", AFTER, "no sandbox")
    assert starts.seen["s"].hindrance == "no sandbox"
    starts.pod_is(pod(RUNNING))
    assert starts.seen["s"].hindrance == ""
    starts.is_hindered("environment-w", AFTER, "an event that comes late")
    assert starts.seen["s"].hindrance == ""
