"""The NGINX of another cluster: it serves environments there, and asks the hub over TLS at its public address."""

import shutil
import ssl
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path

import httpx
import pytest

from hub.clusters.model import Cluster
from hub.clusters.service import credential_of
from hub.environments.model import Environment, Phase, Target
from hub.errors import CannotStart
from hub.identity.tokens import digest
from hub.routing.nginx import NginxOptions, render
from hub.settings import Settings
from tests.routing.echo import Echo
from tests.routing.front import BROWSER, Visitor
from tests.routing.serving import free_port, listener, nginx, nginx_user, nginx_with, serving
from tests.routing.world import ASSET, CREDENTIAL, World
from tests.support.certificate import certified

CLUSTER, DOMAIN = "gpu-centre", "gpu.localhost"
_EDGE = """
events {{}}
daemon off;
pid {folder}/nginx.pid;
error_log stderr warn;
{user}
http {{
    access_log off;
    proxy_temp_path {folder}/tmp/proxy;
    client_body_temp_path {folder}/tmp/body;
    server {{
        listen 127.0.0.1:{port} ssl default_server;
        ssl_certificate {certificate};
        ssl_certificate_key {key};
        return 404;
    }}
    server {{
        listen 127.0.0.1:{port} ssl;
        server_name localhost;
        ssl_certificate {certificate};
        ssl_certificate_key {key};
        location / {{
            proxy_set_header Host $http_host;
            proxy_pass http://127.0.0.1:{inner};
        }}
    }}
}}
"""
"""What an administrator may have before Podium: it ends TLS, and routes the hub's own host alone."""


@dataclass
class Elsewhere:
    """`port` is that of the other cluster's NGINX, `public` the hub's address, signed by `authority`."""

    world: World
    public: str
    authority: Path
    options: NginxOptions
    port: int
    alice: Visitor
    environments: dict[str, Environment] = field(default_factory=dict)

    def ask(self, path: str, slug: str = "calm-heron", method: str = "GET", /, **headers: str) -> httpx.Response:
        host = f"{slug}.{DOMAIN}"
        with httpx.Client(base_url=f"http://127.0.0.1:{self.port}", timeout=30, trust_env=False) as client:
            return client.request(method, path, headers={"Host": host, **headers})

    def cookie(self, slug: str = "calm-heron") -> str:
        return self.world.cookie(self.alice.person, self.alice.token, self.environments[slug])

    def hub(self, path: str, **headers: str) -> httpx.Response:
        with httpx.Client(
            base_url=self.public, verify=ssl.create_default_context(cafile=self.authority), trust_env=False
        ) as client:
            return client.get(path, headers=headers)


@pytest.fixture(scope="module")
def elsewhere(template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Elsewhere]:
    folder, sockets = tmp_path_factory.mktemp("elsewhere"), Path(tempfile.mkdtemp(prefix="podium-e-"))
    shutil.copyfile(template, folder / "podium.db")
    public_port, inner_port, port = free_port(), free_port(), free_port()
    public = f"https://localhost:{public_port}"
    settings = Settings.model_validate({"public_url": public, "port": inner_port, "base_domain": "localhost"})
    world = World.build(settings, f"sqlite:///{folder / 'podium.db'}", {CLUSTER: DOMAIN})
    certificate, key = certified(folder, "localhost")
    user = f"user {nginx_user()};" if nginx_user() else ""
    edge = _EDGE.format(folder=folder / "edge", port=public_port, inner=inner_port, certificate=certificate, key=key, user=user)
    options = NginxOptions(
        settings, folder / "nginx", (f"127.0.0.1:{port}",), (f"localhost:{public_port}",), credential_of(CLUSTER, CREDENTIAL),
        cluster_id=CLUSTER, domain=DOMAIN, authorities=str(certificate), user=nginx_user(), workers="1",
    )  # fmt: skip
    with ExitStack() as stack:
        stack.callback(shutil.rmtree, sockets)
        stack.callback(world.close)
        bound = listener()
        stack.enter_context(serving(world.app, bound))
        stack.enter_context(nginx(settings, folder / "home", CREDENTIAL, f"127.0.0.1:{bound.getsockname()[1]}"))
        stack.enter_context(nginx_with(edge, folder / "edge", public_port))
        stack.enter_context(nginx_with(render(options), folder / "nginx", port))
        stack.enter_context(serving(Echo(), listener(sockets / "echo")))
        yield peopled(Elsewhere(world, public, certificate, options, port, Visitor(*world.login("alice"))), sockets / "echo")


def peopled(elsewhere: Elsewhere, upstream: Path) -> Elsewhere:
    world = elsewhere.world
    with world.database.writing("cluster") as session:
        hashed = digest(elsewhere.options.credential)
        session.merge(Cluster(id=CLUSTER, kind="kubernetes", environments_domain=DOMAIN, credential_hash=hashed))
    stopped = {"phase": Phase.STOPPED, "target": Target.STOPPED, "reason": "Because it stopped"}
    for slug, changes in (("calm-heron", {}), ("at-home", {}), ("stopped", stopped), ("to-launch", stopped)):
        elsewhere.environments[slug] = world.environment(slug, "alice", f"unix:{upstream}", **changes)
        if slug != "at-home":
            world.change(elsewhere.environments[slug], cluster_id=CLUSTER)
    return elsewhere


