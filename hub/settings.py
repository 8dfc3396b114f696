"""Every setting, grouped, validated, and all faults reported at once.

A value comes from the process environment (`PODIUM_NAME`, else `NAME`), else from `.env`, else from
the default here. In `.env` every key must be known. In the process environment only `PODIUM_*` is
checked, because shells and Kubernetes put much else there; the names that Kubernetes itself makes
for a Service called podium are passed over. Names of earlier systems whose feature is not here yet
are accepted and named once at start.
"""

import os
import re
from collections.abc import Mapping
from ipaddress import ip_address
from pathlib import Path
from typing import Any, Literal, Self
from urllib.parse import quote

from dotenv import dotenv_values
from pydantic import ValidationError, field_validator, model_validator

from hub.clusters.quantities import parse_bytes
from hub.errors import CannotStart
from hub.settings_cluster import ClusterSettings
from hub.settings_field import setting
from hub.settings_login import LoginSettings
from hub.settings_seeds import DATABASE_PARTS, KNOWN_WITHOUT_EFFECT

ROOT = Path(__file__).resolve().parent.parent
"""The checkout: pages, the shipped catalog and the environment's code lie here."""

_KUBERNETES_SERVICE_LINK = re.compile(r"_SERVICE_HOST$|_SERVICE_PORT(_\w+)?$|_PORT_\d+_TCP(_\w+)?$")
_DOMAIN = re.compile(r"^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$")


