"""What the app is told of a request: the verified person, and nothing that a client claims or that is the hub's."""

import pytest
from environment.headers import cleaned

from tests.environment.running import Environment, connected
from tests.support.script_run import run, text


@pytest.mark.case("A3-11")
def test_the_app_sees_the_person_of_the_assertion(plain: Environment) -> None:
    with connected(plain, sub="user-7", email="ada@example.org", role="administrator") as socket:
        seen = text(run(socket))
    for part in ("user-7", "ada@example.org", "administrator"):
        assert part in seen


@pytest.mark.case("A4-1")
@pytest.mark.case("A5-3")
@pytest.mark.case("CVE-2025-64484")
@pytest.mark.parametrize(
    "name",
    [
        b"x-podium-user",
        b"X_Podium_User",
        b"x-podium_user",
        b"X-PODIUM-EMAIL",
        b"x-podium-assertion",
        b"x-hub-user",
        b"X_Hub_User",
        b"x-forwarded-user",
        b"X_Forwarded_Email",
        b"x-auth-request-user",
        b"remote_user",
        b"authorization",
        b"proxy-authorization",
    ],
)
def test_a_header_that_names_a_person_is_dropped(name: bytes) -> None:
    assert cleaned([(name, b"mallory"), (b"accept", b"*/*")]) == [(b"accept", b"*/*")]


@pytest.mark.case("A5-1")
@pytest.mark.case("A5-2")
def test_the_hubs_cookies_are_dropped_and_the_apps_are_kept() -> None:
    sent = b"podium=a; __Host-podium=b; __Host-podium-form=c; _streamlit_xsrf=d; _streamlit_user=e; mine=f;; __HOST-PODIUM=g"
    assert cleaned([(b"cookie", sent)]) == [(b"cookie", b"_streamlit_xsrf=d; mine=f")]
    assert cleaned([(b"cookie", b"podium=a")]) == []


def test_a_claimed_identity_does_not_reach_the_script(plain: Environment) -> None:
    with plain.client(**{"X-Podium-User": "mallory", "X_Podium_User": "mallory", "Cookie": "podium=secret"}) as client:
        assert client.get("/_stcore/health").status_code == 200
    with connected(plain, sub="user-8") as socket:
        assert "mallory" not in text(run(socket))


def test_a_name_in_any_script_arrives_whole(app: Environment) -> None:
    with connected(app, name="Zoë Ångström 张伟 علي") as socket:
        assert "Zoë Ångström 张伟 علي" in text(run(socket))
