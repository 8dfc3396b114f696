"""What the plain manifests grant and refuse, compared whole. They are the chart's (`tests/cluster/test_chart.py`)."""

from functools import cache
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped]

from hub.settings import ROOT

ENVIRONMENTS = "podium-environments"


@cache
def manifests() -> dict[tuple[str, str], dict[str, Any]]:
    found = yaml.safe_load_all((ROOT / "k8s" / "podium.yaml").read_text(encoding="utf-8"))
    return {(one["kind"], one["metadata"]["name"]): one for one in found if one}


def pods() -> list[dict[str, Any]]:
    return [one["spec"]["template"]["spec"] for (kind, _), one in manifests().items() if kind in {"StatefulSet", "Deployment"}]


def of_podium(part: str) -> dict[str, Any]:
    labels = {"app.kubernetes.io/name": "podium", "app.kubernetes.io/instance": "podium", "app.kubernetes.io/component": part}
    return {
        "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "podium"}},
        "podSelector": {"matchLabels": labels},
    }


@pytest.mark.case("A9-4")
def test_environments_are_called_by_podium_alone_and_reach_nothing_private_in_either_version_of_ip() -> None:
    policy = manifests()["NetworkPolicy", "podium-environments"]
    dns = {
        "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "kube-system"}},
        "podSelector": {"matchLabels": {"k8s-app": "kube-dns"}},
    }
    assert policy["metadata"]["namespace"] == ENVIRONMENTS
    assert policy["spec"] == {
        "podSelector": {"matchLabels": {"podium/role": "environment"}},
        "policyTypes": ["Ingress", "Egress"],
        "ingress": [{"from": [of_podium("hub"), of_podium("nginx")], "ports": [{"port": 8501}]}],
        "egress": [
            {"to": [dns], "ports": [{"port": 53, "protocol": "UDP"}, {"port": 53, "protocol": "TCP"}]},
            {"to": [of_podium("hub")], "ports": [{"port": 8501}]},
            {
                "to": [
                    {
                        "ipBlock": {
                            "cidr": "0.0.0.0/0",
                            "except": [
                                "0.0.0.0/8",
                                "10.0.0.0/8",
                                "100.64.0.0/10",
                                "127.0.0.0/8",
                                "168.63.129.16/32",
                                "169.254.0.0/16",
                                "172.16.0.0/12",
                                "192.0.0.0/24",
                                "192.168.0.0/16",
                                "198.18.0.0/15",
                                "224.0.0.0/4",
                                "240.0.0.0/4",
                            ],
                        }
                    },
                    {
                        "ipBlock": {
                            "cidr": "::/0",
                            "except": [
                                "::1/128",
                                "64:ff9b::/96",
                                "64:ff9b:1::/48",
                                "2002::/16",
                                "fc00::/7",
                                "fe80::/10",
                                "ff00::/8",
                            ],
                        }
                    },
                ]
            },
        ],
    }


@pytest.mark.case("A9-4")
def test_everything_else_in_the_namespace_is_called_by_the_hub_and_calls_nobody() -> None:
    assert manifests()["NetworkPolicy", "podium-everything"]["spec"] == {
        "podSelector": {},
        "policyTypes": ["Ingress", "Egress"],
        "ingress": [{"from": [of_podium("hub")], "ports": [{"port": 8080}]}],
    }


@pytest.mark.case("A9-8")
def test_the_hub_writes_in_one_namespace_and_neither_reads_secrets_nor_enters_pods() -> None:
    role = manifests()["Role", "podium-hub"]
    assert role["metadata"]["namespace"] == ENVIRONMENTS
    assert {(tuple(rule["apiGroups"]), tuple(rule["resources"])): rule["verbs"] for rule in role["rules"]} == {
        (("",), ("pods",)): ["get", "list", "watch", "create", "patch", "delete", "deletecollection"],
        (("",), ("pods/log",)): ["get"],
        (("",), ("secrets",)): ["create", "patch", "delete"],
        (("",), ("persistentvolumeclaims",)): ["get", "list", "create", "patch", "delete"],
        (("",), ("events",)): ["list", "watch"],
        (("metrics.k8s.io",), ("pods",)): ["list"],
    }


@pytest.mark.case("A9-8")
def test_of_the_whole_cluster_the_hub_only_lists_what_the_page_clusters_shows() -> None:
    role = manifests()["ClusterRole", "podium-podium-clusters"]
    assert {(tuple(rule["apiGroups"]), tuple(rule["resources"])): rule["verbs"] for rule in role["rules"]} == {
        (("",), ("nodes", "pods")): ["list"],
        (("storage.k8s.io",), ("storageclasses",)): ["list"],
        (("resource.k8s.io",), ("resourceslices",)): ["list"],
        (("metrics.k8s.io",), ("nodes",)): ["list"],
    }
    assert [kind for kind, _ in manifests() if kind.startswith("Cluster")] == ["ClusterRole", "ClusterRoleBinding"]


@pytest.mark.case("A9-1")
def test_the_namespace_of_environments_admits_no_pod_that_could_be_more_than_restricted() -> None:
    labels = manifests()["Namespace", ENVIRONMENTS]["metadata"]["labels"]
    assert labels["pod-security.kubernetes.io/enforce"] == "restricted"


@pytest.mark.case("A9-3")
def test_podium_s_own_pods_are_told_of_no_services_and_only_the_hub_has_an_account() -> None:
    hub, nginx = sorted(pods(), key=lambda pod: not pod["automountServiceAccountToken"])
    assert (hub["serviceAccountName"], nginx["automountServiceAccountToken"]) == ("podium-hub", False)
    for pod in (hub, nginx):
        assert pod["enableServiceLinks"] is False
        assert pod["securityContext"]["runAsNonRoot"] is True
        assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        for container in [*pod["containers"], *pod.get("initContainers", [])]:
            assert container["securityContext"] == {
                "allowPrivilegeEscalation": False,
                "readOnlyRootFilesystem": True,
                "capabilities": {"drop": ["ALL"]},
            }


@pytest.mark.case("R16")
def test_nginx_lets_open_pages_go_on_when_a_pod_of_it_ends_and_never_ends_all_at_once() -> None:
    deployment = manifests()["Deployment", "podium-nginx"]["spec"]
    pod = deployment["template"]["spec"]
    [said] = pod["containers"][0]["lifecycle"]["preStop"]["exec"]["command"][2:]
    assert "kill -QUIT" in said
    assert pod["terminationGracePeriodSeconds"] == 3600
    assert deployment["strategy"]["rollingUpdate"] == {"maxUnavailable": 0, "maxSurge": 1}
    selected = {"matchLabels": of_podium("nginx")["podSelector"]["matchLabels"]}
    assert manifests()["PodDisruptionBudget", "podium-nginx"]["spec"] == {"maxUnavailable": 1, "selector": selected}
    scaled = manifests()["HorizontalPodAutoscaler", "podium-nginx"]["spec"]
    assert scaled["scaleTargetRef"] == {"apiVersion": "apps/v1", "kind": "Deployment", "name": "podium-nginx"}
    assert (scaled["minReplicas"], scaled["maxReplicas"]) == (2, 10)
