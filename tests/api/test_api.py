"""The API as programs meet it: who may call what, how it refuses, and what its lists look like."""

import time
from typing import Any

import httpx
import pytest
from starlette.testclient import TestClient

from hub.api.app import create_api
from hub.api.callers import _caller
from hub.environments.catalog import Catalog
from hub.identity.scopes import SCOPES
from hub.services import Services
from hub.settings import Settings
from tests.api.conftest import calling, token_of
from tests.identity.conftest import Hub, cookie
from tests.identity.serve import USUAL


def problem(answer: httpx.Response, status: int) -> str:
    """The detail of a refusal, which is a problem as RFC 9457 has it."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    said = answer.json()
    assert said["status"] == status
    assert said["type"].startswith("urn:podium:")
    return str(said["detail"])


def test_a_program_launches_follows_stops_and_deletes(hub: Hub) -> None:
    with calling(hub, token_of(hub, "ada")) as ada:
        profile = ada.get("/profiles").json()[0]["name"]
        launched = ada.post("/environments", json={"name": "nightly", "profile": profile})
        assert launched.status_code == 202
        address = launched.headers["location"].removeprefix("/api/v1")
        deadline = time.monotonic() + 20
        while (seen := ada.get(address).json())["phase"] != "running":
            assert time.monotonic() < deadline, seen
        assert seen["address"].startswith("http://nightly-")
        assert seen["checkpoints"]
        assert ada.get(f"{address}/logs").status_code == 200
        acts = [event["act"] for event in ada.get(f"{address}/events").json()["items"]]
        assert {"environment created", "environment launched"} <= set(acts)
        assert ada.post(f"{address}/stop").json()["target"] == "stopped"
        while ada.get(address).json()["phase"] != "stopped":
            assert time.monotonic() < deadline
        assert ada.delete(address, params={"with_workspace": True}).status_code == 204
        problem(ada.get(address), 404)


def launched(program: httpx.Client, name: str) -> dict[str, Any]:
    """An environment that runs."""
    found: dict[str, Any] = program.post("/environments", json={"name": name, "profile": "Light"}).json()
    deadline = time.monotonic() + 20
    while (seen := program.get(f"/environments/{found['id']}").json())["phase"] != "running":
        assert time.monotonic() < deadline, seen
    return found


def test_what_environments_use_is_shown_to_their_owner_and_to_who_sees_all(hub: Hub) -> None:
    with (
        calling(hub, token_of(hub, "ada", "usage:read", "environments:write", "environments:read")) as ada,
        calling(hub, token_of(hub, "bob")) as bob,
        calling(hub, token_of(hub, "olive")) as olive,
        calling(hub, token_of(hub, "ada", "environments:read")) as without,
    ):
        environment = launched(ada, "measured")["id"]
        [own] = [row for row in ada.get("/usage").json()["items"] if row["environment_id"] == environment]
        assert own["memory"] > 0
        assert own["cpu_seconds"] > 0
        assert own["memory_limit"] > 0
        assert environment not in bob.get("/usage").text
        problem(bob.get("/usage", params={"everyone": True}), 403)
        assert environment in olive.get("/usage", params={"everyone": True, "size": 100}).text
        assert "usage:read" in problem(without.get("/usage"), 403)


def test_a_workspace_is_downloaded_by_its_owner_only(hub: Hub) -> None:
    with calling(hub, token_of(hub, "ada")) as ada, calling(hub, token_of(hub, "bob")) as bob:
        workspace = launched(ada, "full of files")["workspace_id"]
        answer = ada.get(f"/workspaces/{workspace}/archive")
        assert (answer.status_code, answer.content) == (200, workspace.encode())
        assert answer.headers["content-type"] == "application/gzip"
        assert answer.headers["content-disposition"].startswith("attachment; filename*=UTF-8''full%20of%20files")
        problem(bob.get(f"/workspaces/{workspace}/archive"), 404)


def test_what_nobody_foresaw_is_a_problem_with_a_number_and_says_nothing_of_itself() -> None:
    api = create_api(Services.__new__(Services))
    api.dependency_overrides[_caller] = lambda: None
    with TestClient(api, raise_server_exceptions=False) as client:
        detail = problem(client.get("/me"), 500)  # type: ignore[arg-type]
    assert "give this number" in detail
    assert "NoneType" not in detail


def test_a_launch_that_names_no_preset_gets_the_default_of_the_catalog(hub: Hub) -> None:
    with calling(hub, token_of(hub, "ada")) as ada:
        made = ada.post("/environments", json={"name": "as usual"})
        assert made.status_code == 202
        assert made.json()["profile"] == Catalog(Settings()).default.name


def test_a_launch_sent_twice_with_one_key_is_one(hub: Hub) -> None:
    with calling(hub, token_of(hub, "bob")) as bob:
        order, key = {"name": "once", "profile": "Light"}, {"idempotency-key": "a key"}
        first, second = (bob.post("/environments", json=order, headers=key).json()["id"] for _ in range(2))
        assert first == second
        assert "another launch" in problem(bob.post("/environments", json={**order, "name": "twice"}, headers=key), 422)


@pytest.mark.parametrize("shown", [None, "", "podium_wrong", "x" * 5000])
def test_without_a_token_that_counts_nothing_is_told(hub: Hub, shown: str | None) -> None:
    with calling(hub, shown) as stranger:
        for path in ("/me", "/environments", "/users", "/audit"):
            answer = stranger.get(path)
            problem(answer, 401)
            assert answer.headers["www-authenticate"].startswith("Bearer")


NEEDS = {
    "/environments": "environments:read",
    "/workspaces": "workspaces:read",
    "/sessions": "sessions:read",
    "/tokens": "tokens:read",
    "/users": "admin:users:read",
    "/audit": "admin:audit:read",
    "/environments?everyone=true": "admin:environments:read",
}


@pytest.mark.parametrize("path", NEEDS)
def test_a_scope_opens_its_own_part_and_no_other(hub: Hub, path: str) -> None:
    scope = NEEDS[path]
    opening = {scope, "environments:read"} if "everyone" in path else {scope}
    with calling(hub, token_of(hub, "root", *opening)) as right:
        assert right.get(path).status_code == 200
    with calling(hub, token_of(hub, "root", *sorted(set(SCOPES) - {scope}))) as wrong:
        assert scope in problem(wrong.get(path), 403)


@pytest.mark.case("GHSA-69wv-m5fw-2fhp")
def test_no_scope_of_ones_own_shows_somebody_else_s_things(hub: Hub) -> None:
    with calling(hub, token_of(hub, "ada")) as ada, calling(hub, token_of(hub, "bob")) as bob:
        theirs = ada.post("/workspaces", json={"name": "Ada's own"}).json()["id"]
        environment = ada.post("/environments", json={"name": "Ada's own", "profile": "Light"}).json()["id"]
        token = ada.post("/tokens", json={"name": "Ada's own", "scopes": ["environments:read"]}).json()
        for path in (f"/workspaces/{theirs}", f"/environments/{environment}", f"/environments/{environment}/events"):
            problem(bob.get(path), 404)
        problem(bob.post(f"/environments/{environment}/stop"), 404)
        problem(bob.delete(f"/workspaces/{theirs}"), 404)
        problem(bob.delete(f"/tokens/{token['id']}"), 404)
        for path in ("/workspaces", "/environments", "/tokens"):
            assert "Ada's own" not in bob.get(path).text
        assert problem(bob.get("/environments", params={"everyone": True}), 403)


PLACEHOLDERS = ["$SECRET_KEY", "${PODIUM_SECRET_KEY}", "{{ settings.secret_key }}", "{settings.secret_key}", "%(secret_key)s"]


@pytest.mark.case("CVE-2026-55431")
@pytest.mark.parametrize("name", PLACEHOLDERS)
def test_a_placeholder_in_a_name_stays_what_it_is(hub: Hub, name: str) -> None:
    with calling(hub, token_of(hub, "ada")) as ada:
        made = ada.post("/environments", json={"name": name, "profile": "Light"})
        asked = [made, ada.get(f"/environments/{made.json()['id']}"), ada.get(f"/environments/{made.json()['id']}/events")]
        assert [answer.json()["name"] for answer in asked[:2]] == [name, name]
        assert not any(USUAL["secret_key"] in answer.text for answer in asked)


def test_an_auditor_reads_all_and_changes_nothing(hub: Hub) -> None:
    with calling(hub, token_of(hub, "ada")) as ada, calling(hub, token_of(hub, "olive")) as olive:
        environment = ada.post("/environments", json={"name": "looked at", "profile": "Light"}).json()["id"]
        assert olive.get(f"/environments/{environment}").status_code == 200
        assert olive.get("/audit").json()["total"]
        problem(olive.post(f"/environments/{environment}/stop"), 403)
        problem(olive.post("/users", json={"name": "new"}), 403)


@pytest.mark.case("CVE-2024-41942")
def test_a_token_makes_no_mightier_token_and_no_mightier_person(hub: Hub) -> None:
    with calling(hub, token_of(hub, "root", "tokens:write", "admin:users:read")) as weak:
        problem(weak.post("/tokens", json={"name": "mightier", "scopes": ["admin:users:write"]}), 403)
        problem(weak.post("/users", json={"name": "mightier", "role": "administrator"}), 403)
        made = weak.post("/tokens", json={"name": "same", "scopes": ["admin:users:read"]})
        assert made.status_code == 201
        assert made.json()["token"].startswith("podium_")


def test_an_administrator_manages_people(hub: Hub) -> None:
    with calling(hub, token_of(hub, "root")) as root:
        made = root.post("/users", json={"name": "emmy", "display_name": "Emmy Noether"})
        address = made.headers["location"].removeprefix("/api/v1")
        assert "/set-password?link=" in root.post(f"{address}/password-link").json()["address"]
        assert root.put(f"{address}/role", json={"role": "auditor"}).json()["role"] == "auditor"
        assert root.post(f"{address}/disable").json()["state"] == "disabled"
        assert [user["name"] for user in root.get("/users", params={"state": "disabled"}).json()["items"]] == ["emmy"]
        assert root.post(f"{address}/enable").json()["state"] == "active"
        assert root.delete(f"{address}/sessions").status_code == 204
        problem(root.post(f"{address}/approve"), 409)
        acts = {event["act"] for event in root.get("/audit", params={"subject_id": made.json()["id"]}).json()["items"]}
        assert {"user disabled", "user enabled", "role changed"} <= acts


def test_whoever_is_disabled_calls_nothing_any_more(hub: Hub) -> None:
    with calling(hub, token_of(hub, "root")) as root:
        made = root.post("/users", json={"name": "gone"}).json()["id"]
        secret = token_of(hub, "gone", "environments:read")
        with calling(hub, secret) as gone:
            assert gone.get("/me").json()["name"] == "gone"
            root.post(f"/users/{made}/disable")
            problem(gone.get("/me"), 401)


def test_lists_come_in_pages_and_in_order(hub: Hub) -> None:
    with calling(hub, token_of(hub, "root")) as root:
        names = [root.get("/users", params={"size": 1, "page": page, "sort": "-name"}).json() for page in (1, 2)]
        assert names[0]["total"] >= 4
        assert names[0]["items"][0]["name"] > names[1]["items"][0]["name"]
        assert root.get("/users", params={"page": 1000}).json()["items"] == []
        for wrong in ({"size": 101}, {"page": 0}, {"sort": "password"}):
            assert root.get("/users", params=wrong).json()["errors"]


def test_what_was_seen_is_not_sent_again(hub: Hub) -> None:
    with calling(hub, token_of(hub, "ada", "environments:read", "workspaces:write", "workspaces:read")) as ada:
        first = ada.get("/workspaces")
        again = ada.get("/workspaces", headers={"if-none-match": first.headers["etag"]})
        assert (again.status_code, again.content) == (304, b"")
        ada.post("/workspaces", json={"name": "one more"})
        assert ada.get("/workspaces", headers={"if-none-match": first.headers["etag"]}).status_code == 200


@pytest.mark.case("A8-14")
def test_a_session_calls_from_an_own_page_only(hub: Hub) -> None:
    session = {"cookie": f"__Host-podium={hub.log_in('ada')}"}
    own = {**session, "origin": hub.url, "sec-fetch-site": "same-origin"}
    with calling(hub, None) as browser:
        assert browser.get("/me", headers=own).json()["name"] == "ada"
        assert browser.post("/workspaces", json={"name": "by the browser"}, headers=own).status_code == 201
        for foreign in (session, {**session, "origin": "http://evil.example"}, {**session, "sec-fetch-site": "same-site"}):
            assert browser.post("/workspaces", json={"name": "by another site"}, headers=foreign).status_code == 403
        plain = {**own, "content-type": "text/plain"}
        assert browser.post("/workspaces", content='{"name": "by a form"}', headers=plain).status_code == 422
        names = browser.get("/workspaces", headers=own).text
        assert "by another site" not in names
        assert "by a form" not in names


def test_who_shows_many_wrong_tokens_waits_and_keeps_nobody_from_working(hub_of_its_own: Hub) -> None:
    used, fresh = token_of(hub_of_its_own, "ada"), token_of(hub_of_its_own, "ada")
    with calling(hub_of_its_own, "podium_wrong") as guesser, calling(hub_of_its_own, used) as worker:
        assert worker.get("/me").status_code == 200
        answers = [guesser.get("/me") for _ in range(40)]
        assert problem(answers[-1], 429)
        assert answers[-1].headers["retry-after"]
        assert guesser.get("/me", headers={"authorization": f"Bearer {fresh}"}).status_code == 429
        assert worker.get("/me").status_code == 200


def test_the_cookie_of_a_login_is_never_a_token(hub: Hub) -> None:
    with calling(hub, hub.log_in("root")) as thief:
        problem(thief.get("/me"), 401)
    with hub.client() as client:
        assert cookie(client.get("/login"), "__Host-podium-form")


HOSTILE = ["\\ud800", "\\u0000", "../../etc", "<script>alert(1)</script>", "x" * 900]


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
@pytest.mark.parametrize("field", ["name", "profile", "workspace_id"])
def test_a_hostile_text_is_a_problem_and_never_a_fault(hub: Hub, field: str, text: str) -> None:
    order = {"name": "hostile", "profile": "gone", "workspace_id": "0" * 32, field: text}
    body = "{" + ", ".join(f'"{name}": "{value}"' for name, value in order.items()) + "}"
    with calling(hub, token_of(hub, "ada", "environments:write")) as ada:
        assert problem(ada.post("/environments", content=body, headers={"content-type": "application/json"}), 422)


@pytest.mark.parametrize("query", ["/users?q=%00", "/audit?act=%00", "/audit?since=yesterday", "/environments?sort=%00"])
def test_a_hostile_filter_is_a_problem(hub: Hub, query: str) -> None:
    with calling(hub, token_of(hub, "root")) as root:
        assert problem(root.get(query), 422)
