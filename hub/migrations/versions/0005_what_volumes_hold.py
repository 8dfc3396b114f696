"""How much the volume of a workspace holds, and indexes over the few workspaces that the keeper looks for.

Additive: the version before reads and writes on.
"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_TO_DELETE = sa.text("state = 'deleting'")
_TO_MEASURE = sa.text("state = 'present' AND last_used_at IS NOT NULL AND (size_at IS NULL OR size_at < last_used_at)")


def upgrade() -> None:
    op.add_column("workspace", sa.Column("capacity", sa.BigInteger(), nullable=True))
    for name, column, which in (
        ("workspaces_to_delete", "id", _TO_DELETE),
        ("workspaces_to_measure", "cluster_id", _TO_MEASURE),
    ):
        op.create_index(name, "workspace", [column], sqlite_where=which, postgresql_where=which)
