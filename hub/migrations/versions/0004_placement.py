"""Where in a cluster an environment may run. Additive: the version before reads and writes on."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("environment", sa.Column("placement", sa.JSON(), nullable=False, server_default="{}"))
