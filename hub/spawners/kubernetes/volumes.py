"""Workspaces as volumes: measured and packed by a small pod that mounts nothing else, deleted with their claim."""

import hashlib
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection, HTTPException

from hub.clock import new_id, now
from hub.errors import ClusterSilent, Conflict
from hub.seam import crossing
from hub.spawners.base import Size, Volume
from hub.spawners.kubernetes import objects, reader_pod
from hub.spawners.kubernetes.api import Api
from hub.spawners.kubernetes.calls import Object
from hub.spawners.kubernetes.mirror import Mirror
from hub.spawners.kubernetes.parts import VOLUMES, WORKSPACE, claim_name
from hub.spawners.kubernetes.quantities import amount
from hub.spawners.kubernetes.reader import PORT
from hub.spawners.kubernetes.reading import is_over
from hub.spawners.kubernetes.user_namespaces import UserNamespaces
from hub.spawners.placement import Placement

_GONE_WITHIN = 10.0
_PART = 1 << 16
_PAUSE = 0.2
_ANYWHERE = Placement()
"""A reader goes to whatever node the volume is on."""


class Volumes:
    """Safe to call from several threads; each call may take as long as a pod takes to start."""

    def __init__(self, api: Api, namespaces: UserNamespaces, mirror: Mirror) -> None:
        self._api, self._namespaces, self._mirror = api, namespaces, mirror

    def all(self) -> list[Volume]:
        found, _ = self._api.list("persistentvolumeclaims", VOLUMES)
        return [_volume(claim) for claim in found if "deletionTimestamp" not in claim["metadata"]]

    def size(self, workspace_id: str) -> Size:
        claim = self._made(workspace_id)
        if claim is None:
            return Size(0)
        with self._reader(workspace_id, ["size"]) as name:
            ended = self._mirror.wait_for_reader(name, is_over, reader_pod.WAITED_FOR)
        said = reader_pod.last_word(ended)
        if not said.isdecimal():
            raise ClusterSilent(f"The workspace could not be measured: {said[:200]}")
        return Size(int(said), _volume(claim).capacity)

    def archive(self, workspace_id: str) -> Iterator[bytes]:
        if self._made(workspace_id) is None:
            yield reader_pod.EMPTY_ARCHIVE
            return
        key = secrets.token_urlsafe(32)
        with self._reader(workspace_id, ["archive", hashlib.sha256(key.encode()).hexdigest()]) as name:
            serving = self._mirror.wait_for_reader(name, reader_pod.serves_or_ended, reader_pod.WAITED_FOR)
            yield from _fetched(serving, key)

    def delete(self, workspace_id: str) -> None:
        """Gone when this returns. Raises `Conflict` while a start holds it."""
        pod = self._api.pod(objects.pod_name(workspace_id))
        if pod is not None and not is_over(pod):
            raise Conflict("An environment is running with this workspace: stop it first.")
        if pod is not None:
            with crossing("delete an ended pod"):  # which holds the volume as long as it is there
                self._api.delete_pod(pod["metadata"]["name"], pod["metadata"]["uid"])
        name = claim_name(workspace_id)
        with crossing("delete a workspace's readers"):  # one whose hub has died would hold the volume for ever
            self._api.delete_pods(reader_pod.of_workspace(workspace_id))
        with crossing("delete a workspace's claim"):
            self._api.delete_claim(name)
        deadline = time.monotonic() + _GONE_WITHIN
        while self._api.claim(name) is not None:
            if time.monotonic() > deadline:
                raise ClusterSilent("The volume of the workspace is not gone yet. Podium keeps trying.")
            time.sleep(_PAUSE)

    def _made(self, workspace_id: str) -> Object | None:
        """The claim of a volume that is there. Whoever asks first for one that is not decides on which nodes it will be."""
        claim = self._api.claim(claim_name(workspace_id))
        return claim if claim and claim["status"].get("phase") == "Bound" else None

    @contextmanager
    def _reader(self, workspace_id: str, arguments: list[str]) -> Iterator[str]:
        """A pod beside the environment's, where there is one: a volume may be attached to one node only."""
        self._clear_strays()
        found = self._api.pod(objects.pod_name(workspace_id))
        beside = found if found and not is_over(found) else None
        if beside and not beside["spec"].get("nodeName"):
            raise ClusterSilent("An environment waits for a node with this workspace: it can be read when that has one.")
        pod = reader_pod.build(new_id(), workspace_id, self._namespaces.place_for(_ANYWHERE), arguments, beside)
        with crossing("create a reader"):
            created = self._api.create_pod(pod)
        try:
            yield created["metadata"]["name"]
        finally:
            with crossing("delete a reader"):
                self._api.delete_pod(created["metadata"]["name"], created["metadata"]["uid"])

    def _clear_strays(self) -> None:
        """Readers that a hub has left behind when it died."""
        for pod in self._mirror.readers():
            if reader_pod.is_stray(pod, now()):
                with crossing("delete a stray reader"):
                    self._api.delete_pod(pod["metadata"]["name"], pod["metadata"]["uid"])


def _volume(claim: Object) -> Volume:
    """Its size as it is, or as it was asked for where it is not there yet."""
    asked = claim["spec"]["resources"]["requests"]["storage"]
    return Volume(
        claim["metadata"]["labels"][WORKSPACE], int(amount(claim["status"].get("capacity", {}).get("storage", asked)))
    )


def _fetched(reader: Object, key: str) -> Iterator[bytes]:
    if is_over(reader):
        raise ClusterSilent(f"The workspace could not be read: {reader_pod.last_word(reader)[:200]}")
    connection = HTTPConnection(reader["status"]["podIP"], PORT, timeout=60)
    try:
        connection.request("GET", "/", headers={"Authorization": f"Bearer {key}"})
        answer = connection.getresponse()
        if answer.status != 200:
            raise ClusterSilent
        while part := answer.read1(_PART):
            yield part
    except (OSError, HTTPException) as error:
        raise ClusterSilent from error
    finally:
        connection.close()
