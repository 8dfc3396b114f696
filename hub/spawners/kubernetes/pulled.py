"""The program that an upgrade waits for: it ends when every node has the images of environments.

`python -m hub.spawners.kubernetes.pulled <namespace> <daemonset> <seconds>`, in a pod that may read that DaemonSet, whose pods
are ready where the images are there (`helm/podium/templates/pull-first.yaml`).
"""

import sys
import time
from contextlib import suppress

from kubernetes import client

from hub.errors import ClusterSilent
from hub.spawners.kubernetes.calls import Object, call, connect, parsed

_PAUSE = 1.0


def main(namespace: str, name: str, seconds: float) -> str:
    """What went wrong; empty where every node has them."""
    apps = client.AppsV1Api(connect(None))
    deadline = time.monotonic() + seconds
    told = "The API server does not answer."
    while time.monotonic() < deadline:
        with suppress(ClusterSilent):
            if not (told := missing(parsed(call(apps.read_namespaced_daemon_set, name, namespace)))):
                return ""
        time.sleep(_PAUSE)
    return f"After {seconds:g} seconds: {told} Nothing was changed."


def missing(daemon: Object) -> str:
    """Where the images are not there yet, in words."""
    status = daemon.get("status", {})
    if status.get("observedGeneration", 0) < daemon["metadata"]["generation"]:
        return "No node has begun to pull the images."
    wanted, there = status.get("desiredNumberScheduled", 0), status.get("numberAvailable", 0)
    if there >= wanted == status.get("updatedNumberScheduled", 0):
        return ""
    return f"{there} of {wanted} nodes have the images. Look at the pods of the DaemonSet {daemon['metadata']['name']}."


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2], float(sys.argv[3])) or 0)
