"""Where partners' own lists of installations are pulled from."""

import sqlalchemy as sa
from alembic import op

revision = "0013_list_sources"
down_revision = "0012_witnesses"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "list_sources",
        sa.Column("integration_id", sa.Integer(), nullable=False, comment="Whose"),
        sa.Column("url", sa.String(length=2000), nullable=False, comment="Of its first page"),
        sa.Column(
            "token_file",
            sa.String(length=1000),
            nullable=True,
            comment="Holds the token that is shown there, on the loader's machine",
        ),
        sa.Column(
            "every_us", sa.BigInteger(), nullable=False, comment="How often, microseconds"
        ),
        sa.CheckConstraint("every_us > 0", name=op.f("ck_list_sources_every_positive")),
        sa.ForeignKeyConstraint(
            ["integration_id"],
            ["integrations.id"],
            name=op.f("fk_list_sources_integration_id_integrations"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("integration_id", name=op.f("pk_list_sources")),
    )
