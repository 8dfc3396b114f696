"""The files of `CLUSTER_CONFIG_PATH`: one for each cluster to show, `<id>.toml`, and what pages call them and link to.

name = "GPU centre"
kubeconfig = "gpu-centre.yaml"      # beside this file; none for the cluster that the settings name
environments_domain = "gpu.example.org"    # below which NGINX of that cluster serves; without one it has none
[links]
Grafana = "https://grafana.example.org"
"""

import re
import tomllib
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from hub.errors import CannotStart

_ID = re.compile(r"^[a-z0-9]([a-z0-9-]{0,30}[a-z0-9])?$")
_Address = Annotated[str, Field(pattern=r"^https?://[^\s<>\"\[\]()]+$", max_length=500)]
_Domain = Annotated[str, Field(pattern=r"^[a-z0-9-]+(\.[a-z0-9-]+)*$", max_length=253)]
_Words = Annotated[str, Field(min_length=1, max_length=60)]


class About(BaseModel):
    """What an administrator wrote of one cluster."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: _Words
    kubeconfig: Path | None = None
    environments_domain: _Domain | None = None
    links: dict[_Words, _Address] = Field(default_factory=dict, max_length=20)


def read(folder: Path | None) -> dict[str, About]:
    """By the id of the cluster. Raises `CannotStart` with the file's name."""
    if folder is None:
        return {}
    if not folder.is_dir():
        raise CannotStart(f"CLUSTER_CONFIG_PATH names {folder}, which is no folder.")
    return {path.stem: _read(path) for path in sorted(folder.glob("*.toml"))}


def domains(folder: Path | None, home: str) -> dict[str, str]:
    """Of the clusters beside `home` that have an NGINX of their own: the domain of their environments, by the cluster's id."""
    told = read(folder)
    return {
        cluster_id: about.environments_domain
        for cluster_id, about in told.items()
        if about.environments_domain and cluster_id != home
    }


def _read(path: Path) -> About:
    if not _ID.match(path.stem):
        raise CannotStart(f"{path}: a cluster's file is named <id>.toml, the id in lower case letters, digits and hyphens.")
    try:
        about = About.model_validate(tomllib.loads(path.read_text("utf-8")))
    except (OSError, ValueError, tomllib.TOMLDecodeError, ValidationError) as error:
        raise CannotStart(f"{path} cannot be used: {error}") from error
    return about.model_copy(update={"kubeconfig": path.parent / about.kubeconfig}) if about.kubeconfig else about
