"""When an upgrade that waits for images goes on."""

import pytest

from hub.spawners.kubernetes.calls import Object
from hub.spawners.kubernetes.pulled import missing


def daemon(generation: int = 1, **status: int) -> Object:
    return {"metadata": {"name": "pull-first", "generation": generation}, "status": status}


@pytest.mark.parametrize("nodes", [0, 1, 500])
def test_it_goes_on_when_every_node_has_them(nodes: int) -> None:
    told = {"desiredNumberScheduled": nodes, "updatedNumberScheduled": nodes, "numberAvailable": nodes}
    assert missing(daemon(observedGeneration=1, **told)) == ""


def test_it_does_not_believe_what_was_told_of_the_daemonset_before() -> None:
    assert missing(daemon(2, observedGeneration=1)) == "No node has begun to pull the images."
    assert missing(daemon()) == "No node has begun to pull the images."


@pytest.mark.parametrize(("updated", "there"), [(3, 2), (2, 3), (0, 0)])
def test_it_says_on_how_many_nodes_they_are_and_where_to_look(updated: int, there: int) -> None:
    told = daemon(observedGeneration=1, desiredNumberScheduled=3, updatedNumberScheduled=updated, numberAvailable=there)
    assert missing(told) == f"{there} of 3 nodes have the images. Look at the pods of the DaemonSet pull-first."
