"""The file that a supervisor reads: what to run, how, and within which limits. A pure function of the spec."""

from pathlib import Path
from typing import Any

from hub.spawners.base import StartSpec
from hub.spawners.local.folders import Folders
from hub.spawners.local.limits import Limits
from hub.spawners.local.options import Options
from hub.spawners.local.ports import outward_of
from hub.spawners.local.wire import spec_to_json
from hub.spawners.supervised import supervised


def order_of(
    spec: StartSpec,
    folders: Folders,
    options: Options,
    limits: Limits,
    ports: tuple[int, int] | None,
    cores: list[int] | None,
) -> dict[str, Any]:
    """`start` is the spec itself, from which a restarted agent goes on.

    `ports` are the first and the last of its own, `cores` those that it keeps to where no control group comes to hold its CPU.
    """
    read = supervised(spec)
    here = {
        "workspace": str(folders.workspace(spec.workspace_id)),
        "script": str(options.script),
        "socket": str(folders.socket(spec.start_id)),
    }
    confinement = _confinement(spec, folders, options, ports, pinned=cores is not None)
    apart = {} if options.isolation == "none" else {"confinement": confinement}
    told = {"variables": {**read["variables"], "PORTS": f"{ports[0]}-{ports[1]}"}} if ports else {}
    return {
        **read,
        **told,
        **apart,
        "cores": cores,
        "start": spec_to_json(spec),
        "server": {**read["server"], **here},
        "lock": str(folders.lock(spec.workspace_id)),
        "passable": folders.passable,
        "socket_group": folders.group,
        "group": str(limits.parent / f"podium-{spec.start_id}") if limits.parent else None,
        "runtime": str(folders.socket_folder(spec.start_id)),
        "temporary": str(_temporary(spec, folders)),
    }


def _temporary(spec: StartSpec, folders: Folders) -> Path:
    """A short path, for the sockets that libraries make there; none are made where folders have to be passed to reach it."""
    beside = folders.start(spec.start_id).path if folders.passable else folders.socket_folder(spec.start_id)
    return beside / "tmp"


def _confinement(
    spec: StartSpec, folders: Folders, options: Options, ports: tuple[int, int] | None, *, pinned: bool
) -> dict[str, Any]:
    """The fields of `environment.confining.confinement.Confinement`."""
    own = (folders.workspace(spec.workspace_id), folders.start(spec.start_id).path / "tmp")
    root = folders.socket_folder(spec.start_id)
    return {
        "writable": [str(folder) for folder in own],
        "readable": [str(options.script.parent), *map(str, options.readable)],
        "root": str(root),
        "temporary": str(_temporary(spec, folders)),
        "shared_memory": spec.memory,
        "gpus": options.isolation == "any",
        "ports": ports,
        "outward": outward_of(options.outward),
        "pinned": pinned,
    }
