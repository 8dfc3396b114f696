"""What the hub's own account may do in a real cluster."""

import re

from tests.cluster.installed import RELEASE, Release
from tests.cluster.tools import kubectl

EVERYBODYS = {"selfsubjectreviews", "selfsubjectaccessreviews", "selfsubjectrulesreviews"}
"""What the API server answers everybody who has an account."""


def allowed(release: Release, namespace: str) -> set[tuple[str, str]]:
    """What the hub's account may do, as the API server itself says."""
    account = f"system:serviceaccount:{release.namespace}:{RELEASE}-hub"
    listed = kubectl("-n", namespace, "auth", "can-i", "--list", f"--as={account}", "--no-headers")
    rows = [re.fullmatch(r"(\S+)\s+\[.*?\]\s+\[.*?\]\s+\[(.*?)\]", line.strip()) for line in listed.splitlines()]
    return {(row[1], row[2]) for row in rows if row and row[1].partition(".")[0] not in EVERYBODYS}


WHOLE = {
    ("nodes", "list"),
    ("pods", "list"),
    ("storageclasses.storage.k8s.io", "list"),
    ("resourceslices.resource.k8s.io", "list"),
    ("nodes.metrics.k8s.io", "list"),
}


def test_the_hub_s_account_writes_in_the_environments_namespace_and_elsewhere_only_lists(release: Release) -> None:
    assert allowed(release, release.namespace) == WHOLE
    assert allowed(release, release.environments) == {
        *(row for row in WHOLE if row[0] != "pods"),
        ("pods", "list get watch create patch delete deletecollection"),
        ("pods/log", "get"),
        ("secrets", "create patch delete"),
        ("persistentvolumeclaims", "get list create patch delete"),
        ("events", "list watch"),
        ("pods.metrics.k8s.io", "list"),
    }
