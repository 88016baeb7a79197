"""A count of the changes to hours, days and weeks, so that answers from them can be remembered."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "metrics_state",
        sa.Column(
            "folded_version",
            sa.BigInteger(),
            nullable=False,
            server_default=sa.text("0"),
            comment="Counts the transactions that changed hours, days or weeks",
        ),
    )