class Settings(ClusterSettings, LoginSettings):
    """What an operator can set. Built by `load`, never at import."""

    base_domain: str = setting("Address", "localhost", "The name at which people reach the hub.")
    environments_domain: str | None = setting(
        "Address", None, "Environments open at `<slug>.` below this name. Default: `BASE_DOMAIN`."
    )
    host: str = setting("Address", "127.0.0.1", "The address that the hub listens on.")
    port: int = setting("Address", 8501, "The port that the hub listens on; 0 lets the system choose.", ge=0, le=65535)
    public_url: str | None = setting(
        "Address", None, "The hub's address as browsers see it, where a proxy stands in front. Default: made of the above."
    )
    tls_enabled: bool = setting("Address", False, "Whether browsers reach the hub over https (a proxy ends TLS).")
    proxy_credential: str | None = setting(
        "Address",
        None,
        "What NGINX shows to the hub, at least 32 letters and digits. Default: made at the first start, in the data folder.",
        pattern=r"^[A-Za-z0-9_-]{32,}$",
    )
    routing: Literal["host", "path"] = setting(
        "Address",
        "host",
        "`host`: each environment on a name of its own. `path`: `/user/<slug>/`, for an address without wildcard DNS; "
        "an environment's code then acts with the rights of whoever opens it, so only its owner may open it.",
    )

    data_dir: Path = setting("Storage", Path("data"), "The folder of the database, the keys and the workspaces.")
    runtime_dir: Path | None = setting(
        "Storage", None, "A folder with a short path for sockets. Default: one below `/run/user/<uid>` or `/tmp`."
    )
    runtime_group: int | None = setting(
        "Storage",
        None,
        "The number of a group that may connect to sockets there: a hub and an NGINX of other accounts.",
    )
    database_url: str | None = setting(
        "Storage",
        None,
        "PostgreSQL (`postgresql://user:password@host/name`), of which a hub uses up to 30 connections. "
        "Default: SQLite in the data folder.",
    )

    max_user_pods: int = setting(
        "Environments", 1, "How many environments of one person may be queued, starting or running at once.", ge=1
    )
    max_cpu: float = setting("Environments", 8, "The most CPU cores that a custom environment may ask for.", gt=0)
    max_memory: str = setting("Environments", "16Gi", "The most memory that a custom environment may ask for.")
    profiles_file: Path = setting(
        "Environments", ROOT / "data" / "profiles.toml", "The catalog of presets that people choose from."
    )
    local_agent: Literal["own", "elsewhere"] = setting(
        "Environments",
        "own",
        "Who runs environments on one machine: `own` is an agent that the hub starts, `elsewhere` is `python -m hub agent` in "
        "a service of its own, which shares RUNTIME_DIR and RUNTIME_GROUP.",
    )
    environment_python: Path = setting(
        "Environments",
        ROOT / "user-environment" / ".venv" / "bin" / "python",
        "The Python interpreter of environments; a profile may name another one.",
    )
    memory_for_environments: str | None = setting(
        "Environments",
        None,
        "The memory that requests may add up to on this machine. Default: all but 1 GiB of it, or of the container's limit.",
    )
    isolation: Literal["any", "none", "landlock", "user", "user+landlock", "landlock+ports", "user+landlock+ports"] = setting(
        "Environments",
        "any",
        "How far environments are kept apart on this machine: `any` is as far as it can, `none` not at all; where a level is "
        "named (`landlock`, `user`, `user+landlock`, with `+ports`), a machine without it starts no environment.",
    )
    environment_ports: str = setting(
        "Environments",
        "",
        "TCP ports that environments on this machine may listen on, first-last: each has 16 of its own, and connects to no "
        "other but OUTWARD_PORTS. Needs version 4 of Landlock. Default: TCP is open to them.",
    )
    outward_ports: str = setting(
        "Environments", "53,80,443", "With ENVIRONMENT_PORTS: the TCP ports of any machine that environments connect to."
    )
    environment_uids: str = setting(
        "Environments",
        "2000000000-2147483646",
        "Where root starts Podium: the numbers of accounts that environments run as, one for each workspace, first-last.",
    )
    readable_folders: str = setting(
        "Environments",
        "",
        "Folders that every environment on this machine may read beside the system's and its own, separated by commas. None in "
        "which Podium's own lie.",
    )
    max_processes: int = setting("Environments", 512, "The most processes of one environment.", ge=16)

    metrics_token: str | None = setting(
        "Metrics",
        None,
        "The bearer token that `/metrics` asks for, at least 16 characters; without one `/metrics` is off.",
        min_length=16,
    )

    @field_validator("base_domain", "environments_domain")
    @classmethod
    def _host_name(cls, value: str | None) -> str | None:
        if value is not None and (len(value) > 253 or not _DOMAIN.match(value)):
            raise ValueError("must be a host name in lower case, without http:// and without a port")
        return value

    @field_validator("public_url")
    @classmethod
    def _address(cls, value: str | None) -> str | None:
        if value is not None and not re.match(r"^https?://[^/?#@\s]+/?$", value):
            raise ValueError("must be an address such as https://podium.example.org, without a path")
        return value

    @field_validator("database_url")
    @classmethod
    def _supported(cls, value: str | None) -> str | None:
        if value is None:
            return None
        if not re.match(r"^(postgresql(\+psycopg)?|sqlite)://", value):
            raise ValueError("must begin with postgresql:// or sqlite://")
        return re.sub(r"^postgresql://", "postgresql+psycopg://", value)

    @field_validator("max_memory", "memory_for_environments")
    @classmethod
    def _quantity(cls, value: str | None) -> str | None:
        if value is not None:
            parse_bytes(value)
        return value

    @model_validator(mode="after")
    def _one_way_to_route(self) -> Self:
        if self.routing == "host" and _is_address(self.base_domain):
            raise ValueError("BASE_DOMAIN is an IP address, below which no names exist: set ROUTING=path")
        return self

    @property
    def root_url(self) -> str:
        """The hub's public address without a slash at the end."""
        if self.public_url:
            return self.public_url.rstrip("/")
        return f"{self.scheme}://{self.base_domain}{self._port_suffix}"

    @property
    def scheme(self) -> str:
        return (self.public_url or "").partition("://")[0] or ("https" if self.tls_enabled else "http")

    @property
    def _port_suffix(self) -> str:
        return "" if self.tls_enabled or self.port == 80 else f":{self.port}"

    @property
    def environments_host(self) -> str:
        """The name below which environments open, without a port."""
        return self.environments_domain or self.base_domain

    @property
    def secure_cookies(self) -> bool:
        """Browsers take `Secure` and `__Host-` cookies from https and from loopback names only."""
        name = self.root_url.partition("://")[2].rpartition(":")[0] or self.root_url.partition("://")[2]
        return self.scheme == "https" or name == "localhost" or name.startswith("127.")

    @property
    def database(self) -> str:
        """The URL that SQLAlchemy takes."""
        return self.database_url or f"sqlite:///{(self.data_dir / 'podium.db').absolute()}"


