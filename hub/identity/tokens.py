"""Random secrets that a browser carries. The database only ever sees their SHA-256."""

import hashlib
import secrets


def new_token() -> str:
    """256 random bits, in characters that need no escaping in a cookie or an address."""
    return secrets.token_urlsafe(32)


def digest(token: str) -> str:
    """What is stored of a token. A plain hash suffices: nobody can guess 256 random bits."""
    return hashlib.sha256(token.encode("utf-8", "backslashreplace")).hexdigest()
