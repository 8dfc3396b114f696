"""Logins at providers, roles that follow groups, and events that nobody can change.

Additive: the version before reads and writes on, since every new column has a default in the database.
"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_REFUSES = "events are written once and never changed"


def upgrade() -> None:
    with op.batch_alter_table("user") as user:
        user.add_column(sa.Column("role_source", sa.String(length=20), nullable=False, server_default="set"))
        user.add_column(sa.Column("approval", sa.String(length=20), nullable=False, server_default="none"))
        user.create_index("ix_user_approval", ["approval"])
    with op.batch_alter_table("session") as session:
        session.add_column(sa.Column("last_seen_at", sa.DateTime(timezone=True), nullable=True))
        session.add_column(sa.Column("login_id", sa.String(length=32), nullable=True))
        session.add_column(sa.Column("provider_session", sa.String(length=255), nullable=True))
        session.create_index("ix_session_provider_session", ["provider_session"])
        session.create_index("ix_session_expires_at", ["expires_at"])
    with op.batch_alter_table("event") as event:
        event.add_column(sa.Column("address", sa.String(length=64), nullable=False, server_default=""))
    op.create_table(
        "login_attempt",
        sa.Column("state_hash", sa.String(length=64), nullable=False),
        sa.Column("provider", sa.String(length=30), nullable=False),
        sa.Column("nonce", sa.String(length=64), nullable=False),
        sa.Column("verifier", sa.String(length=128), nullable=False),
        sa.Column("onward", sa.String(length=2000), nullable=False),
        sa.Column("binding", sa.String(length=64), nullable=False),
        sa.Column("user_id", sa.String(length=32), nullable=True),
        sa.Column("session_id", sa.String(length=32), nullable=True),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("state_hash"),
    )
    op.create_index("ix_login_attempt_expires_at", "login_attempt", ["expires_at"])
    op.create_table(
        "logout_seen",
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("token_hash"),
    )
    op.create_index("ix_logout_seen_expires_at", "logout_seen", ["expires_at"])
    _freeze_events()


def _freeze_events() -> None:
    if op.get_bind().dialect.name == "sqlite":
        for act in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER event_refuses_{act.lower()} BEFORE {act} ON event BEGIN SELECT RAISE(ABORT, '{_REFUSES}'); END"
            )
        return
    op.execute(
        "CREATE FUNCTION event_refuses_change() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$ BEGIN RAISE EXCEPTION '{_REFUSES}' USING ERRCODE = 'check_violation'; END $$"
    )
    op.execute(
        "CREATE TRIGGER event_refuses_change BEFORE UPDATE OR DELETE ON event "
        "FOR EACH ROW EXECUTE FUNCTION event_refuses_change()"
    )
    op.execute(
        "CREATE TRIGGER event_refuses_truncate BEFORE TRUNCATE ON event "
        "FOR EACH STATEMENT EXECUTE FUNCTION event_refuses_change()"
    )
