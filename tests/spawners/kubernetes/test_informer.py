"""A copy stays true whatever becomes of the watch: it ends, breaks off, is too old, tells twice, or only that time passes."""

import threading
from collections.abc import Callable
from typing import Any

import pytest

from hub.errors import ClusterSilent
from hub.spawners.kubernetes import informer as module
from hub.spawners.kubernetes.api import Api
from hub.spawners.kubernetes.calls import Refusal
from hub.spawners.kubernetes.informer import Informer, Listener
from hub.spawners.kubernetes.orders import in_words
from tests.spawners.far_side import until
from tests.spawners.kubernetes.api_server import GONE, HELD, ApiServer, api_server, listed, watched


def quiet(version: str) -> tuple[int, bytes]:
    """A watch in which nothing happens, as a server ends it."""
    return watched(("BOOKMARK", "", version))


ANOTHER_WAY = (503, {"message": "not now"})


class Copy:
    """What an informer has told, kept by a thread that runs until the test ends."""

    def __init__(self, api: Api) -> None:
        self.known: dict[str, str] = {}
        self.turns: list[bool] = []
        self.told_gone: list[str] = []
        self.stopped = threading.Event()
        self.informer = Informer(api, "pods", "", Listener(_kept, self._there, self._gone, self._turned))
        self.thread = threading.Thread(target=self.informer.run, args=(self.stopped,))

    def _there(self, found: dict[str, Any]) -> None:
        self.known[found["metadata"]["name"]] = found["metadata"]["resourceVersion"]

    def _gone(self, found: dict[str, Any]) -> None:
        self.known.pop(found["metadata"]["name"], None)
        self.told_gone.append(found["metadata"]["name"])

    def _turned(self) -> None:
        self.turns.append(self.informer.fresh)


def _kept(found: dict[str, Any]) -> dict[str, Any]:
    if found["metadata"]["name"] == "poison":
        raise KeyError("status")
    return found


def follow(api: Api, right: Callable[[Copy], bool]) -> Copy:
    """Run an informer until the copy is as it should be."""
    copy = Copy(api)
    copy.thread.start()
    try:
        until(lambda: right(copy), 20)
    finally:
        copy.stopped.set()
        copy.thread.join(20)
    return copy


def versions(server: ApiServer) -> list[str]:
    return [asked.get("resourceVersion", "list") for asked in server.asked]


@pytest.mark.case("R5")
def test_a_watch_goes_on_from_where_the_last_one_ended() -> None:
    with api_server(listed("5", "a"), watched(("MODIFIED", "a", "6"), ("ADDED", "b", "7")), quiet("7")) as (api, server):
        follow(api, lambda copy: copy.known == {"a": "6", "b": "7"} and len(server.asked) > 3)
        assert versions(server)[:4] == ["list", "5", "7", "7"]


@pytest.mark.case("R5")
def test_a_bookmark_moves_on_where_the_next_watch_begins() -> None:
    with api_server(listed("5", "a"), watched(("BOOKMARK", "", "9")), quiet("9")) as (api, server):
        copy = follow(api, lambda _: len(server.asked) > 2)
        assert versions(server)[:3] == ["list", "5", "9"]
        assert copy.known == {"a": "5"}


@pytest.mark.case("R5")
@pytest.mark.parametrize("gone", [GONE, (410, {"reason": "Expired"})])
def test_a_version_that_is_too_old_brings_a_new_list_and_what_is_not_in_it_has_gone(gone: tuple[int, Any]) -> None:
    with api_server(listed("5", "a", "b"), gone, listed("9", "b", "c"), quiet("9")) as (api, server):
        copy = follow(api, lambda copy: copy.known == {"b": "9", "c": "9"})
        assert versions(server)[:3] == ["list", "5", "list"]
        assert copy.turns == [True]


@pytest.mark.case("R5")
def test_events_that_come_twice_or_late_leave_the_last_word() -> None:
    told = watched(("ADDED", "b", "6"), ("ADDED", "b", "6"), ("DELETED", "a", "7"), ("DELETED", "a", "7"))
    with api_server(listed("5", "a"), told, quiet("7")) as (api, _):
        follow(api, lambda copy: copy.known == {"b": "6"})


@pytest.mark.case("R5")
def test_an_object_that_nobody_foresaw_does_not_end_the_news_of_others() -> None:
    with api_server(listed("5", "poison", "a"), watched(("ADDED", "poison", "6"), ("ADDED", "b", "7")), quiet("7")) as (api, _):
        copy = follow(api, lambda copy: copy.known == {"a": "5", "b": "7"})
        assert copy.turns == [True]


@pytest.mark.case("R5")
def test_what_nobody_can_read_makes_the_copy_stale_and_brings_a_new_list(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "SHORTEST_PAUSE", 0.01)
    unreadable = watched(("ADDED", "b", "no number"))
    with api_server(listed("5", "a"), unreadable, listed("7", "a", "b"), quiet("7")) as (api, server):
        copy = follow(api, lambda copy: copy.known == {"a": "7", "b": "7"})
        assert versions(server)[:3] == ["list", "5", "list"]
        assert copy.turns == [True, False, True]


