"""How specs and observations travel between hub and agent, and lie in start folders: plain JSON."""

from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime
from typing import Any

from hub.spawners.base import Checkpoint, Ending, Exit, Observation, StartSpec, State, Usage

Json = dict[str, Any]


def spec_to_json(spec: StartSpec) -> Json:
    return {
        "start_id": spec.start_id,
        "environment_id": spec.environment_id,
        "workspace_id": spec.workspace_id,
        "image": spec.image,
        "cpu": spec.cpu,
        "memory": spec.memory,
        "processes": spec.processes,
        "base_url": spec.base_url,
        "keys": [dict(key) for key in spec.keys],
        "variables": dict(spec.variables),
        "storage": spec.storage,
    }


def spec_from_json(value: Mapping[str, Any]) -> StartSpec:
    """Raises KeyError, TypeError or ValueError where the value is no spec. A start of an earlier release names no storage."""
    return StartSpec(
        start_id=str(value["start_id"]),
        environment_id=str(value["environment_id"]),
        workspace_id=str(value["workspace_id"]),
        image=str(value["image"]),
        cpu=float(value["cpu"]),
        memory=int(value["memory"]),
        processes=int(value["processes"]),
        base_url=str(value["base_url"]),
        keys=tuple(dict(key) for key in value["keys"]),
        variables={str(name): str(text) for name, text in value["variables"].items()},
        storage=int(value.get("storage", StartSpec.storage)),
    )


def checkpoint_to_json(checkpoint: Checkpoint) -> Json:
    return {"name": checkpoint.name, "at": checkpoint.at.isoformat(), "detail": checkpoint.detail}


def checkpoint_from_json(value: Mapping[str, Any]) -> Checkpoint:
    return Checkpoint(value["name"], datetime.fromisoformat(value["at"]), value["detail"])


def exit_to_json(exit_: Exit) -> Json:
    return {
        "why": exit_.why,
        "at": exit_.at.isoformat(),
        "exit_code": exit_.exit_code,
        "detail": exit_.detail,
        "peak_memory": exit_.peak_memory,
    }


def exit_from_json(value: Mapping[str, Any]) -> Exit:
    return Exit(
        Ending(value["why"]),
        datetime.fromisoformat(value["at"]),
        value["exit_code"],
        value["detail"],
        value["peak_memory"],
    )


def observation_to_json(seen: Observation) -> Json:
    return {
        "start_id": seen.start_id,
        "workspace_id": seen.workspace_id,
        "state": seen.state,
        "checkpoints": [checkpoint_to_json(checkpoint) for checkpoint in seen.checkpoints],
        "upstream": seen.upstream,
        "exit": exit_to_json(seen.exit) if seen.exit else None,
    }


def observation_from_json(value: Mapping[str, Any]) -> Observation:
    return Observation(
        value["start_id"],
        value["workspace_id"],
        State(value["state"]),
        tuple(checkpoint_from_json(item) for item in value["checkpoints"]),
        value["upstream"],
        exit_from_json(value["exit"]) if value["exit"] else None,
    )


def usage_to_json(usage: Usage) -> Json:
    return asdict(usage) | {"at": usage.at.isoformat()}


def usage_from_json(value: Mapping[str, Any]) -> Usage:
    at = datetime.fromisoformat(value["at"])
    return Usage(value["start_id"], at, value["memory"], value["cpu_seconds"], value["processes"])
