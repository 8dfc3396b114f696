"""The contract of every front door: who gets in, what passes, and what does not."""

import json
from http.cookies import SimpleCookie
from uuid import uuid4

import httpx
import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus

from hub.identity.cookies import cookie_name
from hub.routing import headers
from tests.routing.front import BROWSER, Front
from tests.routing.serving import until
from tests.routing.world import ASSET

ALLOWED = {*headers.REQUEST, "host", "cookie", "x-podium-assertion", "connection", "content-length", "transfer-encoding"}


def _seen(response: httpx.Response) -> dict[str, str]:
    assert response.status_code == 200, response.text
    return dict(response.json()["headers"])


@pytest.mark.case("A6-3")
def test_its_owner_enters_an_environment(front: Front) -> None:
    response = front.get("calm-heron", "/echo?x=1&y=%20", cookie=front.cookie(front.alice, "calm-heron"))
    assert response.json()["path"] == front.prefix("calm-heron") + "/echo"
    assert response.json()["query"] == "x=1&y=%20"
    assert _seen(response)["host"] == front.host("calm-heron")


@pytest.mark.parametrize("path", ["/a%20b/%C3%A9", "/a+b", "/%23", "/caf%c3%a9?q=a//b&p=..%2f"])
def test_a_path_arrives_as_it_was_sent(front: Front, path: str) -> None:
    target = front.prefix("calm-heron") + path
    status, answer = front.raw_get(target, front.host("calm-heron"), front.cookie(front.alice, "calm-heron"))
    assert status == 200, answer
    seen = json.loads(answer.rpartition(b"\r\n\r\n")[2].partition(b"{")[2].join([b"{", b""]).partition(b"]]}")[0] + b"]]}")
    assert seen["path"] + ("?" + seen["query"] if seen["query"] else "") == target


def test_the_environment_of_somebody_else_is_refused(front: Front) -> None:
    if front.by_host:
        cookie = front.cookie(front.bob, "bold-otter")
        assert front.get("calm-heron", "/echo", cookie=cookie).status_code == 401
        return
    response = front.get("calm-heron", "/echo", cookie=front.cookie(front.bob, "calm-heron"))
    assert response.status_code == 404


def test_a_websocket_to_the_environment_of_somebody_else_is_refused(front: Front) -> None:
    cookie = front.cookie(front.bob, "bold-otter")
    with pytest.raises(InvalidStatus) as refused, front.socket("calm-heron", cookie=cookie):
        pass
    assert refused.value.response.status_code in {401, 404}


@pytest.mark.case("A2-6")
def test_without_login_nobody_enters(front: Front) -> None:
    assert front.get("calm-heron", "/echo").status_code == 401
    with pytest.raises(InvalidStatus) as refused, front.socket("calm-heron"):
        pass
    assert refused.value.response.status_code == 401


def test_after_logging_out_nobody_enters(own_front: Front) -> None:
    """At once through the gateway; NGINX may go on with its last answer for three seconds."""
    cookie = own_front.cookie(own_front.alice, "calm-heron")
    assert own_front.get("calm-heron", "/echo", cookie=cookie).status_code == 200
    own_front.world.sessions.end(own_front.alice.person.session_id, "logout")
    if own_front.is_nginx:
        until(lambda: own_front.get("calm-heron", "/echo", cookie=cookie).status_code != 200, 5)
    assert own_front.get("calm-heron", "/echo", cookie=cookie).status_code == 401
    with pytest.raises(InvalidStatus), own_front.socket("calm-heron", cookie=cookie):
        pass


@pytest.mark.case("A2-6")
def test_not_yours_and_unknown_look_the_same(front: Front) -> None:
    if front.by_host:
        cookie = f"{cookie_name(front.world.settings, 'session')}={front.bob.token}"
        asked = "/routing/enter?binding=" + "0" * 64 + "&environment="
        theirs = front.hub(asked + "calm-heron", cookie=cookie, headers=BROWSER)
        unknown = front.hub(asked + "nobody-at-all", cookie=cookie, headers=BROWSER)
    else:
        cookie = front.cookie(front.bob, "bold-otter")
        theirs = front.get("calm-heron", "/", cookie=cookie, headers=BROWSER)
        unknown = front.get("nobody-at-all", "/", cookie=cookie, headers=BROWSER)
    assert theirs.status_code == unknown.status_code == 404
    assert _plain(theirs).replace("calm-heron", "nobody-at-all") == _plain(unknown)
    assert "There is no such environment" in theirs.text


def _plain(response: httpx.Response) -> str:
    """The page without its nonces."""
    nonce = response.headers["content-security-policy"].partition("'nonce-")[2].partition("'")[0]
    return response.text.replace(nonce, "")


