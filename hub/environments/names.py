"""Names that people give, and the slugs that addresses are made of."""

import secrets
import unicodedata

from hub.errors import Invalid

MAX_NAME = 60
_ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"
"""Letters and digits that nobody mistakes for one another."""


def checked_name(text: str, what: str = "environment") -> str:
    """A name in any script, trimmed and normalised (NFC). Raises `Invalid` with what is allowed."""
    name = " ".join(unicodedata.normalize("NFC", text).split())
    if not name:
        raise Invalid(f"The {what} needs a name.")
    if len(name) > MAX_NAME:
        raise Invalid(f"The name has {len(name):,} characters; at most {MAX_NAME} fit.")
    if any(unicodedata.category(character) in {"Cc", "Cf", "Co", "Cs", "Cn"} and character != "\u200d" for character in name):
        raise Invalid("The name holds an invisible character. Type it anew.")
    return name


def new_slug(name: str) -> str:
    """A DNS label that begins like the name and ends in 40 random bits; the schema keeps it unique.

    It is an address, not a secret and not an identity: objects are named after random ids.
    """
    ascii_name = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    words = "".join(character if character.isalnum() else " " for character in ascii_name).split()
    start = "-".join(words)[:24].strip("-")
    end = "".join(secrets.choice(_ALPHABET) for _ in range(8))
    return f"{start}-{end}" if start and start[0].isalpha() else f"env-{end}"
