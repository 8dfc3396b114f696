"""The NGINX configuration: the same contract as the embedded gateway, as one file without includes.

Decided and routed is on one variable, `$podium_slug`: it names the environment to the hub, keys the
cached answer, and the upstream comes from the answer alone. A 200 counts only with the decision
header and an upstream, because a server that knows nothing of `/routing/authorize` may answer 200
too. Request headers are an allow-list in every proxied location, since a location that sets one of
its own would inherit none. Nothing is reloaded when an environment starts.
"""

import re
import socket
from base64 import b64encode
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

from jinja2 import Environment as Templates
from jinja2 import FileSystemLoader, StrictUndefined

from hub.errors import CannotStart
from hub.identity.cookies import COOKIE_VALUE, cookie_name
from hub.routing import headers, targets
from hub.routing.addresses import SLUG, Addresses
from hub.routing.assets import ASSET
from hub.routing.own_nginx import ADDRESS, CLUSTER, HEADER, HOST
from hub.settings import Settings

COOKIES_REMOVED = 8
"""How many of the hub's cookies are taken out of a Cookie header; where there are more, the whole header is dropped."""

_PLAIN = re.compile(r"[A-Za-z0-9_./:\[\]=*-]+")
_templates = Templates(
    loader=FileSystemLoader(Path(__file__).parent / "templates"),
    autoescape=False,  # noqa: S701 - no HTML; every value is checked by `_checked`
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
    line_comment_prefix="##",
)


@dataclass(frozen=True)
class NginxOptions:
    """`folder` holds pid, caches and temporary files; it and `folder/tmp` must exist.

    `listen` are NGINX's own `listen` arguments, `hubs` are the replicas of the hub, each `address:port` or `unix:/path`, and
    `credential` is what the row of the cluster `cluster_id` has the hash of. `user` is whom the
    workers run as where NGINX is started by root: someone who may open the environments' sockets.
    `trusted` are the networks of proxies in front of it that say where a request comes from.
    With `domain` it is the NGINX of another cluster than the hub's own: it serves environments below
    that domain and asks the hub over TLS at its public address, for which `authorities` (a file) vouch.
    """

    settings: Settings
    folder: Path
    listen: tuple[str, ...]
    hubs: tuple[str, ...]
    credential: str = field(repr=False)
    cluster_id: str = "local"
    domain: str | None = None
    authorities: str = ""
    user: str | None = None
    workers: str = "auto"
    trusted: tuple[str, ...] = ()
    certificate: tuple[str, str] | None = None
    """Files of a certificate, with those that vouch for it, and its key: with them NGINX speaks TLS."""
    plain: tuple[str, ...] = ()
    """Arguments of `listen` for plain HTTP beside TLS: who comes there is sent to the same page over TLS."""
    access_log: str = ""
    """Where it is written; empty: into `folder`."""
    foreground: bool = True


def listening(listen: str) -> tuple[str, ...]:
    """Of a bare port all addresses of this machine, those of IPv6 included where it has them."""
    everywhere = listen.isdecimal() and socket.has_dualstack_ipv6()
    return (listen, f"[::]:{listen}") if everywhere else (listen,)


def render(options: NginxOptions) -> str:
    """The complete configuration. Raises `CannotStart` for a value that NGINX could misread."""
    addresses = Addresses.of(options.settings)
    _check_tls(addresses, options)
    if options.domain:
        _check_other(addresses, options)
    page = _templates.get_template("restarting.html.j2").render()
    return _templates.get_template("nginx.conf.j2").render(
        by_host=addresses.by_host,
        hub_host=_checked(addresses.hub_authority if options.domain else addresses.hub_host),
        hub_name=_checked(addresses.hub_host),
        hub_scheme=addresses.scheme if options.domain else "http",
        other=bool(options.domain),
        authorities=_checked(options.authorities) if options.authorities else "",
        cluster_header=CLUSTER,
        host_header=HOST,
        address_header=ADDRESS,
        root=_checked(addresses.root),
        scheme=addresses.scheme,
        domain=_checked((options.domain or addresses.domain).lower()),
        slug=SLUG,
        asset_name=ASSET,
        folder=_checked(str(options.folder)),
        listen=_listening(options.listen),
        plain=_listening(options.plain),
        port=_checked(f":{addresses.port}") if addresses.port else "",
        certificate=[_checked(file) for file in options.certificate or ()],
        hubs=[_checked(hub) for hub in options.hubs],
        cluster_id=_checked(options.cluster_id),
        credential=_checked(options.credential),
        user=_checked(options.user) if options.user else "",
        workers=_checked(options.workers),
        trusted=[_checked(network) for network in options.trusted],
        access_log=_checked(options.access_log or str(options.folder / "access.log")),
        proxy_header=HEADER,
        foreground=options.foreground,
        cookie=_checked(cookie_name(options.settings, "entry" if addresses.by_host else "session")),
        session_cookie=_checked(cookie_name(options.settings, "session")),
        cookie_value=COOKIE_VALUE,
        rounds=range(1, COOKIES_REMOVED + 1),
        request_line=targets.REQUEST_LINE,
        refused_in_path=targets.REFUSED_IN_PATH,
        longest=targets.LONGEST,
        request_headers=headers.REQUEST,
        response_dropped=headers.RESPONSE_DROPPED,
        restarting=page.replace("\\", "\\\\").replace("'", "\\'").replace("\n", " "),
        style_hash=_style_hash(page),
        re_escape=re.escape,
    )


def _check_tls(addresses: Addresses, options: NginxOptions) -> None:
    """Raises `CannotStart` where people would be sent to an address that nobody serves, or in a circle."""
    if options.plain and not options.certificate:
        raise CannotStart("Plain HTTP is sent on to TLS (--plain), so NGINX needs a certificate (--certificate and --key).")
    if options.certificate and not all(options.certificate):
        raise CannotStart("A certificate has a key. Name the files of both (--certificate and --key).")
    if options.certificate and addresses.scheme != "https":
        raise CannotStart("NGINX speaks TLS here, so PUBLIC_URL has to begin with https.")


def _check_other(addresses: Addresses, options: NginxOptions) -> None:
    """Raises `CannotStart` where the credential would travel in clear, or environments have no hosts."""
    if not addresses.by_host:
        raise CannotStart("NGINX of another cluster needs a host for each environment. Set ROUTING=host.")
    if addresses.scheme != "https" or not options.authorities:
        raise CannotStart(
            "NGINX of another cluster asks the hub over TLS. Set PUBLIC_URL to an address with https, and name the file of "
            "certificate authorities that NGINX checks it with (--authorities)."
        )


def _listening(arguments: tuple[str, ...]) -> list[str]:
    return [" ".join(_checked(part) for part in listen.split()) for listen in arguments]


def _checked(value: str) -> str:
    """Values stand unquoted in the configuration."""
    if not _PLAIN.fullmatch(value):
        raise CannotStart(
            f"NGINX's configuration cannot hold {value!r}: only letters, digits and _ . / : [ ] = * - are possible."
        )
    return value


def _style_hash(page: str) -> str:
    style = page.partition("<style>")[2].partition("</style>")[0].replace("\n", " ")
    return b64encode(sha256(style.encode()).digest()).decode()