@pytest.mark.case("A3-8")
def test_two_people_on_one_address_with_cached_answers_are_told_apart(front: Front) -> None:
    """By path alice and bob share host and address; by host both send a cookie to the same host."""
    alice = front.cookie(front.alice, "calm-heron")
    bob = front.cookie(front.bob, "bold-otter") if front.by_host else front.cookie(front.bob, "calm-heron")
    for _ in range(5):
        assert front.get("calm-heron", "/echo", cookie=alice).status_code == 200
        assert front.get("calm-heron", "/echo", cookie=bob).status_code in {401, 404}
        assert front.get("calm-heron", "/echo").status_code == 401


@pytest.mark.case("A5-7")
@pytest.mark.case("A5-1")
@pytest.mark.case("A5-2")
@pytest.mark.case("A5-3")
@pytest.mark.case("A3-6")
@pytest.mark.case("A3-7")
def test_an_environment_receives_exactly_the_allowed_headers(front: Front) -> None:
    cookie = front.cookie(front.alice, "calm-heron")
    name = cookie_name(front.world.settings, "session")
    sent = {
        "Authorization": "Bearer canary",
        "Proxy-Authorization": "Basic canary",
        "X-Forwarded-User": "canary",
        "X_Forwarded_User": "canary",
        "x-FORWARDED-user": "canary",
        "X-Forwarded-Email": "canary",
        "X-Forwarded-Groups": "canary",
        "X-Forwarded-For": "canary",
        "X-Forwarded-Host": "canary",
        "X-Forwarded-Uri": "/canary",
        "X-Original-URI": "/canary",
        "X-Original-URL": "/canary",
        "X-Rewrite-URL": "/canary",
        "X-Real-IP": "canary",
        "X-Hub-User": "canary",
        "X_Hub_User": "canary",
        "X-Podium-User": "canary",
        "X_Podium_User": "canary",
        "X-Podium-Session": "canary",
        "X-Podium-Cluster": "canary",
        "X-Podium-Environment": "canary",
        "X-Podium-Assertion": "canary",
        "X_Podium_Assertion": "canary",
        "Remote-User": "canary",
        "X-Remote-User": "canary",
        "X-Auth-Request-User": "canary",
        "Forwarded": "for=canary",
        "X-Accel-Redirect": "/canary",
        "Accept": "text/plain",
        "X-Xsrftoken": "own",
        "Range": "bytes=0-100",
    }
    others = f"podium=canary; {name}=canary; __Host-podium-form=canary; _streamlit_user=canary; _streamlit_xsrf=own; b=own"
    response = front.get("calm-heron", "/echo", cookie=f"a=own; {cookie}; {others}", headers=sent)
    seen = _seen(response)
    assert set(seen) <= ALLOWED
    assert "canary" not in response.text
    assert SimpleCookie(seen["cookie"]).keys() == {"a", "_streamlit_xsrf", "b"}
    assert seen["x-xsrftoken"] == "own"
    assert seen["range"] == "bytes=0-100"
    assert [name for name, _ in response.json()["headers"]].count("x-podium-assertion") == 1


@pytest.mark.case("CVE-2024-28233")
def test_many_planted_cookies_are_all_taken_out(front: Front) -> None:
    cookie = front.cookie(front.alice, "calm-heron")
    planted = "; ".join(f"podium-{number}=canary" for number in range(20))
    response = front.get("calm-heron", "/echo", cookie=f"{cookie}; {planted}; own=fine")
    assert "canary" not in response.text


@pytest.mark.case("A5-4")
@pytest.mark.case("A5-5")
@pytest.mark.case("A5-6")
@pytest.mark.case("CVE-2024-28233")
def test_an_environment_cannot_reach_beyond_its_host_by_its_answers(front: Front) -> None:
    response = front.get("calm-heron", "/evil", cookie=front.cookie(front.alice, "calm-heron"))
    assert response.status_code == 200
    assert response.text == "evil"
    assert response.headers["x-own"] == "fine"
    assert not set(response.headers) & {"strict-transport-security", "clear-site-data", "service-worker-allowed"}
    assert not [name for name in response.headers if name.startswith("x-accel")]
    taken = [cookie for cookie in response.headers.get_list("set-cookie") if _browser_takes(cookie)]
    assert len(taken) == 1
    assert taken[0].startswith("own=fine")


def _browser_takes(set_cookie: str) -> bool:
    """By RFC 6265bis, on a host below localhost."""
    pair, *rest = (part.strip() for part in set_cookie.split(";"))
    attributes = {key.lower(): value.lower() for key, _, value in (part.partition("=") for part in rest)}
    name = pair.partition("=")[0]
    domain = attributes.get("domain", "").lstrip(".")
    if domain and domain != "localhost":
        return False
    if attributes.get("samesite") == "none" and "secure" not in attributes:
        return False
    return not name.lower().startswith("__host-") or ("secure" in attributes and not domain)