def test_its_owner_enters_an_environment_there(elsewhere: Elsewhere) -> None:
    seen = elsewhere.ask("/echo?x=1", Cookie=elsewhere.cookie())
    assert seen.status_code == 200, seen.text
    assert (seen.json()["path"], seen.json()["query"]) == ("/echo", "x=1")
    assert dict(seen.json()["headers"])["host"] == f"calm-heron.{DOMAIN}"
    assert elsewhere.ask("/echo").status_code == 401


def test_its_doors_are_drawn_by_the_hub_for_the_environment_s_own_host(elsewhere: Elsewhere) -> None:
    door = elsewhere.ask("/", "stopped", **BROWSER, Cookie=elsewhere.cookie("stopped"))
    assert door.status_code == 409
    assert "Because it stopped" in door.text
    asked = elsewhere.ask("/", **BROWSER)
    assert asked.status_code == 303
    assert asked.headers["location"].startswith(f"{elsewhere.public}/routing/enter?environment=calm-heron")
    assert "entry-nonce" in asked.headers["set-cookie"]


def test_who_logged_in_at_the_hub_is_handed_over_to_the_host_there(elsewhere: Elsewhere) -> None:
    nonce = "n" * 43
    session = elsewhere.world.cookie(elsewhere.alice.person, elsewhere.alice.token, elsewhere.environments["calm-heron"])
    name = session.partition("=")[0].replace("-entry", "")
    handed = elsewhere.hub(
        f"/routing/enter?environment=calm-heron&binding={digest(nonce)}&next=/", Cookie=f"{name}={elsewhere.alice.token}"
    )
    port = elsewhere.public.rpartition(":")[2]
    location = handed.headers["location"]
    assert location.startswith(f"https://calm-heron.{DOMAIN}:{port}/_podium/enter?")
    entered = elsewhere.ask("/" + location.split("/", 3)[3], Cookie=f"{name}-entry-nonce={nonce}")
    assert entered.status_code == 303, entered.text
    assert elsewhere.ask("/echo", Cookie=entered.headers["set-cookie"].partition(";")[0]).status_code == 200


def test_the_door_s_button_launches(elsewhere: Elsewhere) -> None:
    page = {"Origin": f"https://to-launch.{DOMAIN}", "Sec-Fetch-Site": "same-origin", "Cookie": elsewhere.cookie("to-launch")}
    assert elsewhere.ask("/_podium/launch", "to-launch", "POST", **page).status_code == 303
    assert elsewhere.world.view("to-launch").phase is Phase.STARTING


def test_streamlit_s_own_files_come_from_the_hub(elsewhere: Elsewhere) -> None:
    assert elsewhere.ask(ASSET).status_code == 200


def test_it_does_not_enter_environments_at_home(elsewhere: Elsewhere) -> None:
    assert elsewhere.ask("/echo", "at-home", Cookie=elsewhere.cookie("at-home")).status_code == 409


def test_a_hub_that_nobody_vouches_for_is_not_asked(elsewhere: Elsewhere, tmp_path: Path) -> None:
    port = free_port()
    stranger, _ = certified(tmp_path, "stranger.example")
    options = replace(elsewhere.options, folder=tmp_path / "n", listen=(f"127.0.0.1:{port}",), authorities=str(stranger))
    with nginx_with(render(options), tmp_path / "n", port):
        refused = replace(elsewhere, port=port).ask("/echo", **BROWSER, Cookie=elsewhere.cookie())
    assert refused.status_code == 503
    assert refused.headers["x-podium-door"] == "away"


@pytest.mark.parametrize(
    ("credential", "host"),
    [
        ("wrong", f"stopped.{DOMAIN}"),
        ("right", "at-home.localhost"),
        ("right", f"evil{DOMAIN}"),
        ("home's", f"stopped.{DOMAIN}"),
    ],
)
def test_nobody_else_and_no_other_domain_is_believed(elsewhere: Elsewhere, credential: str, host: str) -> None:
    shown = {"wrong": "x" * 64, "right": elsewhere.options.credential, "home's": CREDENTIAL}[credential]
    said = {"Authorization": f"Bearer {shown}", "X-Podium-Cluster": CLUSTER, "X-Podium-Host": host}
    assert elsewhere.hub("/_podium/page", **BROWSER, **said).status_code == 404


def test_with_its_proof_the_same_is_believed(elsewhere: Elsewhere) -> None:
    said = {"X-Podium-Cluster": CLUSTER, "X-Podium-Host": f"stopped.{DOMAIN}", "Cookie": elsewhere.cookie("stopped")}
    answer = elsewhere.hub("/_podium/page", **BROWSER, **said, Authorization=f"Bearer {elsewhere.options.credential}")
    assert answer.status_code == 409


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"public_url": "http://hub.test"}, "TLS"),
        ({"public_url": "https://hub.test", "routing": "path"}, "ROUTING"),
    ],
)
def test_without_tls_or_hosts_there_is_no_such_configuration(elsewhere: Elsewhere, changed: dict[str, str], words: str) -> None:
    with pytest.raises(CannotStart, match=words):
        render(replace(elsewhere.options, settings=Settings.model_validate(changed)))
