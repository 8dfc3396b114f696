"""The hub's half of the contract with an environment, written down once more for the tests."""

import json
import secrets
import time
from datetime import timedelta
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

ASSERTION = "podium-assertion+jwt"
CONTROL = "podium-control+jwt"
ENDORSEMENT = "podium-key+jwt"


class Signer:
    """A signing key with its name."""

    def __init__(self, kid: str = "first") -> None:
        self.kid = kid
        self.private = ec.generate_private_key(ec.SECP256R1())

    @property
    def jwk(self) -> dict[str, str]:
        return {**json.loads(jwt.algorithms.ECAlgorithm.to_jwk(self.private.public_key())), "kid": self.kid}

    @property
    def pem(self) -> bytes:
        return self.private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)

    def sign(self, kind: str, claims: dict[str, Any], **header: Any) -> str:
        return jwt.encode(claims, self.private, "ES256", {"kid": self.kid, "typ": kind, **header})

    def endorse(self, successor: "Signer") -> str:
        return self.sign(ENDORSEMENT, {"jwk": successor.jwk})


def _at(now: int, changed: dict[str, Any]) -> dict[str, Any]:
    return {
        name: now + int(value.total_seconds()) if isinstance(value, timedelta) else value for name, value in changed.items()
    }


def claims(audience: str, **changed: Any) -> dict[str, Any]:
    """What an assertion says when nothing is wrong with it; None takes a claim away, a timedelta counts from now."""
    now = int(time.time())
    usual = {
        "iss": "podium",
        "aud": audience,
        "sub": "user-1",
        "sid": secrets.token_hex(8),
        "iat": now,
        "exp": now + 60,
        "name": "Zoë 张 🌱",
        "email": "zoe@example.org",
        "role": "user",
        "session_end": now + 3600,
    }
    return {name: value for name, value in {**usual, **_at(now, changed)}.items() if value is not None}


def order(audience: str, **changed: Any) -> dict[str, Any]:
    """What a control message says; a timedelta counts from now."""
    now = int(time.time())
    usual = {"iss": "podium", "aud": audience, "iat": now, "exp": now + 60, "revoked": [], "successors": []}
    return {**usual, **_at(now, changed)}
