"""The images are as small as they can be with what an analysis needs, and run as nobody special."""

import os
import sys

import pytest
from kubernetes import client

from hub.spawners.kubernetes.calls import connect
from tests.spawners.far_side import until

GB = 10**9
LIMITS = {"TEST_HUB_IMAGE": 1.15 * GB, "TEST_ENVIRONMENT_IMAGE": 1.0 * GB}


@pytest.mark.parametrize("image", LIMITS)
def test_an_image_is_not_larger_than_it_was(image: str, capsys: pytest.CaptureFixture[str]) -> None:
    size = until(lambda: sizes().get(os.environ[image]))
    with capsys.disabled():
        sys.stdout.write(f"\n{os.environ[image]}: {size / GB:.2f} GB in the node\n")
    assert size < LIMITS[image]


def sizes() -> dict[str, int]:
    """Bytes of each image that a node has, by the name that it was built under; a kubelet tells of them every few seconds."""
    nodes = client.CoreV1Api(connect(os.environ["KUBECONFIG"])).list_node().items
    images = [image for node in nodes if node.status for image in node.status.images or []]
    named = [(name, image.size_bytes or 0) for image in images for name in image.names or []]
    return {name.removeprefix("docker.io/").removeprefix("localhost/"): size for name, size in named}
