"""Sealing of secrets that lie in the database, with a key derived from the hub's secret.

A copy of the database alone then signs nothing. The name of what is sealed is bound in, so that
two sealed values cannot be exchanged for each other.
"""

import base64
import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from hub.errors import CannotStart

_NONCE = 12
_KEY = 32


class Seal:
    """`purpose` keeps the derived key apart from those of other uses of the same secret."""

    def __init__(self, secret: bytes, purpose: str) -> None:
        self._cipher = AESGCM(HKDF(SHA256(), _KEY, salt=None, info=purpose.encode()).derive(secret))

    def close(self, plain: bytes, name: str) -> str:
        nonce = os.urandom(_NONCE)
        return base64.urlsafe_b64encode(nonce + self._cipher.encrypt(nonce, plain, name.encode())).decode()

    def open(self, sealed: str, name: str) -> bytes:
        """Raises `CannotStart` where another secret sealed it."""
        raw = base64.urlsafe_b64decode(sealed)
        try:
            return self._cipher.decrypt(raw[:_NONCE], raw[_NONCE:], name.encode())
        except InvalidTag as error:
            raise CannotStart(
                "The signing keys in the database were sealed with another SECRET_KEY. Set the SECRET_KEY that this "
                "database was made with."
            ) from error
