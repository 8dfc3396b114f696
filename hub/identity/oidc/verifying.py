"""Is this token what it says? Signature, issuer, audience and times, by Authlib, with an allow-list.

A header's own `jwk`, `jku` or `x5u` is never looked at, an unknown `crit` is refused, and the key is
always one of the provider's, found by its id. Sources: OpenID Connect Core 3.1.3.7, Back-Channel
Logout 2.6, RFC 9068 (access tokens), RFC 8725.
"""

import hmac
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from authlib.oauth2.claims import JWTClaims
from authlib.oidc.core import CodeIDToken
from joserfc import jwt
from joserfc.errors import InvalidKeyIdError, JoseError
from joserfc.jws import JWSRegistry
from joserfc.jwt import Token

from hub.errors import Refused
from hub.identity.oidc.discovery import Discovery
from hub.identity.oidc.providers import Provider

LEEWAY = 60
"""Seconds by which two clocks may differ."""
LOGOUT_EVENT = "http://schemas.openid.net/event/backchannel-logout"
LONGEST_SUBJECT = 255


class TokenRefused(Refused):
    """A token that does not count; the sentence is for the log, not for the person."""


def id_token(provider: Provider, discovery: Discovery, answer: Mapping[str, Any], nonce: str) -> dict[str, Any]:
    """The claims of a token endpoint's answer. Raises `TokenRefused`, `ProviderSilent`."""
    token = _decoded(provider, discovery, answer.get("id_token"))
    params = {"client_id": provider.client_id, "access_token": answer.get("access_token")}
    claims = CodeIDToken(token.claims, token.header, _expected(provider, (provider.client_id,)), params)
    _validated(claims)
    found = token.claims.get("nonce")
    if not isinstance(found, str) or not hmac.compare_digest(found.encode(), nonce.encode()):
        raise TokenRefused("the nonce is another one")
    return _with_subject(token)


def access_token(provider: Provider, discovery: Discovery, text: str, audiences: Sequence[str]) -> dict[str, Any]:
    """The claims of an access token made for one of these audiences. Raises `TokenRefused`, `ProviderSilent`."""
    token = _decoded(provider, discovery, text)
    if str(token.header.get("typ", "JWT")).lower().removeprefix("application/") not in {"at+jwt", "jwt"}:
        raise TokenRefused("this is no access token")
    if "nonce" in token.claims or "at_hash" in token.claims:
        raise TokenRefused("this is an ID token")
    _validated(JWTClaims(token.claims, token.header, {**_expected(provider, audiences), "exp": {"essential": True}}))
    return _with_subject(token)


def logout_token(provider: Provider, discovery: Discovery, text: str) -> dict[str, Any]:
    """The claims of a back-channel logout. Raises `TokenRefused`, `ProviderSilent`."""
    token = _decoded(provider, discovery, text)
    if str(token.header.get("typ", "")).lower().removeprefix("application/") != "logout+jwt":
        raise TokenRefused("this is no logout token")
    essential = {name: {"essential": True} for name in ("iat", "jti")}
    _validated(JWTClaims(token.claims, token.header, {**_expected(provider, (provider.client_id,)), **essential}))
    events = token.claims.get("events")
    if not isinstance(events, dict) or not isinstance(events.get(LOGOUT_EVENT), dict) or "nonce" in token.claims:
        raise TokenRefused("this is no logout token")
    if not (token.claims.get("sub") or token.claims.get("sid")):
        raise TokenRefused("the logout names nobody")
    return dict(token.claims)


def end_of(claims: Mapping[str, Any]) -> datetime:
    """When a token ends. Raises `TokenRefused` where that is no time."""
    try:
        return datetime.fromtimestamp(int(claims["exp"]), UTC)
    except (KeyError, ValueError, TypeError, OverflowError, OSError) as error:
        raise TokenRefused("the token ends at no time") from error


def _decoded(provider: Provider, discovery: Discovery, text: object) -> Token:
    if not isinstance(text, str):
        raise TokenRefused("there is no token")
    registry = JWSRegistry(algorithms=provider.algorithms, strict_check_header=False)
    keys = discovery.keys()
    try:
        try:
            token = jwt.decode(text, keys, registry=registry)
        except InvalidKeyIdError:
            token = jwt.decode(text, discovery.keys(unknown_to=keys), registry=registry)
    except (JoseError, ValueError, TypeError, KeyError, RecursionError) as error:
        raise TokenRefused(f"the token cannot be trusted: {type(error).__name__}") from error
    _refuse_critical(token)
    return token


def _refuse_critical(token: Token) -> None:
    """Podium knows no critical header (RFC 7515, 4.1.11), and a list that is empty or names usual ones is malformed."""
    if "crit" in token.header:
        raise TokenRefused("the token has a critical header")


def _expected(provider: Provider, audiences: Sequence[str]) -> dict[str, Any]:
    return {
        "iss": {"essential": True, "value": provider.issuer},
        "aud": {"essential": True, "values": list(audiences)},
        "exp": {"essential": True},
    }


def _validated(claims: JWTClaims) -> None:
    try:
        claims.validate(leeway=LEEWAY)
    except (JoseError, ValueError, TypeError) as error:
        raise TokenRefused(f"the claims do not hold: {error}") from error


def _with_subject(token: Token) -> dict[str, Any]:
    subject = token.claims.get("sub")
    if not isinstance(subject, str) or not 1 <= len(subject) <= LONGEST_SUBJECT:
        raise TokenRefused("the subject is missing or too long")
    return dict(token.claims)
