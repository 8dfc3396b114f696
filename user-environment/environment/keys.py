"""The keys whose signature counts in this environment, and what they signed.

Only ES256 with a public key of this ring counts. The token's header picks among the known keys by
`kid` and nothing else: a key that the token brings along, a URL in it or another algorithm is of no
effect. The ring starts with the keys of the specification and grows only by an endorsement, in
which a known key signs its successor, so that the hub can rotate keys without cutting anybody.
"""

import time
from collections import OrderedDict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePublicKey

from environment.refusal import Refusal, Refused

ISSUER = "podium"
ASSERTION = "podium-assertion+jwt"
CONTROL = "podium-control+jwt"
ENDORSEMENT = "podium-key+jwt"

LEEWAY = 5
"""Seconds by which the clocks of hub and environment may differ."""
LONGEST_LIFE = 60
"""Seconds for which an assertion or a control message may be valid at most."""

_LONGEST_TOKEN = 8192
_REMEMBERED = 256


@dataclass(frozen=True)
class Assertion:
    """Who makes a request, as the hub signed it. Times are Unix seconds."""

    user_id: str
    session_id: str
    session_ends: float
    expires: float
    name: str
    email: str
    role: str


class KeyRing:
    """Verifies tokens for one audience, the start of this environment."""

    def __init__(self, audience: str, keys: Iterable[Mapping[str, Any]]) -> None:
        self._audience = audience
        self._keys = dict(_public_key(jwk) for jwk in keys)
        self._verified: OrderedDict[str, Assertion] = OrderedDict()

    @property
    def ids(self) -> list[str]:
        return list(self._keys)

    def assertion(self, token: str) -> Assertion:
        """The verified content of an assertion. Raises `Refused`.

        A token that was verified before is not verified again, because a page makes several
        requests a second with the same one; its times are checked each time.
        """
        assertion = self._verified.get(token) or _read(self.verify(token, ASSERTION))
        if time.time() > min(assertion.expires + LEEWAY, assertion.session_ends):
            raise Refused(Refusal.EXPIRED)
        self._remember(token, assertion)
        return assertion

    def verify(self, token: str, kind: str) -> dict[str, Any]:
        """The claims of a short-lived token of this kind for this audience. Raises `Refused`."""
        claims = self._claims(token, kind, ["iss", "aud", "iat", "exp"], audience=self._audience, issuer=ISSUER)
        if claims["exp"] - claims["iat"] > LONGEST_LIFE:
            raise Refused(Refusal.INVALID)
        return claims

    def endorse(self, endorsements: Iterable[str]) -> None:
        """Trust the keys that a trusted key vouches for; pass over all others.

        The endorsements of a chain may come in any order.
        """
        waiting = list(endorsements)
        while accepted := [token for token in waiting if self._accept(token)]:
            waiting = [token for token in waiting if token not in accepted]

    def _accept(self, endorsement: str) -> bool:
        try:
            kid, key = _public_key(self._claims(endorsement, ENDORSEMENT, ["jwk"])["jwk"])
        except (Refused, InvalidKey):
            return False
        self._keys.setdefault(kid, key)
        return True

    def _claims(self, token: str, kind: str, required: list[str], **expected: Any) -> dict[str, Any]:
        if len(token) > _LONGEST_TOKEN:
            raise Refused(Refusal.INVALID)
        options: Any = {"require": required, "strict_aud": True, "verify_aud": "audience" in expected}
        try:
            header = jwt.get_unverified_header(token)
            key = self._keys.get(header.get("kid", ""))
            if key is None or header.get("typ") != kind:
                raise Refused(Refusal.INVALID)
            return jwt.decode(token, key, algorithms=["ES256"], leeway=LEEWAY, options=options, **expected)
        except jwt.ExpiredSignatureError as error:
            raise Refused(Refusal.EXPIRED) from error
        except jwt.PyJWTError as error:
            raise Refused(Refusal.INVALID) from error

    def _remember(self, token: str, assertion: Assertion) -> None:
        self._verified[token] = assertion
        self._verified.move_to_end(token)
        if len(self._verified) > _REMEMBERED:
            self._verified.popitem(last=False)


class InvalidKey(ValueError):
    """Not a public key on P-256 with a name."""


def _public_key(jwk: Any) -> tuple[str, EllipticCurvePublicKey]:
    if not isinstance(jwk, Mapping) or not isinstance(jwk.get("kid"), str) or "d" in jwk:
        raise InvalidKey("A key needs a kid and must not hold its private half.")
    try:
        key = jwt.PyJWK(dict(jwk), algorithm="ES256").key
    except jwt.PyJWTError as error:
        raise InvalidKey(f"The key {jwk['kid'][:64]} is no public key for ES256.") from error
    if not isinstance(key, EllipticCurvePublicKey) or not isinstance(key.curve, SECP256R1):
        raise InvalidKey(f"The key {jwk['kid'][:64]} is no public key for ES256.")
    return jwk["kid"], key


def _read(claims: Mapping[str, Any]) -> Assertion:
    texts = {name: claims.get(name) or "" for name in ("sub", "sid", "name", "email", "role")}
    ends = claims.get("session_end")
    if not all(isinstance(text, str) for text in texts.values()) or not (texts["sub"] and texts["sid"]):
        raise Refused(Refusal.INVALID)
    if not isinstance(ends, int | float) or isinstance(ends, bool):
        raise Refused(Refusal.INVALID)
    return Assertion(
        user_id=texts["sub"],
        session_id=texts["sid"],
        session_ends=ends,
        expires=claims["exp"],
        name=texts["name"],
        email=texts["email"],
        role=texts["role"],
    )
