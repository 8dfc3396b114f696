"""What a start that waits is told of the room in its cluster."""

from dataclasses import replace

from hub.clusters.inventory import Amount, Device, Inventory, Node
from hub.ui_clusters import room

A100 = Device("nvidia.com/gpu", "A100", 4, 3)
NIC = Device("example.org/nic", "NIC", 2, 0)
SMALL = Node("small", True, False, Amount(8, 4), Amount(16e9, 4e9))
LARGE = Node("large", True, False, Amount(64, 62), Amount(256e9, 236e9), devices=(A100, NIC))


def test_it_names_the_roomiest_node_and_the_gpus_that_nobody_has() -> None:
    told = room(Inventory((SMALL, LARGE)))
    assert told == "The most that one node has free now is 2 cores and 20 GB of memory. GPUs free: 1 of 4 A100."


def test_of_nodes_that_take_no_work_nothing_is_free() -> None:
    told = room(Inventory((SMALL, replace(LARGE, cordoned=True))))
    assert told == "The most that one node has free now is 4 cores and 12 GB of memory. GPUs free: 0 of 4 A100."


def test_where_it_is_not_known_nothing_is_said() -> None:
    assert room(None) == room(Inventory()) == room(Inventory((replace(SMALL, cpu=Amount(8), memory=Amount(16e9)),))) == ""