def test_the_answers_of_an_environment_are_its_own(front: Front) -> None:
    cookie = front.cookie(front.alice, "calm-heron")
    for status in (200, 204, 301, 400, 401, 403, 404, 409, 500, 503):
        response = front.get("calm-heron", f"/status/{status}", cookie=cookie)
        assert response.status_code == status
        assert "x-podium-door" not in response.headers


@pytest.mark.parametrize("status", [421, 502, 504])
def test_an_environment_that_fails_is_covered_by_the_door(front: Front, status: int) -> None:
    cookie = front.cookie(front.alice, "calm-heron")
    page = front.get("calm-heron", f"/status/{status}", cookie=cookie, headers=BROWSER)
    assert page.status_code == 502
    assert "does not answer" in page.text


def test_an_answer_is_streamed_as_it_comes(front: Front) -> None:
    cookie, name = front.cookie(front.alice, "calm-heron"), uuid4().hex
    given = {"Host": front.host("calm-heron"), "Cookie": cookie}
    with (
        front.client() as client,
        client.stream("GET", f"{front.prefix('calm-heron')}/stream?{name}", headers=given) as response,
    ):
        lines = response.iter_lines()
        assert next(lines) == "first"
        front.get("calm-heron", f"/stream-go?{name}", cookie=cookie)
        assert next(lines) == "second"


def test_a_websocket_carries_text_binary_and_its_subprotocol(front: Front) -> None:
    cookie = front.cookie(front.alice, "calm-heron")
    with front.socket("calm-heron", cookie=cookie, subprotocols=("streamlit", "token", "session")) as connection:
        assert connection.subprotocol == "streamlit"
        connection.send("grüße")
        assert connection.recv() == "grüße"
        connection.send(b"\x00\xff" * 10)
        assert connection.recv() == b"\x00\xff" * 10
        connection.send("seen")
        seen = dict(json.loads(connection.recv())["headers"])
    allowed = ALLOWED | {
        "upgrade",
        "sec-websocket-key",
        "sec-websocket-version",
        "sec-websocket-protocol",
        "sec-websocket-extensions",
    }
    assert set(seen) <= allowed
    assert "podium" not in seen.get("cookie", "")


def test_a_large_message_passes_a_websocket(front: Front) -> None:
    message = b"m" * (20 * 1024 * 1024)
    with front.socket("calm-heron", cookie=front.cookie(front.alice, "calm-heron")) as connection:
        connection.send(message)
        assert connection.recv() == message


@pytest.mark.parametrize(("code", "reason"), [(1000, "done"), (1008, "no"), (4001, "own words"), (1009, "too big")])
def test_close_codes_pass(front: Front, code: int, reason: str) -> None:
    with front.socket("calm-heron", cookie=front.cookie(front.alice, "calm-heron")) as connection:
        connection.send(f"close {code} {reason}")
        with pytest.raises(ConnectionClosed) as closed:
            connection.recv()
    assert closed.value.rcvd is not None
    assert (closed.value.rcvd.code, closed.value.rcvd.reason) == (code, reason)


def test_below_podium_an_environments_address_belongs_to_the_hub(front: Front) -> None:
    cookie = front.cookie(front.alice, "calm-heron")
    assert "WebSocket" in front.get("calm-heron", "/_podium/tab.js").text
    for path in ("/_podium/health", "/_podium/control", "/_podium/anything", "/_podium/"):
        assert front.get("calm-heron", path, cookie=cookie).status_code == 404
    own = {"Origin": f"http://{front.host('calm-heron')}"}
    assert front.request("POST", "calm-heron", "/_podium/control", cookie=cookie, headers=own).status_code == 404


def test_a_tab_is_told_whether_it_may_stay(front: Front) -> None:
    assert front.get("calm-heron", "/_podium/alive", cookie=front.cookie(front.alice, "calm-heron")).status_code == 204
    assert front.get("calm-heron", "/_podium/alive").status_code == 401
    assert front.get("stopped", "/_podium/alive", cookie=front.cookie(front.alice, "stopped")).status_code == 409
    session = f"{cookie_name(front.world.settings, 'session')}={front.alice.token}"
    assert front.hub("/_podium/alive", cookie=session).status_code == 204
    assert front.hub("/_podium/alive").status_code == 401


