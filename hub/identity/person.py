"""Who makes a request: a logged-in person, as every part of the hub sees them.

Built from the session's row at each request and never kept longer, so that disabling somebody or
changing a role counts at once.
"""

from dataclasses import dataclass
from datetime import datetime

from hub.identity.roles import Role


@dataclass(frozen=True)
class Person:
    """`session_id` may be shown and signed; `session_ends` is the absolute end of the login."""

    user_id: str
    name: str
    display_name: str
    email: str | None
    role: Role
    session_id: str
    session_ends: datetime
    address: str = ""
    """Where the request comes from, for the events."""

    @property
    def sees_all(self) -> bool:
        """Whether other people's things may be looked at."""
        return self.role in {Role.ADMINISTRATOR, Role.AUDITOR}

    @property
    def is_administrator(self) -> bool:
        return self.role is Role.ADMINISTRATOR
