"""Which headers reach the app: what a client sent, without identity, plus who the person is.

Streamlit believes the headers named in `server.trustedUserHeaders` whoever sent them. So every
header that could name a person is dropped first, in any spelling (`X_Podium_User` and
`x-podium-user` become one name in some servers), then the verified ones are set. The hub's
cookies and tokens stop here as well.
"""

from environment.keys import Assertion
from environment.refusal import Refusal, Refused

Headers = list[tuple[bytes, bytes]]

ASSERTION_HEADER = b"x-podium-assertion"

USER_FIELDS = {
    "x-podium-user": "id",
    "x-podium-session": "session",
    "x-podium-name": "name",
    "x-podium-email": "email",
    "x-podium-role": "role",
}
"""Header to key of `st.user`."""

_IDENTITY_PREFIXES = (b"x-podium-", b"x-hub-", b"x-auth-request-", b"x-remote-")
_IDENTITY_NAMES = {
    b"authorization",
    b"proxy-authorization",
    b"remote-user",
    b"x-forwarded-user",
    b"x-forwarded-email",
    b"x-forwarded-groups",
    b"x-forwarded-preferred-username",
    b"x-forwarded-access-token",
    b"x-forwarded-id-token",
}
_HUB_COOKIES = ("podium", "_streamlit_user")


def token(headers: Headers) -> str:
    """The one assertion of a request. Raises `Refused` where there is none or more than one."""
    found = [value for name, value in headers if name.lower() == ASSERTION_HEADER]
    if not found:
        raise Refused(Refusal.MISSING)
    if len(found) > 1 or not found[0].isascii():
        raise Refused(Refusal.INVALID)
    return found[0].decode("ascii")


def cleaned(headers: Headers) -> Headers:
    """The headers without anything that names a person or belongs to the hub."""
    kept = [(name, value) for name, value in headers if not _names_a_person(name)]
    return [pair for name, value in kept if (pair := (name, _own_cookies(value) if name.lower() == b"cookie" else value))[1]]


def identity(assertion: Assertion) -> Headers:
    """The verified person. Values are UTF-8; Streamlit decodes headers as latin-1, which `research.person` undoes."""
    values = (assertion.user_id, assertion.session_id, assertion.name, assertion.email, assertion.role)
    return [(name.encode(), value.encode()) for name, value in zip(USER_FIELDS, values, strict=True) if value]


def _names_a_person(name: bytes) -> bool:
    plain = name.lower().replace(b"_", b"-")
    return plain in _IDENTITY_NAMES or plain.startswith(_IDENTITY_PREFIXES)


def _own_cookies(value: bytes) -> bytes:
    pairs = (pair.strip() for pair in value.split(b";"))
    return b"; ".join(pair for pair in pairs if pair and not _is_the_hubs(pair.partition(b"=")[0]))


def _is_the_hubs(cookie: bytes) -> bool:
    name = cookie.strip().decode("latin-1").lower()
    return name.removeprefix("__host-").removeprefix("__secure-").startswith(_HUB_COOKIES)
