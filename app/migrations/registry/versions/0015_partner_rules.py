"""Rules that partners write for their own integrations, and silences that are theirs alone."""

import sqlalchemy as sa
from alembic import op

revision = "0015_partner_rules"
down_revision = "0014_money_indexes"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "partner_rules",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            nullable=False,
            comment="Internal; never shown",
        ),
        sa.Column("partner_id", sa.Integer(), nullable=False, comment="Whose"),
        sa.Column(
            "name",
            sa.String(length=36),
            nullable=False,
            comment="Its name among those of the partner",
        ),
        sa.Column("text", sa.Text(), nullable=False, comment="One rule as a rule file has it"),
        sa.Column(
            "addresses", sa.Text(), nullable=False, comment="Mail addresses to tell, one a line"
        ),
        sa.Column(
            "updated_us",
            sa.BigInteger(),
            nullable=False,
            comment="Last written, microseconds since 1970 UTC",
        ),
        sa.Column("updated_by", sa.String(length=300), nullable=False, comment="Who wrote it"),
        sa.ForeignKeyConstraint(
            ["partner_id"],
            ["partners.id"],
            name=op.f("fk_partner_rules_partner_id_partners"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_partner_rules")),
        sa.UniqueConstraint("partner_id", "name", name=op.f("uq_partner_rules_partner_id_name")),
    )
    op.add_column(
        "silences",
        sa.Column(
            "partners_only",
            sa.Boolean(),
            nullable=False,
            server_default=sa.false(),
            comment="Made by a partner: the platform's people are told all the same",
        ),
    )


