"""Operations that nobody should call any more."""

import sqlalchemy as sa
from alembic import op

revision = "0011_deprecated"
down_revision = "0010_reports"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "deprecated_operations",
        sa.Column("integration_id", sa.Integer(), nullable=False, comment="Whose"),
        sa.Column(
            "position",
            sa.Integer(),
            autoincrement=False,
            nullable=False,
            comment="Order of showing, from 0",
        ),
        sa.Column(
            "template", sa.String(length=300), nullable=False, comment="Such as GET /v1/old"
        ),
        sa.ForeignKeyConstraint(
            ["integration_id"],
            ["integrations.id"],
            name=op.f("fk_deprecated_operations_integration_id_integrations"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint(
            "integration_id", "position", name=op.f("pk_deprecated_operations")
        ),
        sa.UniqueConstraint(
            "integration_id", "template", name=op.f("uq_deprecated_operations_integration_id_template")
        ),
    )
