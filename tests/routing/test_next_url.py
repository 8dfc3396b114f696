"""Where to go after login or entry: the table of open redirects."""

import httpx
import pytest

from hub.identity.cookies import cookie_name
from hub.identity.tokens import digest
from hub.routing.next_url import safe_path
from hub.routing.targets import LONGEST
from tests.routing.front import BROWSER, Front

HOST = "localhost:8501"
FOREIGN = [
    "relative/path",
    "https://other",
    "ftp://other",
    "//other",
    "///other",
    "\\\\other",
    "/\\other",
    "\\/other",
    "/%5cother",
    "/%5Cother",
    "/%2f/other",
    "/%2Fother",
    "https:other",
    "https:/other",
    "http:///other",
    f"{HOST}//other",
    f"{HOST}////other",
    f"https://{HOST}//other",
    f"https://{HOST}///other/",
    f"https://{HOST}////other/",
    f"https://{HOST}@other",
    f"https://{HOST}.other",
    f"https://other#@{HOST}",
    f"http://{HOST}/fine",
    f"//{HOST}/fine",
    "/\t/other",
    "/\n/other",
    "/\r/other",
    "\t//other",
    " //other",
    "  https://other",
    "/ /other",
    "/\x00/other",
    "javascript:alert(1)",
    "JaVaScRiPt:alert(1)",
    "java\nscript:alert(1)",
    "data:text/html,x",
    "/\u2215other",
    "/\uff0fother",
    "\uff0f\uff0fother",
    "/..//other",
    "/.//other",
    "/x/..//other",
    "/%2e%2e//other",
    "/;/other",
    "/x#//other",
    "/x\\y",
    "/x?y=\\\\other",
    "/" + "x" * 10_240,
    "@other",
    "?next=//other",
    "",
]
OWN = ["/", "/environments", "/environments?x=1&y=//z", "/user/calm-heron/a%20b?q=%2f", "/@name", "/routing/enter?next=%2F"]


@pytest.mark.case("CVE-2020-11053")
@pytest.mark.case("T-RED")
@pytest.mark.case("CVE-2019-10255")
@pytest.mark.case("CVE-2026-33709")
@pytest.mark.parametrize("value", [*FOREIGN, None])
def test_a_foreign_address_becomes_the_home_page(value: str | None) -> None:
    assert safe_path(value) == "/"


@pytest.mark.case("T-RED")
@pytest.mark.parametrize("value", OWN)
def test_a_path_of_our_own_stays(value: str) -> None:
    assert safe_path(value) == value


@pytest.mark.case("T-RED")
def test_the_entry_never_leads_off_the_host(front: Front) -> None:
    if not front.by_host:
        return
    for value in FOREIGN:
        response = _enter(front, value)
        if len(value) > LONGEST:
            assert response.status_code == 400
        else:
            assert (value, response.status_code, response.headers["location"]) == (value, 303, "/")


def _enter(front: Front, wanted: str) -> httpx.Response:
    nonce = "m" * 43
    code = front.world.routing.entries.code(front.alice.person, front.environments["calm-heron"].id, digest(nonce))
    cookie = f"{cookie_name(front.world.settings, 'entry-nonce')}={nonce}"
    headers = {"Host": front.host("calm-heron"), "Cookie": cookie, **BROWSER}
    with front.client() as client:
        return client.get("/_podium/enter", params={"code": code, "next": wanted}, headers=headers)
