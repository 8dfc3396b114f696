"""The keys that sign what environments believe: rows shared by all replicas, sealed at rest.

Each key but the first carries an endorsement in which its predecessor vouches for it. A running
environment that knows any earlier key can therefore be led to the newest one, so rotation cuts
nobody. `Start.key_id` says which key a run is known to accept; what is meant for it is signed
with that key until it has acknowledged a newer one.
"""

import base64
import hashlib
import json
from collections.abc import Mapping
from time import monotonic
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePrivateKey, generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_der_private_key
from sqlalchemy import text
from sqlmodel import Session, col, select

from hub.database import Database
from hub.errors import NotFound
from hub.routing.model import SigningKey
from hub.routing.sealing import Seal

ALGORITHM = "ES256"
ENDORSEMENT = "podium-key+jwt"

NEWEST_FOR = 1.0
"""Seconds for which a key counts as the newest; a run that trusts the one before is led on by its endorsement."""
_LOCK = 0x706F6469756D


class SigningKeys:
    """Safe to share between threads: unsealed keys, by `kid`, never change, and which is the newest is asked once a second."""

    def __init__(self, database: Database, secret: bytes) -> None:
        self._database = database
        self._seal = Seal(secret, "podium signing keys")
        self._unsealed: dict[str, EllipticCurvePrivateKey] = {}
        self._newest: tuple[SigningKey, float] | None = None
        """And until when it counts as that, on the monotonic clock."""

    def ensure(self) -> None:
        """Make the first key where there is none. Raises `CannotStart` where SECRET_KEY is another one."""
        with self._database.writing("first signing key") as session:
            self._lock(session)
            newest = _newest(session)
            if newest is None:
                session.add(self._new_key(None))
        if newest is not None:
            self._private(newest.id)

    @staticmethod
    def exist_in(database: Database) -> bool:
        """Whether keys were made and sealed before."""
        with database.reading() as session:
            return _newest(session) is not None

    def rotate(self) -> str:
        """Make a successor, endorsed by the present key; its `kid`."""
        with self._database.writing("rotation of the signing key") as session:
            self._lock(session)
            successor = self._new_key(_newest(session))
            session.add(successor)
        self._newest = None
        return successor.id

    def current_kid(self) -> str:
        """The newest key: what a new start trusts, and `key_id` of its row."""
        return self._current().id

    def public_set(self) -> tuple[Mapping[str, str], ...]:
        """The public JWKs that a new start is to trust."""
        return (self._current().public,)

    def endorsements_from(self, kid: str) -> list[str]:
        """The chain that leads who trusts `kid` to the newest key, oldest first; empty at the newest."""
        with self._database.reading() as session:
            rows = session.exec(select(SigningKey).order_by(col(SigningKey.created_at), col(SigningKey.id))).all()
        ids = [row.id for row in rows]
        following = rows[ids.index(kid) + 1 :] if kid in ids else []
        return [row.endorsement for row in following if row.endorsement]

    def sign(self, kid: str, kind: str, claims: Mapping[str, Any]) -> str:
        """A JWT of this kind, signed with this key. Raises `NotFound` for an unknown `kid`."""
        return _signed(self._private(kid), kid, kind, claims)

    def _current(self) -> SigningKey:
        known = self._newest
        if known and monotonic() < known[1]:
            return known[0]
        with self._database.reading() as session:
            newest = _newest(session)
        if newest is None:
            raise NotFound("There is no signing key yet.")
        self._newest = newest, monotonic() + NEWEST_FOR
        return newest

    def _private(self, kid: str) -> EllipticCurvePrivateKey:
        key = self._unsealed.get(kid)
        if key is None:
            with self._database.reading() as session:
                row = session.get(SigningKey, kid)
            if row is None:
                raise NotFound("The signing key is not known.")
            key = self._unsealed[kid] = self._open(row)
        return key

    def _open(self, row: SigningKey) -> EllipticCurvePrivateKey:
        key = load_der_private_key(self._seal.open(row.sealed_private, row.id), None)
        assert isinstance(key, EllipticCurvePrivateKey)
        return key

    def _new_key(self, predecessor: SigningKey | None) -> SigningKey:
        private = generate_private_key(SECP256R1())
        public = _public_jwk(private)
        kid = public["kid"]
        der = private.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
        endorsement = None
        if predecessor is not None:
            endorsement = _signed(self._open(predecessor), predecessor.id, ENDORSEMENT, {"jwk": public})
        return SigningKey(id=kid, sealed_private=self._seal.close(der, kid), public=public, endorsement=endorsement)

    def _lock(self, session: Session) -> None:
        """One replica at a time, so that there is one chain. SQLite's writers queue anyway."""
        if not self._database.is_sqlite:
            session.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})


def _newest(session: Session) -> SigningKey | None:
    return session.exec(select(SigningKey).order_by(col(SigningKey.created_at).desc(), col(SigningKey.id).desc())).first()


def _signed(key: EllipticCurvePrivateKey, kid: str, kind: str, claims: Mapping[str, Any]) -> str:
    return jwt.encode(dict(claims), key, algorithm=ALGORITHM, headers={"kid": kid, "typ": kind})


def _public_jwk(key: EllipticCurvePrivateKey) -> dict[str, str]:
    """The public half, named by its thumbprint (RFC 7638)."""
    numbers = key.public_key().public_numbers()
    required = {"crv": "P-256", "kty": "EC", "x": _coordinate(numbers.x), "y": _coordinate(numbers.y)}
    thumbprint = hashlib.sha256(json.dumps(required, separators=(",", ":"), sort_keys=True).encode()).digest()
    return {**required, "kid": _base64url(thumbprint), "alg": ALGORITHM, "use": "sig"}


def _coordinate(number: int) -> str:
    return _base64url(number.to_bytes(32, "big"))


def _base64url(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
