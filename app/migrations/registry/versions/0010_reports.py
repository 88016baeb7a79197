"""Weekly reports: who gets one, and who wants none."""

import sqlalchemy as sa
from alembic import op

revision = "0010_reports"
down_revision = "0009_billing"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "report_refusals",
        sa.Column("partner_id", sa.Integer(), nullable=False, comment="About whom"),
        sa.Column("address", sa.String(length=254), nullable=False, comment="Who wants none"),
        sa.Column(
            "since_us",
            sa.BigInteger(),
            nullable=False,
            comment="Said then, microseconds since 1970",
        ),
        sa.ForeignKeyConstraint(
            ["partner_id"],
            ["partners.id"],
            name=op.f("fk_report_refusals_partner_id_partners"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("partner_id", "address", name=op.f("pk_report_refusals")),
    )
    _reports()


def _reports() -> None:
    op.create_table(
        "weekly_reports",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            nullable=False,
            comment="Order of planning",
        ),
        sa.Column(
            "partner_id", sa.Integer(), nullable=False, comment="Whose integrations it is about"
        ),
        sa.Column(
            "week_us",
            sa.BigInteger(),
            nullable=False,
            comment="The Monday that begins its week, microseconds since 1970 UTC",
        ),
        sa.Column("address", sa.String(length=254), nullable=False, comment="Where to"),
        sa.Column(
            "message_id", sa.String(length=300), nullable=False, comment="The same at every attempt"
        ),
        sa.Column(
            "delivery",
            sa.Enum(
                "queued", "sent", "dropped", "failed",
                name="delivery", native_enum=False, create_constraint=True, length=20,
            ),
            nullable=False,
            comment="queued, sent, dropped or failed",
        ),
        sa.Column("attempts", sa.Integer(), nullable=False, comment="How often it was tried"),
        sa.Column(
            "due_us",
            sa.BigInteger(),
            nullable=False,
            comment="Not before, microseconds since 1970 UTC",
        ),
        sa.Column(
            "leased_us",
            sa.BigInteger(),
            nullable=True,
            comment="Somebody has it in hand until then, microseconds; NULL: nobody has",
        ),
        sa.Column(
            "done_us",
            sa.BigInteger(),
            nullable=True,
            comment="Sent or given up, microseconds since 1970 UTC; NULL: neither",
        ),
        sa.Column(
            "error",
            sa.String(length=1000),
            nullable=False,
            comment="Why the newest attempt failed; empty: it did not",
        ),
        sa.ForeignKeyConstraint(
            ["partner_id"],
            ["partners.id"],
            name=op.f("fk_weekly_reports_partner_id_partners"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_weekly_reports")),
        sa.UniqueConstraint("message_id", name=op.f("uq_weekly_reports_message_id")),
        sa.UniqueConstraint(
            "partner_id",
            "week_us",
            "address",
            name=op.f("uq_weekly_reports_partner_id_week_us_address"),
        ),
    )  # fmt: skip
    op.create_index(
        "ix_weekly_reports_due",
        "weekly_reports",
        ["due_us"],
        unique=False,
        sqlite_where=sa.text("delivery = 'queued'"),
        postgresql_where=sa.text("delivery = 'queued'"),
    )
