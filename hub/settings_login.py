"""The settings of login: how long it lasts, which providers there are, whom they let in, and as what.

Lists are written with commas. What admits nobody is no fault: an empty list lets nobody in.
"""

import re
from ipaddress import ip_network
from pathlib import Path
from typing import Self

from pydantic import BaseModel, ConfigDict, field_validator, model_validator

from hub.settings_field import listed, setting

_WEAK_WORDS = ("changeme", "change-me", "secret-key", "secret_key", "password", "example")
SIGNING_ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA", "Ed25519")
"""What a provider may sign with: asymmetric algorithms only, so that no public key is ever taken for a shared secret."""


class LoginSettings(BaseModel):
    """A part of `hub.settings.Settings`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    secret_key: str | None = setting(
        "Login",
        None,
        "Seals keys in the database, at least 32 characters. Default: made at the first start, in the data folder.",
    )
    token_expire_hours: float = setting("Login", 8, "Hours until a login ends.", gt=0, le=720)
    local_accounts: bool = setting("Login", True, "Whether people may log in with a name and a password that Podium keeps.")
    google_client_id: str | None = setting("Login", None, "*Login with Google*: the OAuth client's id.")
    google_client_secret: str | None = setting("Login", None, "The OAuth client's secret.")
    oidc_issuer_url: str | None = setting(
        "Login", None, "Login with an OpenID provider: its issuer, exactly as the provider writes it."
    )
    oidc_rp_client_id: str | None = setting("Login", None, "The client's id at that provider.")
    oidc_rp_client_secret: str | None = setting("Login", None, "The client's secret at that provider.")
    oidc_rp_scopes: str = setting("Login", "openid email profile", "What is asked of that provider.")
    oidc_rp_sign_algo: str = setting("Login", "RS256", "What that provider signs its tokens with.")
    oidc_ca_bundle: Path | None = setting("Login", None, "Certificates to trust for that provider, beside the machine's own.")
    oidc_label: str = setting("Login", "single sign-on", "What the button says after *Login with*.")
    providers_file: Path | None = setting("Login", None, "A TOML file with further OpenID providers (docs/operating/login.md).")
    allow_everyone: bool = setting("Login", False, "Whether everyone may enter who can log in at Google or that provider.")
    allowed_email_domains: str = setting("Login", "", "Who may enter: verified e-mail addresses of exactly these domains.")
    allowed_hosted_domains: str = setting("Login", "", "Who may enter by Google: accounts of these Workspace domains (`hd`).")
    groups_claim: str = setting(
        "Login", "groups", "Where a provider's claims list groups or roles; dots lead inwards: `realm_access.roles`."
    )
    users_group: str = setting("Login", "", "Who may enter: members of these groups.")
    admin_group: str = setting("Login", "", "Members of these groups may enter and are administrators.")
    auditor_group: str = setting(
        "Login", "", "Members of these groups may enter and are auditors: they see all and change nothing."
    )
    api_audiences: str = setting(
        "Login", "", "Audiences (`aud`) of providers' access tokens with which programs may call the API; empty: none may."
    )
    approval: bool = setting(
        "Login", False, "Whether everyone else may ask to enter; an administrator then lets them in on the page *Users*."
    )
    trusted_proxies: str = setting(
        "Login", "", "Addresses or networks of proxies whose `X-Forwarded-For` says where a request comes from."
    )

    @field_validator("secret_key")
    @classmethod
    def _strong(cls, value: str | None) -> str | None:
        if value is None:
            return None
        if len(value) < 32 or len(set(value)) < 8 or any(word in value.lower() for word in _WEAK_WORDS):
            raise ValueError("needs at least 32 characters that nobody can guess; make one with: openssl rand -hex 32")
        return value

    @field_validator("oidc_issuer_url")
    @classmethod
    def _issuer(cls, value: str | None) -> str | None:
        return None if value is None else checked_issuer(value)

    @field_validator("oidc_rp_sign_algo")
    @classmethod
    def _algorithms(cls, value: str) -> str:
        for name in listed(value) or ("nothing",):
            if name not in SIGNING_ALGORITHMS:
                raise ValueError(f"{name} cannot be used; choose from {', '.join(SIGNING_ALGORITHMS)}")
        return value

    @field_validator("trusted_proxies")
    @classmethod
    def _proxies(cls, value: str) -> str:
        for name in listed(value):
            try:
                network = ip_network(name, strict=False)
            except ValueError:
                raise ValueError(f"{name} is no IP address and no network such as 10.0.0.0/8") from None
            if network.prefixlen == 0:
                raise ValueError(f"{name} would trust everyone: name the addresses of your own proxies")
        return value

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if bool(self.google_client_id) != bool(self.google_client_secret):
            raise ValueError("GOOGLE_CLIENT_ID and GOOGLE_CLIENT_SECRET belong together; one of them is missing")
        if bool(self.oidc_issuer_url) != bool(self.oidc_rp_client_id):
            raise ValueError("OIDC_ISSUER_URL and OIDC_RP_CLIENT_ID belong together; one of them is missing")
        return self


def checked_issuer(value: str) -> str:
    """An issuer's URL as it is. Raises ValueError; plain http is for this machine only (tests, a first try)."""
    if not re.match(r"^(https://[^/?#@\s]+|http://(localhost|127\.0\.0\.1)(:\d+)?)(/[^?#\s]*)?$", value):
        raise ValueError("must be the provider's https address, without ? and #")
    return value
