"""The OpenID providers that people may log in with, and whom each of them lets in.

Google and one other are set by name (`hub.settings_login`), any number more by a TOML file. A
provider without a rule admits nobody.
"""

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from hub.errors import CannotStart
from hub.settings import Settings
from hub.settings_field import listed
from hub.settings_login import SIGNING_ALGORITHMS, checked_issuer

GOOGLE = "google"
GOOGLE_ISSUER = "https://accounts.google.com"
SINGLE = "oidc"
"""The name of the provider that the settings `OIDC_…` describe."""


class Rules(BaseModel):
    """Any one rule admits. `admin_groups` and `auditor_groups` admit too, and give the role."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    allow_everyone: bool = False
    allowed_email_domains: tuple[str, ...] = ()
    allowed_hosted_domains: tuple[str, ...] = ()
    groups_claim: str = "groups"
    users_groups: tuple[str, ...] = ()
    admin_groups: tuple[str, ...] = ()
    auditor_groups: tuple[str, ...] = ()
    approval: bool = False

    @property
    def admit_somebody(self) -> bool:
        """Whether anybody could come in at all."""
        groups = (*self.users_groups, *self.admin_groups, *self.auditor_groups)
        return bool(self.allow_everyone or self.approval or self.allowed_email_domains or self.allowed_hosted_domains or groups)

    @property
    def give_roles(self) -> bool:
        return bool(self.admin_groups or self.auditor_groups)


@dataclass(frozen=True)
class Provider:
    """`issuer` is compared exactly, `algorithms` are all that a signature of it may use."""

    name: str
    label: str
    issuer: str
    client_id: str
    client_secret: str | None
    scopes: str
    algorithms: tuple[str, ...]
    rules: Rules
    ca_bundle: Path | None = None
    client_key: str | None = None
    """A private key (PEM) with which the client proves itself instead of a secret (`private_key_jwt`)."""

    @property
    def callback(self) -> str:
        """The path of the redirect URI, one for each issuer (RFC 9700, 4.4.2.2). CMBCluster's clients know Google's."""
        return "/auth/callback" if self.name == GOOGLE else f"/auth/callback/{self.name}"


class _Entry(Rules):
    """One `[[provider]]` of the file."""

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9-]{0,29}$")
    label: str = Field(min_length=1, max_length=60)
    issuer: str
    client_id: str = Field(min_length=1)
    client_secret: str | None = None
    client_secret_file: Path | None = None
    client_key_file: Path | None = None
    scopes: str = "openid email profile"
    algorithms: tuple[str, ...] = Field(default=("RS256",), min_length=1)
    ca_bundle: Path | None = None

    _issuer = field_validator("issuer")(checked_issuer)

    @field_validator("algorithms")
    @classmethod
    def _asymmetric(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if unknown := set(value) - set(SIGNING_ALGORITHMS):
            raise ValueError(f"{', '.join(sorted(unknown))} cannot be used; choose from {', '.join(SIGNING_ALGORITHMS)}")
        return value

    @model_validator(mode="after")
    def _one_proof(self) -> Self:
        if sum(proof is not None for proof in (self.client_secret, self.client_secret_file, self.client_key_file)) != 1:
            raise ValueError("needs one of client_secret, client_secret_file and client_key_file")
        return self

    def provider(self) -> Provider:
        secret = self.client_secret or _read(self.client_secret_file)
        rules = Rules(**{name: getattr(self, name) for name in Rules.model_fields})
        return Provider(
            self.name, self.label, self.issuer, self.client_id, secret, self.scopes, self.algorithms, rules,
            self.ca_bundle, _read(self.client_key_file),
        )  # fmt: skip


def providers_of(settings: Settings) -> dict[str, Provider]:
    """All of them by name, in the order of their buttons. Raises `CannotStart` with what is wrong."""
    found = [*_google(settings), *_single(settings), *_filed(settings.providers_file)]
    for what in ("name", "issuer"):
        values = [getattr(provider, what) for provider in found]
        if twice := {value for value in values if values.count(value) > 1}:
            raise CannotStart(f"Two providers have the same {what}: {', '.join(sorted(twice))}.")
    return {provider.name: provider for provider in found}


def _google(settings: Settings) -> list[Provider]:
    if not settings.google_client_id:
        return []
    secret, algorithms = settings.google_client_secret, ("RS256",)
    return [
        Provider(GOOGLE, "Google", GOOGLE_ISSUER, settings.google_client_id, secret, "openid email profile", algorithms,
                 _rules(settings))
    ]  # fmt: skip


def _single(settings: Settings) -> list[Provider]:
    if not (settings.oidc_issuer_url and settings.oidc_rp_client_id):
        return []
    return [
        Provider(
            SINGLE, settings.oidc_label, settings.oidc_issuer_url, settings.oidc_rp_client_id, settings.oidc_rp_client_secret,
            settings.oidc_rp_scopes, listed(settings.oidc_rp_sign_algo), _rules(settings), settings.oidc_ca_bundle,
        )
    ]  # fmt: skip


def _rules(settings: Settings) -> Rules:
    return Rules(
        allow_everyone=settings.allow_everyone,
        allowed_email_domains=listed(settings.allowed_email_domains),
        allowed_hosted_domains=listed(settings.allowed_hosted_domains),
        groups_claim=settings.groups_claim,
        users_groups=listed(settings.users_group),
        admin_groups=listed(settings.admin_group),
        auditor_groups=listed(settings.auditor_group),
        approval=settings.approval,
    )


def _filed(path: Path | None) -> list[Provider]:
    if path is None:
        return []
    try:
        entries = tomllib.loads(path.read_text(encoding="utf-8")).get("provider", [])
        return [_Entry.model_validate(entry).provider() for entry in entries]
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise CannotStart(f"PROVIDERS_FILE {path} cannot be read: {error}") from error
    except ValidationError as error:
        faults = "".join(f"\n  - {'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors(include_input=False))
        raise CannotStart(f"PROVIDERS_FILE {path} has faults:{faults}") from error


def _read(path: Path | None) -> str | None:
    return path.read_text(encoding="utf-8").strip() if path else None