@pytest.mark.case("A6-8")
@pytest.mark.parametrize("path", ["/_stcore/metrics", "/_stcore/agent/interact", "/_stcore/AGENT/", "/oauth2callback"])
def test_addresses_for_operators_do_not_exist_from_outside(front: Front, path: str) -> None:
    assert front.get("calm-heron", path, cookie=front.cookie(front.alice, "calm-heron")).status_code == 404
    assert front.hub(path).status_code == 404


def test_the_hub_is_reached_and_unknown_routing_paths_are_not_streamlits(front: Front) -> None:
    assert front.hub("/environments").text == "hub /environments"
    for path in ("/routing/authorise", "/routing/authorize", "/routing/", "/_podium/other"):
        assert front.hub(path).status_code == 404


@pytest.mark.case("CVE-2026-111927")
@pytest.mark.case("A6-1")
@pytest.mark.case("A6-9")
@pytest.mark.parametrize(
    "origin", ["http://evil.example", "null", "http://localhost.evil.example", "http://bold-otter.localhost"]
)
@pytest.mark.parametrize("with_cookie", [True, False])
def test_a_page_of_another_origin_opens_no_socket(front: Front, origin: str, with_cookie: bool) -> None:  # noqa: FBT001
    cookie = front.cookie(front.alice, "calm-heron") if with_cookie else ""
    with pytest.raises(InvalidStatus) as refused, front.socket("calm-heron", cookie=cookie, headers={"Origin": origin}):
        pass
    assert refused.value.response.status_code == 403


@pytest.mark.case("A6-3")
def test_a_page_of_the_environment_itself_opens_one(front: Front) -> None:
    origin = {"Origin": f"http://{front.host('calm-heron')}"}
    with front.socket("calm-heron", cookie=front.cookie(front.alice, "calm-heron"), headers=origin) as connection:
        connection.send("hello")
        assert connection.recv() == "hello"


FOREIGN = [
    {"Sec-Fetch-Site": site, "Sec-Fetch-Mode": mode} for site in ("cross-site", "same-site") for mode in ("no-cors", "cors")
]


@pytest.mark.case("CVE-2026-40864")
@pytest.mark.case("A8-14")
@pytest.mark.parametrize("method", ["GET", "POST", "PUT"])
def test_a_neighbours_page_makes_no_requests_here(front: Front, method: str) -> None:
    cookie = front.cookie(front.alice, "calm-heron")
    session = f"{cookie_name(front.world.settings, 'session')}={front.alice.token}"
    for sent in FOREIGN:
        assert front.request(method, "calm-heron", "/echo", cookie=cookie, headers=sent).status_code == 403
        assert front.hub("/anything", cookie=session, headers=sent, method=method).status_code == 403


@pytest.mark.case("CVE-2026-40864")
@pytest.mark.parametrize(
    "sent",
    [{}, {"Sec-Fetch-Site": "none", "Sec-Fetch-Mode": "no-cors"}, {"Origin": "http://evil.example"}, {"Origin": "null"}],
    ids=str,
)
def test_what_changes_something_must_be_proven_to_be_our_own(front: Front, sent: dict[str, str]) -> None:
    session = f"{cookie_name(front.world.settings, 'session')}={front.alice.token}"
    assert front.hub("/anything", cookie=session, headers=sent, method="POST").status_code == 403
    own = {"Origin": f"http://localhost:{front.port}"}
    assert front.hub("/anything", cookie=session, headers=own, method="POST").status_code == 200


def test_a_link_from_elsewhere_is_followed_and_a_frame_is_not(front: Front) -> None:
    cookie = front.cookie(front.alice, "calm-heron")
    link = {**BROWSER, "Sec-Fetch-Site": "cross-site"}
    assert front.get("calm-heron", "/echo", cookie=cookie, headers=link).status_code == 200
    framed = {**link, "Sec-Fetch-Dest": "iframe"}
    assert front.get("calm-heron", "/echo", cookie=cookie, headers=framed).status_code == 403


def test_streamlits_own_files_need_no_login_and_come_from_the_hub(front: Front) -> None:
    asset = front.get("calm-heron", ASSET, cookie="own=canary", headers={"Authorization": "canary"})
    assert asset.text == "asset of the hub"
    assert "immutable" in asset.headers["cache-control"]
    assert asset.headers["content-type"].startswith("text/javascript")
    assert asset.headers["x-content-type-options"] == "nosniff"
    assert front.hub(ASSET).text == "asset of the hub"
    assert front.get("stopped", ASSET).text == "asset of the hub"
    other = ASSET.replace("index", "other")
    assert front.get("calm-heron", other).status_code == 401
    own = front.get("calm-heron", other, cookie=front.cookie(front.alice, "calm-heron"))
    assert own.json()["path"] == front.prefix("calm-heron") + other
