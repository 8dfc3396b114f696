"""Run by an interpreter that has jupyterhub-kubespawner: starts pods one after the other, and prints the seconds of each."""

import asyncio
import json
import sys
import time

from jupyterhub.objects import Hub, Server  # type: ignore[import-not-found]
from kubespawner import KubeSpawner  # type: ignore[import-not-found]
from traitlets.config import Config


class Somebody:
    """What a spawner asks of a user."""

    def __init__(self, name: str) -> None:
        self.name, self.id, self.server = name, name, Server()
        self.escaped_name, self.url = name, f"http://localhost/user/{name}"


async def seconds(namespace: str, image: str, number: int) -> float:
    """Until the pod is Ready, its volume claim included."""
    config = Config()
    config.KubeSpawner.update(
        namespace=namespace, image=image, port=8888, start_timeout=120,
        extra_container_config={"command": ["python3", "-m", "http.server", "8888"]},
        storage_pvc_ensure=True, storage_capacity="64Mi", pvc_name_template="claim-{username}", mem_limit="256M",
        mem_guarantee="32M", events_enabled=True,
        volumes=[{"name": "files", "persistentVolumeClaim": {"claimName": "claim-{username}"}}],
        volume_mounts=[{"name": "files", "mountPath": "/workspace"}],
    )  # fmt: skip
    spawner = KubeSpawner(
        hub=Hub(), user=Somebody(f"somebody-{number}"), config=config, api_token="token", oauth_client_id="unused"
    )
    began = time.monotonic()
    await spawner.start()
    took = time.monotonic() - began
    await spawner.stop(now=True)
    return took


async def main() -> None:
    namespace, image, count = sys.argv[1:]
    print(json.dumps([await seconds(namespace, image, number) for number in range(int(count))]))  # noqa: T201


asyncio.run(main())
