"""What the chart refuses to render, and what of it cannot be tried on any cluster."""

import re
import subprocess
from pathlib import Path

import pytest
import yaml  # type: ignore[import-untyped]

from hub.settings import ROOT
from tests.cluster.installed import CHART
from tests.cluster.namespace import own_namespace
from tests.cluster.tools import command, kubectl, run

PLAIN = ("template", "podium", CHART, "--skip-tests", "--namespace", "podium", "--set", "existingSecret=podium-secrets")
EDGES = ("--set", "ingress.enabled=true,ingress.tlsSecret=tls,gateway.enabled=true,gateway.name=edge")
REFUSED = [
    ("hubb.storage=1Gi", "hubb"),
    ("baseDomain=Not_A_Name", "baseDomain"),
    ("publicUrl=ftp://podium.example.org", "publicUrl"),
    ("images.hub=no-tag", "hub"),
    ("nginx.replicas=0", "replicas"),
    ("hub.settings.max_user_pods=3", "max_user_pods"),
    ("hub.replicas=2", "needs PostgreSQL: name a secret with DATABASE_URL in hub.databaseSecret"),
    ("placeholders.replicas=-1", "replicas"),
    ("prePull.images={no-tag}", "images"),
    ("prePull.waitSeconds=-1", "waitSeconds"),
    ("environments.allowedImages={}", "allowedImages"),
    ("environments.userNamespaces=maybe", "userNamespaces"),
    ("nginx.trustedProxies={example.org}", "trustedProxies"),
    ("nginx.workers=0", "workers"),
    ("gateway.enabled=true", "which Gateway takes the route"),
]


def rendered(*arguments: str) -> list[dict[str, object]]:
    return [one for one in yaml.safe_load_all(run("helm", "template", "podium", CHART, "-n", "podium", *arguments)) if one]


@pytest.mark.parametrize(("value", "named"), REFUSED)
def test_a_value_that_cannot_be_is_refused_and_named(value: str, named: str) -> None:
    done = subprocess.run(command("helm", "template", CHART, "--set", value), capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert named in done.stderr


def test_the_chart_has_no_fault_that_helm_sees() -> None:
    run("helm", "lint", "--strict", CHART)


def test_values_that_the_release_before_did_not_have_may_be_missing() -> None:
    """As they are with `helm upgrade --reuse-values`."""
    secret = ("--set", "existingSecret=podium-secrets")
    missing = ("--set", "nginx.workers=null,nginx.trustedProxies=null,environments.quota=null,environments.largest=null")
    assert rendered(*secret, *missing) == rendered(*secret)


def test_the_plain_manifests_are_those_of_the_chart() -> None:
    assert run("helm", *PLAIN) == (ROOT / "k8s" / "podium.yaml").read_text(encoding="utf-8"), "run: make manifests"


def test_the_api_server_takes_all_plain_manifests(tmp_path: Path) -> None:
    built = kubectl("kustomize", str(ROOT / "k8s"))
    with own_namespace() as hub, own_namespace() as environments:
        moved = re.sub(r"namespace: podium-environments$", f"namespace: {environments}", built, flags=re.MULTILINE)
        moved = re.sub(r"namespace: podium$", f"namespace: {hub}", moved, flags=re.MULTILINE)
        (tmp_path / "podium.yaml").write_text(moved, encoding="utf-8")
        taken = kubectl("apply", "--dry-run=server", "-f", str(tmp_path / "podium.yaml"))
    assert len(taken.splitlines()) == len([one for one in yaml.safe_load_all(built) if one])


@pytest.mark.case("A2-9")
def test_the_edge_is_one_route_for_the_hub_and_one_wildcard_for_all_environments() -> None:
    kinds = {str(one["kind"]): one.get("spec") for one in rendered(*EDGES)}
    hosts = ["podium.example.org", "*.podium.example.org"]
    ingress, route = kinds["Ingress"], kinds["HTTPRoute"]
    to_nginx = {"path": "/", "pathType": "Prefix", "backend": {"service": {"name": "podium", "port": {"name": "http"}}}}
    assert ingress == {
        "tls": [{"secretName": "tls", "hosts": hosts}],
        "rules": [{"host": host, "http": {"paths": [to_nginx]}} for host in hosts],
    }
    assert route == {
        "parentRefs": [{"name": "edge"}],
        "hostnames": hosts,
        "rules": [{"backendRefs": [{"name": "podium", "port": 80}]}],
    }


def test_replicas_have_a_service_each_that_nginx_knows_and_no_volume() -> None:
    objects = rendered("--set", "hub.replicas=3,hub.databaseSecret=podium-database")
    services = {one["metadata"]["name"] for one in objects if one["kind"] == "Service"}  # type: ignore[index]
    assert {f"podium-hub-{number}" for number in range(3)} <= services
    [hub] = [one["spec"] for one in objects if one["kind"] == "StatefulSet"]
    assert isinstance(hub, dict)
    assert (hub["replicas"], hub.get("volumeClaimTemplates")) == (3, None)
    [nginx] = [one["spec"] for one in objects if one["kind"] == "Deployment"]
    assert isinstance(nginx, dict)
    [said] = nginx["template"]["spec"]["initContainers"][0]["args"]
    assert said.count("--hub podium-hub-") == 3