def _is_address(name: str) -> bool:
    try:
        ip_address(name)
    except ValueError:
        return False
    return True


def load(variables: Mapping[str, str] | None = None, dotenv: Path | None = None) -> tuple[Settings, list[str]]:
    """Settings from the process environment and `.env`, and the notices to print at start.

    Raises `CannotStart` with every fault at once.
    """
    variables = os.environ if variables is None else variables
    dotenv = Path(".env") if dotenv is None else dotenv
    filed = _filed(dotenv)
    faults = _unknown_names(filed, variables)
    notices = _notices(filed, variables)
    values = _values(filed, variables)
    try:
        settings = Settings.model_validate(values)
    except ValidationError as error:
        faults += [_fault(detail) for detail in error.errors()]
    if faults:
        raise CannotStart("Podium's settings have faults:\n" + "\n".join(f"  - {fault}" for fault in faults))
    return settings, notices


def _filed(dotenv: Path) -> dict[str, str]:
    if not dotenv.is_file():
        return {}
    try:
        return {key: value or "" for key, value in dotenv_values(dotenv, interpolate=False).items()}
    except (OSError, UnicodeDecodeError) as error:
        raise CannotStart(f"{dotenv} cannot be read as text: {error}") from error


def _bare(name: str) -> str:
    return name.removeprefix("PODIUM_")


def _known(name: str) -> bool:
    bare = _bare(name)
    return bare.lower() in Settings.model_fields or bare in KNOWN_WITHOUT_EFFECT or bare in DATABASE_PARTS


def _unknown_names(filed: Mapping[str, str], variables: Mapping[str, str]) -> list[str]:
    faults = [f"{name} in .env is not a setting of Podium; .env.example lists them all" for name in filed if not _known(name)]
    for name, value in variables.items():
        if not name.startswith("PODIUM_") or _known(name):
            continue
        if _KUBERNETES_SERVICE_LINK.search(name) or (name.endswith("_PORT") and value.startswith("tcp://")):
            continue
        faults.append(f"{name} in the process environment is not a setting of Podium; .env.example lists them all")
    return faults


def _notices(filed: Mapping[str, str], variables: Mapping[str, str]) -> list[str]:
    given = {_bare(name) for name in filed} | {_bare(name) for name in variables if name.startswith("PODIUM_")}
    return [
        f"{name} is known from {KNOWN_WITHOUT_EFFECT[name]}; it has no effect in this version."
        for name in sorted(given & KNOWN_WITHOUT_EFFECT.keys())
    ]


def _values(filed: Mapping[str, str], variables: Mapping[str, str]) -> dict[str, str]:
    """The values that are set and not empty. `PODIUM_PORT=tcp://…` is a Service link, not a port."""
    merged = {_bare(name): value for name, value in filed.items()}
    names = {field.upper() for field in Settings.model_fields} | set(DATABASE_PARTS)
    for name in names:
        for candidate in (name, f"PODIUM_{name}"):
            if variables.get(candidate) and not variables[candidate].startswith("tcp://"):
                merged[name] = variables[candidate]
    values = {name.lower(): value for name, value in merged.items() if value and name.lower() in Settings.model_fields}
    parts = _database_url(merged)
    if parts and "database_url" not in values:
        values["database_url"] = parts
    return values


def _database_url(merged: Mapping[str, str]) -> str | None:
    """`DB_HOST` and its neighbours (known from MAIA) as one URL; `DATABASE_URL` wins over them."""
    if not merged.get("DB_HOST"):
        return None
    user, password, name = (quote(merged.get(key, ""), safe="") for key in ("DB_USERNAME", "DB_PASS", "DB_NAME"))
    return f"postgresql://{user}:{password}@{merged['DB_HOST']}:{merged.get('DB_PORT') or 5432}/{name}"


def _fault(detail: Any) -> str:
    name = str(detail["loc"][0]).upper() if detail["loc"] else "the settings together"
    return f"{name}: {detail['msg'].removeprefix('Value error, ')}"
