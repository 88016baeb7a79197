"""What each installation did on each day."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    def whole(name: str, comment: str) -> sa.Column[Any]:
        return sa.Column(name, sa.Integer(), nullable=False, comment=comment)

    def blob(name: str, comment: str) -> sa.Column[Any]:
        return sa.Column(name, sa.LargeBinary(), nullable=False, comment=comment)

    op.create_table(
        "activity_parts",
        sa.Column(
            "part",
            sa.BigInteger(),
            autoincrement=False,
            nullable=False,
            comment="Numbered as written",
        ),
        whole("integration_id", "integration_names.id"),
        whole("period", "Days since 1970 UTC divided by 28"),
        whole("level", "How often its rows were merged"),
        whole("rows", "How many rows it holds"),
        whole("first_day", "The first day, days since 1970 UTC"),
        whole("last_day", "The last day, days since 1970 UTC"),
        blob("body", "Columns, app.store.activity_parts"),
        blob("names", "MessagePack: installations, customers"),
        sa.PrimaryKeyConstraint("part", name="pk_activity_parts"),
        comment="What each installation did on each day, packed",
    )
    op.create_index(
        "ix_activity_parts_integration_id_period", "activity_parts", ["integration_id", "period"]
    )
