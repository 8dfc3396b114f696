"""What the supervisor of an environment reads, wherever it runs (`environment.supervising`). A pure function of the spec."""

from typing import Any

from hub.spawners.base import StartSpec


def supervised(spec: StartSpec) -> dict[str, Any]:
    """Each spawner adds what only its far side knows: where the workspace is, and what the server listens on."""
    return {
        "server": {
            "start_id": spec.start_id,
            "environment_id": spec.environment_id,
            "name": spec.variables.get("ENV_NAME", ""),
            "base_url": spec.base_url,
            "keys": [dict(key) for key in spec.keys],
        },
        "variables": dict(spec.variables),
        "cpu": spec.cpu,
        "memory": spec.memory,
        "processes": spec.processes,
    }
