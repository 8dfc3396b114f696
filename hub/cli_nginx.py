"""`python -m hub nginx`: the configuration of an NGINX in front of this hub, or of environments elsewhere."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any
from urllib.parse import urlsplit

import typer

from hub.cli_services import out, plain_errors, settings_at_hand
from hub.errors import CannotStart

if TYPE_CHECKING:
    from hub.settings import Settings

_TLS_PORT = 443


def nginx(
    folder: Annotated[Path, typer.Option(help="Where NGINX keeps its pid, its caches and temporary files; made if missing.")],
    listen: Annotated[str, typer.Option(help="What NGINX listens on: a port, or address:port.")] = "8080",
    hub: Annotated[
        list[str] | None,
        typer.Option(help="Where NGINX finds the hub, as address:port; once for each replica. Default: HOST and PORT."),
    ] = None,
    user: Annotated[str, typer.Option(help="Whom its workers run as, where root starts NGINX.")] = "",
    workers: Annotated[str, typer.Option(help="How many workers it has; auto: one for each core of the machine.")] = "auto",
    trusted_proxy: Annotated[
        list[str] | None,
        typer.Option(help="Network of a proxy in front of it whose X-Forwarded-For says where a request comes from."),
    ] = None,
    access_log: Annotated[str, typer.Option(help="Where requests are logged. Default: access.log in the folder.")] = "",
    certificate: Annotated[str, typer.Option(help="File of the certificate with which NGINX speaks TLS; with --key.")] = "",
    key: Annotated[str, typer.Option(help="File of the certificate's key.")] = "",
    plain: Annotated[
        str, typer.Option(help="With --certificate: where plain HTTP listens, and sends people on to the same page over TLS.")
    ] = "",
    cluster: Annotated[
        str,
        typer.Option(
            help="The further cluster in which it stands: it serves environments there and asks the hub at PUBLIC_URL."
        ),
    ] = "",
    authorities: Annotated[
        str, typer.Option(help="With --cluster: the file, there, of the certificate authorities that vouch for PUBLIC_URL.")
    ] = "/etc/ssl/certs/ca-certificates.crt",
) -> None:
    """Print a configuration with which NGINX stands in front of this hub."""
    from hub.routing.nginx import NginxOptions, listening, render  # noqa: PLC0415

    with plain_errors():
        settings = settings_at_hand()
        if not cluster:
            (folder.absolute() / "tmp").mkdir(parents=True, exist_ok=True)
        asks = _as_another(settings, cluster, authorities) if cluster else _as_ours(settings)
        asks |= {"hubs": tuple(hub)} if hub else {}
        options = NginxOptions(
            settings, folder.absolute(), listening(listen), user=user or None, workers=workers,
            trusted=tuple(trusted_proxy or ()), access_log=access_log,
            certificate=(certificate, key) if certificate or key else None, plain=listening(plain) if plain else (), **asks,
        )  # fmt: skip
        out.print(render(options), markup=False)


def _as_ours(settings: "Settings") -> dict[str, Any]:
    from hub.services import proxy_credential  # noqa: PLC0415

    hubs = (f"{settings.host}:{settings.port}",)
    return {"hubs": hubs, "credential": proxy_credential(settings), "cluster_id": settings.home}


def _as_another(settings: "Settings", cluster: str, authorities: str) -> dict[str, Any]:
    """Raises `CannotStart` for a cluster whose file names no domain."""
    from hub.clusters import further  # noqa: PLC0415
    from hub.clusters.service import credential_of  # noqa: PLC0415
    from hub.services import proxy_credential  # noqa: PLC0415

    domain = further.domains(settings.cluster_config_path, settings.home).get(cluster)
    if domain is None:
        raise CannotStart(f"CLUSTER_CONFIG_PATH has no file {cluster}.toml with an `environments_domain`.")
    public = urlsplit(settings.root_url)
    return {
        "hubs": (f"{public.hostname}:{public.port or _TLS_PORT}",),
        "credential": credential_of(cluster, proxy_credential(settings)),
        "cluster_id": cluster,
        "domain": domain,
        "authorities": authorities,
    }
