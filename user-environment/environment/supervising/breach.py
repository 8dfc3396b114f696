"""A limit that was passed, in the words of the hub's spawner interface."""

from dataclasses import dataclass

_MIB = 1024 * 1024


@dataclass(frozen=True)
class Breach:
    """A limit that was passed; `why` is the ending's word in the hub's spawner interface."""

    why: str
    detail: str


def out_of_memory(used: int, limit: int) -> Breach:
    return Breach("out_of_memory", f"It used {used // _MIB} MiB of memory; its limit is {limit // _MIB} MiB.")


def too_many(limit: int) -> Breach:
    return Breach("too_many_processes", f"It started more than {limit} processes.")
