"""The schema: every table in one place, migrations under a lock, and who may read what.

The row of `schema_info` says the schema's number and the oldest code that can still read it, so
that release N-1 and N serve together and a rollback works. A hub refuses only a schema that
excludes it.
"""

from sqlmodel import Field, SQLModel

from hub.audit.model import Event
from hub.clusters.model import Cluster
from hub.environments.lease import Lease
from hub.environments.model import Environment, LaunchKey, Start
from hub.identity.model import ApiToken, Login, LoginAttempt, LoginFailure, LoginSession, LogoutSeen, OneTimeCode, User
from hub.routing.model import Entry, Revocation, SigningKey
from hub.workspaces.model import Workspace

TABLES = (
    Cluster, User, Login, LoginSession, OneTimeCode, Workspace, Environment, Start, Event, SigningKey, Entry, Revocation, Lease,
    LoginAttempt, LogoutSeen, ApiToken, LaunchKey, LoginFailure,
)  # fmt: skip


class SchemaInfo(SQLModel, table=True):
    """One row: the schema's number, and the smallest `hub.SCHEMA` that can read it."""

    __tablename__ = "schema_info"

    id: int = Field(default=1, primary_key=True)
    number: int
    readable_by: int
