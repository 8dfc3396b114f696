"""Access tokens of a provider's that programs show to the API (RFC 9068), for the audiences that the operator named.

They open the account that has logged in there before, and nothing else: a token makes no account and brings no role.
Its scopes are those of a person; what administrators do needs a token of Podium's own.
"""

import logging
from collections.abc import Mapping, Sequence

import jwt

from hub.database import Database
from hub.identity.model import Approval
from hub.identity.oidc import people, verifying
from hub.identity.oidc.client import ProviderClient
from hub.identity.oidc.verifying import TokenRefused
from hub.identity.person import Person
from hub.identity.quoting import quoted
from hub.identity.scopes import OWN, Caller

_log = logging.getLogger("podium.identity")
LONGEST = 16_384


class AccessTokens:
    """Safe to share between threads. Without audiences no token counts."""

    def __init__(self, database: Database, clients: Mapping[str, ProviderClient], audiences: Sequence[str]) -> None:
        self._database, self._audiences = database, tuple(audiences)
        self._clients = {client.provider.issuer: client for client in clients.values()}

    def resolve(self, text: str, address: str) -> Caller | None:
        """Who calls with this token; None where it does not count. Raises `ProviderSilent`."""
        client = self._clients.get(_claimed_issuer(text)) if self._audiences and len(text) <= LONGEST else None
        if client is None:
            return None
        try:
            claims = verifying.access_token(client.provider, client.discovery, text, self._audiences)
            ends = verifying.end_of(claims)
        except TokenRefused as error:
            _log.warning("an access token of %s does not count: %s", client.provider.name, quoted(error.sentence))
            return None
        with self._database.reading() as session:
            found = people.find(session, client.provider.issuer, claims["sub"])
        if found is None or found[1].disabled_at or found[1].approval is Approval.PENDING:
            return None
        user = found[1]
        person = Person(user.id, user.name, user.display_name, user.email, user.role, "", ends, address)
        return Caller.limited(person, OWN, token_id=str(claims.get("jti", "access token"))[:64])


def _claimed_issuer(text: str) -> str:
    """Whose token it says it is; only which provider's keys to check it with depends on that."""
    try:
        return str(jwt.decode(text, options={"verify_signature": False}).get("iss", ""))
    except (jwt.InvalidTokenError, ValueError, RecursionError):
        return ""
