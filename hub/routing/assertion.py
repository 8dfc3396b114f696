"""The assertion: for at most a minute, who this is, signed for one run of one environment.

The environment believes this signature and nothing else. It is made anew with each decision, so
whoever loses access is refused as soon as the last assertion ends, even if the hub is silent.
"""

import time
from dataclasses import dataclass

from hub.identity.person import Person
from hub.routing.keys import SigningKeys

HEADER = "X-Podium-Assertion"
KIND = "podium-assertion+jwt"
ISSUER = "podium"
LIFETIME = 60
"""Seconds."""


@dataclass(frozen=True)
class Assertion:
    """`expires` in Unix seconds."""

    token: str
    expires: int


def make(keys: SigningKeys, kid: str, start_id: str, person: Person) -> Assertion:
    """For this run; never longer than the person's session."""
    issued = int(time.time())
    ends = int(person.session_ends.timestamp())
    expires = min(issued + LIFETIME, ends)
    claims = {
        "iss": ISSUER,
        "aud": start_id,
        "sub": person.user_id,
        "sid": person.session_id,
        "iat": issued,
        "exp": expires,
        "name": person.display_name,
        "email": person.email or "",
        "role": person.role.value,
        "session_end": ends,
    }
    return Assertion(keys.sign(kid, KIND, claims), expires)
