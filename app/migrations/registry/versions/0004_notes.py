"""Notes beside the numbers of an integration: deploys, changes, incidents."""

import sqlalchemy as sa
from alembic import op

revision = "0004_notes"
down_revision = "0003_error_groups"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "notes",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            nullable=False,
            comment="Order of writing",
        ),
        sa.Column("integration_id", sa.Integer(), nullable=False, comment="Beside whose numbers"),
        sa.Column(
            "at_us",
            sa.BigInteger(),
            nullable=False,
            comment="The moment it is about, microseconds since 1970 UTC",
        ),
        sa.Column(
            "kind",
            sa.Enum(
                "deploy", "change", "incident", "other",
                name="note_kind", native_enum=False, create_constraint=True, length=20,
            ),
            nullable=False,
            comment="deploy, change, incident or other",
        ),
        sa.Column("text", sa.String(length=500), nullable=False, comment="What happened, in words"),
        sa.Column(
            "author",
            sa.String(length=300),
            nullable=False,
            comment="Who wrote it: an e-mail address, or a token's name",
        ),
        sa.Column(
            "created_us",
            sa.BigInteger(),
            nullable=False,
            comment="When it was written, microseconds since 1970 UTC",
        ),
        sa.ForeignKeyConstraint(
            ["integration_id"],
            ["integrations.id"],
            name=op.f("fk_notes_integration_id_integrations"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notes")),
    )  # fmt: skip
    op.create_index("ix_notes_integration_id_at_us", "notes", ["integration_id", "at_us"])