@pytest.mark.case("R6")
def test_a_watch_in_which_nothing_happens_makes_the_copy_fresh_as_soon_as_it_is_open() -> None:
    with api_server(listed("5", "a"), None, HELD) as (api, server):
        copy = follow(api, lambda copy: copy.turns == [True, False, True] and server.release())
        assert copy.known == {"a": "5"}


@pytest.mark.case("R5")
def test_a_list_that_is_older_than_what_was_heard_is_not_believed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "SHORTEST_PAUSE", 0.01)
    with api_server(listed("9", "a"), GONE, listed("5"), listed("5"), listed("10", "a", "b"), quiet("10")) as (api, _):
        copy = follow(api, lambda copy: copy.known == {"a": "10", "b": "10"})
        assert copy.turns == [True, False, True]
        assert "a" not in copy.told_gone


@pytest.mark.case("R5")
def test_a_cluster_that_was_restored_is_believed_in_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "SHORTEST_PAUSE", 0.01)
    with api_server(listed("9", "a"), GONE, *(listed("5", "b") for _ in range(6)), quiet("5")) as (api, _):
        follow(api, lambda copy: copy.known == {"b": "5"})


@pytest.mark.case("R5")
def test_a_watch_of_a_version_that_the_server_does_not_know_any_more_ends_without_a_word(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As after a restore: the server holds such a watch open, says nothing, and ends it."""
    monkeypatch.setattr(module, "SHORTEST_PAUSE", 0.01)
    with api_server(listed("9", "a"), watched(), *(listed("5", "b") for _ in range(6)), quiet("5")) as (api, server):
        follow(api, lambda copy: copy.known == {"b": "5"})
        assert versions(server)[:3] == ["list", "9", "list"]


@pytest.mark.case("R6")
@pytest.mark.parametrize("fault", [None, ANOTHER_WAY, (429, {}), (500, b"<html>"), (200, b"no json\n")])
def test_a_server_that_fails_makes_the_copy_stale_until_it_answers_again(fault: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was known stays known: unknown is not gone."""
    monkeypatch.setattr(module, "SHORTEST_PAUSE", 0.01)
    with api_server(listed("5", "a"), quiet("5"), fault, fault, watched(("ADDED", "b", "6")), quiet("6")) as (api, server):
        copy = follow(api, lambda copy: copy.known == {"a": "5", "b": "6"})
        assert (copy.turns[:2], copy.turns[-1]) == ([True, False], True)
        assert versions(server)[:5] == ["list", "5", "5", "5", "5"]


@pytest.mark.case("R6")
@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
def test_later_is_no_answer(status: int) -> None:
    with api_server((status, {"reason": "x"})) as (api, _), pytest.raises(ClusterSilent):
        api.list("pods", "")


@pytest.mark.case("R6")
def test_a_connection_that_breaks_off_is_no_answer() -> None:
    with api_server(None) as (api, _), pytest.raises(ClusterSilent):
        api.list("pods", "")


def test_a_no_keeps_the_server_s_words() -> None:
    said = {"reason": "Forbidden", "message": "pods is forbidden"}
    with api_server((403, said)) as (api, _), pytest.raises(Refusal, match="pods is forbidden") as refused:
        api.list("pods", "")
    assert (refused.value.code, refused.value.reason) == (403, "Forbidden")


def test_a_no_that_nobody_expects_is_a_kind_of_silence() -> None:
    """The controller's thread goes on after it, as after any silence, and tries again."""
    with api_server((403, {"message": "pods is forbidden"})) as (api, _), pytest.raises(ClusterSilent):
        api.pod("any")


def test_a_long_list_is_asked_for_in_pages() -> None:
    with api_server(listed("5", "a", "b", following="more"), listed("5", "c")) as (api, server):
        found, version = api.list("pods", "")
        assert [one["metadata"]["name"] for one in found] == ["a", "b", "c"]
        assert version == "5"
        assert [asked.get("continue") for asked in server.asked] == [None, "more"]


REFUSALS = [
    ('pods "x" is forbidden: exceeded quota: few, requested: pods=1', "the cluster's quota for all environments is used up"),
    (
        'pods "x" is forbidden: maximum memory usage per Container is 1Gi, but limit is 2Gi',
        "it asks for more than one environment may have",
    ),
    ("unable to create new content in namespace x because it is being terminated", "is being deleted"),
    ('pods "x" is forbidden: violates PodSecurity "restricted:latest"', "the cluster refused it"),
]


@pytest.mark.case("R13")
@pytest.mark.case("A9-5")
@pytest.mark.parametrize(("said", "words"), REFUSALS)
def test_what_the_cluster_refuses_is_said_in_words(said: str, words: str) -> None:
    assert words in in_words(Refusal(403, "Forbidden", said))
