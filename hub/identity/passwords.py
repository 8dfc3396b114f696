"""Passwords: what a new one must be, how it is kept, and a check that takes equally long for everyone.

bcrypt reads 72 bytes and ignores the rest, so longer ones are refused rather than cut. An unknown
name costs one check against a hash that nothing matches: the time tells no stranger which names
exist. Checks run at most a few at a time, so that a flood of them cannot take the whole machine.
"""

import os
import re
import threading
import unicodedata
from functools import cache
from pathlib import Path

from hub.errors import Invalid
from hub.identity import authenticator
from hub.identity.tokens import new_token

SHORTEST = 10
LONGEST_BYTES = 72
FEWEST_DIFFERENT = 5
"""Different characters that a password has at least."""
SHORTEST_NAME = 4
"""Shorter names are in too many words to be refused inside a password."""

_PLAIN_LETTERS = str.maketrans("013457@$!", "oieastasi")
_ROWS = ("01234567890123456789", "abcdefghijklmnopqrstuvwxyz", "qwertyuiopasdfghjklzxcvbnm", "qwertzuiopasdfghjklyxcvbnm")

_checks = threading.BoundedSemaphore(max(2, (os.cpu_count() or 2) // 2))


def hash_new(password: str, *names: str) -> str:
    """The hash of a new password. Raises `Invalid` with a sentence where it is too weak."""
    password = _normalised(password)
    _require_fit(password, names)
    with _checks:
        return authenticator.hash_password(password)


def check(password: str, password_hash: str | None) -> bool:
    """Whether the password is right. None (nobody has that name) takes as long and is never right."""
    attempt = _normalised(password)
    fits = len(attempt.encode()) <= LONGEST_BYTES
    with _checks:
        return authenticator.matches(attempt if fits else "", password_hash if fits and password_hash else _nobody())


@cache
def _nobody() -> str:
    """The hash of a password that nobody knows or could guess."""
    return authenticator.hash_password(new_token())


def warm() -> None:
    """Load the hasher and make the hash that unknown names are checked against."""
    _nobody()


def _normalised(password: str) -> str:
    """The same password from every keyboard; lone surrogates, which no keyboard has, become `?`."""
    return unicodedata.normalize("NFKC", password[:1000]).encode("utf-8", "replace").decode()


def _require_fit(password: str, names: tuple[str, ...]) -> None:
    if len(password) < SHORTEST:
        raise Invalid(f"This password is too short. Take at least {SHORTEST} characters; a few words in a row are fine.")
    if len(password.encode()) > LONGEST_BYTES:
        raise Invalid(f"This password is too long. Take at most {LONGEST_BYTES} bytes (as many plain letters).")
    if "\0" in password:
        raise Invalid("This password has a character that no keyboard makes. Take another one.")
    if _common(password.casefold()):
        raise Invalid("This password is one of the first that strangers try. Take another one; a few words in a row are fine.")
    if any(_contains(password.casefold(), name.casefold()) for name in names):
        raise Invalid("This password contains your name, which strangers try first. Take another one.")


def _contains(password: str, name: str) -> bool:
    words = [name, *re.split(r"[\W_]+", name)]
    return any(len(word) >= SHORTEST_NAME and word in password for word in words)


def _common(password: str) -> bool:
    """Few different characters, a row of the keyboard or the alphabet, or a well-known word with trimmings."""
    if len(set(password)) < FEWEST_DIFFERENT or any(password in row or password in row[::-1] for row in _ROWS):
        return True
    stem = re.sub(r"[\d\W_]+$|^[\d\W_]+", "", password)
    plain = re.sub(r"[\W_\d]+", "", stem.translate(_PLAIN_LETTERS))
    return any(_repeats(word, known) for word in (stem, plain) for known in (word[: len(word) // times] for times in (1, 2, 3)))


def _repeats(word: str, known: str) -> bool:
    return known in _common_words() and word == known * (len(word) // len(known))


@cache
def _common_words() -> frozenset[str]:
    return frozenset((Path(__file__).parent / "common_words.txt").read_text("utf-8").split())
