"""What a provider says of itself: its addresses and its keys, cached for an hour at most.

The document's issuer must be the configured one, letter for letter, and what leads to tokens must lie
on the issuer's own host (Google's and others' lists of hosts are known here). An unknown key id makes
the keys be fetched again, but no more than once a minute, so that forged tokens cost nobody anything.
"""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import httpx2
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from hub.identity.oidc import fetching
from hub.identity.oidc.fetching import ProviderSilent
from hub.identity.oidc.providers import GOOGLE_ISSUER, Provider

KEPT = 3600.0
"""Seconds for which the document and the keys are used without asking again."""
AGAIN = 60.0
"""Seconds between two looks for a key that was not there."""
SILENT = 10.0
"""Seconds for which a provider that did not answer is not asked again."""
_ASYMMETRIC = {"RSA", "EC", "OKP"}
_HOSTS = {GOOGLE_ISSUER: {"accounts.google.com", "oauth2.googleapis.com", "www.googleapis.com", "openidconnect.googleapis.com"}}


@dataclass(frozen=True)
class Metadata:
    """The addresses of one provider. `names_itself`: its answers carry `iss` (RFC 9207)."""

    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    userinfo_endpoint: str | None
    end_session_endpoint: str | None
    names_itself: bool


class Discovery:
    """Safe to share between threads. Everything raises `ProviderSilent` where the provider is of no use."""

    def __init__(self, provider: Provider, http: httpx2.Client, clock: Callable[[], float] = time.monotonic) -> None:
        self._provider, self._http, self._clock = provider, http, clock
        self._lock = threading.Lock()
        self._metadata: tuple[float, Metadata] | None = None
        self._keys: tuple[float, KeySet] | None = None
        self._failed: tuple[float, ProviderSilent] | None = None

    def metadata(self) -> Metadata:
        with self._lock:
            if self._metadata is None or self._clock() - self._metadata[0] > KEPT:
                self._metadata = (self._clock(), self._fetched_unless_it_failed())
            return self._metadata[1]

    def _fetched_unless_it_failed(self) -> Metadata:
        """Those who come while a provider is silent must not wait for it one after the other."""
        if self._failed is not None and self._clock() - self._failed[0] < SILENT:
            raise self._failed[1]
        try:
            return self._fetched()
        except ProviderSilent as error:
            self._failed = (self._clock(), error)
            raise

    def known(self) -> Metadata | None:
        """What is cached already, however old: for what must not wait for the provider."""
        return self._metadata[1] if self._metadata else None

    def keys(self, unknown_to: KeySet | None = None) -> KeySet:
        """The provider's keys; newer ones than `unknown_to`, if enough time has passed since these came."""
        uri = self.metadata().jwks_uri
        with self._lock:
            age = self._clock() - self._keys[0] if self._keys else KEPT + 1
            stale = self._keys is None or age > KEPT or (self._keys[1] is unknown_to and age > AGAIN)
            if self._keys is None or stale:
                self._keys = (self._clock(), _key_set(fetching.get_json(self._http, uri)))
            return self._keys[1]

    def _fetched(self) -> Metadata:
        address = f"{self._provider.issuer.rstrip('/')}/.well-known/openid-configuration"
        document = fetching.get_json(self._http, address)
        if document.get("issuer") != self._provider.issuer:
            named, meant = str(document.get("issuer"))[:200], self._provider.issuer
            raise ProviderSilent(f"{self._provider.label} calls itself {named!r} and is configured as {meant!r}.")
        return Metadata(
            authorization_endpoint=self._own(document, "authorization_endpoint"),
            token_endpoint=self._own(document, "token_endpoint"),
            jwks_uri=self._own(document, "jwks_uri"),
            userinfo_endpoint=self._own(document, "userinfo_endpoint") if "userinfo_endpoint" in document else None,
            end_session_endpoint=self._own(document, "end_session_endpoint") if "end_session_endpoint" in document else None,
            names_itself=document.get("authorization_response_iss_parameter_supported") is True,
        )

    def _own(self, document: dict[str, Any], name: str) -> str:
        """An address of the document that lies where this issuer's addresses may lie."""
        address, issuer = str(document.get(name, "")), urlsplit(self._provider.issuer)
        try:
            parts = urlsplit(address)
            same_host = (parts.hostname, parts.port) == (issuer.hostname, issuer.port)
        except ValueError as error:
            raise ProviderSilent(f"{self._provider.label} names no usable {name}.") from error
        listed = parts.hostname in _HOSTS.get(self._provider.issuer, ())
        if parts.scheme != issuer.scheme or not (same_host or listed) or parts.username is not None:
            raise ProviderSilent(f"{self._provider.label} names a {name} on another host.")
        return address


def _key_set(document: dict[str, Any]) -> KeySet:
    """The asymmetric keys of a document; a shared secret published as a key is none."""
    keys = document.get("keys")
    usable = [key for key in keys if isinstance(key, dict) and key.get("kty") in _ASYMMETRIC] if isinstance(keys, list) else []
    try:
        return KeySet.import_key_set({"keys": usable})
    except (JoseError, ValueError, TypeError, KeyError) as error:
        raise ProviderSilent("The provider's keys cannot be used.") from error
