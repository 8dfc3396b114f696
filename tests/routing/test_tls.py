"""NGINX that speaks TLS itself: whoever comes with plain HTTP is sent to the same page over TLS, and nowhere else."""

import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

import httpx
import pytest

from hub.errors import CannotStart
from hub.routing.nginx import NginxOptions, render
from hub.settings import Settings
from tests.routing.serving import free_port, nginx_user, nginx_with
from tests.support.certificate import certified

TARGET = "/deep%20er/page?of=a&%C3%A9=b"
"""A page of somebody's, as it stands in a link."""


class Doors(NamedTuple):
    """The hub's public address, NGINX's port for plain HTTP, its port for TLS, and what vouches for it there."""

    public: str
    plain: int
    secure: int
    authority: Path


@pytest.fixture(scope="module", params=["host", "path"])
def doors(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Doors]:
    folder = tmp_path_factory.mktemp("tls")
    plain, secure, nobody = free_port(), free_port(), free_port()
    public = f"https://localhost:{secure}"
    settings = Settings.model_validate({"public_url": public, "base_domain": "localhost", "routing": request.param})
    certificate, key = certified(folder, "localhost")
    options = NginxOptions(
        settings, folder / "nginx", (f"127.0.0.1:{secure}",), (f"127.0.0.1:{nobody}",), "c" * 40,
        user=nginx_user(), workers="1", certificate=(str(certificate), str(key)), plain=(f"127.0.0.1:{plain}",),
    )  # fmt: skip
    with nginx_with(render(options), folder / "nginx", plain):
        yield Doors(public, plain, secure, certificate)


def sent_to(port: int, host: str, target: str = TARGET) -> str:
    """Where somebody is sent who asks for that, as it stands, in plain HTTP."""
    asked = httpx.Request("GET", f"http://127.0.0.1:{port}", headers={"Host": host}, extensions={"target": target.encode()})
    with httpx.Client(trust_env=False) as client:
        answer = client.send(asked)
    assert answer.status_code == 307
    return answer.headers["Location"]


@pytest.mark.parametrize("port", ["plain", "secure"])
def test_plain_http_is_sent_to_the_same_page_over_tls(doors: Doors, port: str) -> None:
    assert sent_to(getattr(doors, port), "localhost") == doors.public + TARGET


@pytest.mark.parametrize("port", ["plain", "secure"])
def test_plain_http_for_an_environment_stays_with_its_host(doors: Doors, port: str, request: pytest.FixtureRequest) -> None:
    by_host = "host" in request.node.callspec.params.values()
    expected = f"https://calm-heron.localhost:{doors.secure}" if by_host else doors.public
    assert sent_to(getattr(doors, port), "calm-heron.localhost") == expected + TARGET


@pytest.mark.parametrize("port", ["plain", "secure"])
@pytest.mark.parametrize("host", ["evil.example", "calm-heron.localhost.evil.example", "a.calm-heron.localhost", "xlocalhost"])
def test_plain_http_for_a_foreign_host_is_sent_to_podium_s_own(doors: Doors, port: str, host: str) -> None:
    assert sent_to(getattr(doors, port), host) == doors.public + TARGET


@pytest.mark.parametrize("target", ["//evil.example/", "/\\evil.example", "/@evil.example/"])
def test_no_target_leads_elsewhere(doors: Doors, target: str) -> None:
    assert urlsplit(sent_to(doors.plain, "localhost", target)).netloc == f"localhost:{doors.secure}"


def test_over_tls_the_hub_is_asked(doors: Doors) -> None:
    context = ssl.create_default_context(cafile=doors.authority)
    with httpx.Client(base_url=doors.public, verify=context, trust_env=False) as client:
        assert client.get("/login").status_code == 503  # Podium's own page: there is no hub behind this NGINX


@pytest.mark.parametrize(
    ("public", "certificate", "words"),
    [
        ("https://localhost", None, "needs a certificate"),
        ("https://localhost", ("/tls/certificate.pem", ""), "has a key"),
        ("http://localhost", ("/tls/certificate.pem", "/tls/key.pem"), "has to begin with https"),
    ],
)
def test_what_would_lead_nowhere_is_refused(
    tmp_path: Path, public: str, certificate: tuple[str, str] | None, words: str
) -> None:
    settings = Settings.model_validate({"public_url": public, "base_domain": "localhost"})
    with pytest.raises(CannotStart, match=words):
        render(
            NginxOptions(settings, tmp_path, ("8443",), ("127.0.0.1:8501",), "c" * 40, certificate=certificate, plain=("8080",))
        )
