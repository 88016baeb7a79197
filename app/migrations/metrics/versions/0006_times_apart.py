"""The times of activity in a column of their own, which a question that only counts leaves alone."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_COMMENT = "Columns, app.store.activity_pack"


def upgrade() -> None:
    op.add_column(
        "activity_parts", sa.Column("times", sa.LargeBinary(), nullable=True, comment=_COMMENT)
    )
    # They were the end of the body: four columns of four bytes.
    op.execute(
        "UPDATE activity_parts SET body = substr(body, 1, length(body) - 16 * rows), "
        "times = substr(body, length(body) - 16 * rows + 1)"
    )
    with op.batch_alter_table("activity_parts") as table:
        table.alter_column("times", existing_type=sa.LargeBinary(), nullable=False)
        table.alter_column(
            "body",
            existing_type=sa.LargeBinary(),
            existing_nullable=False,
            existing_comment="Columns, app.store.activity_parts",
            comment=_COMMENT,
        )
