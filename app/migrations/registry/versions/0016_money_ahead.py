"""Who pays in several currencies is marked, and the benchmark's figures are counted ahead."""

import sqlalchemy as sa
from alembic import op

revision = "0016_money_ahead"
down_revision = "0015_partner_rules"
branch_labels = None
depends_on = None

_SEVERAL = """
UPDATE revenue_steps SET mixed = true WHERE (integration_id, account) IN (
    SELECT integration_id, account FROM revenue_steps WHERE currency <> ''
    GROUP BY integration_id, account HAVING min(currency) <> max(currency)
)
"""


def upgrade() -> None:
    op.create_table(
        "benchmark_figures",
        sa.Column("integration_id", sa.Integer(), nullable=False, comment="Of which integration"),
        sa.Column(
            "first_day",
            sa.Integer(),
            autoincrement=False,
            nullable=False,
            comment="The month, by its first day, whole days since 1970 UTC",
        ),
        sa.Column(
            "figure",
            sa.String(length=32),
            nullable=False,
            comment="One of app.domain.benchmark.FIGURES",
        ),
        sa.Column("numerator", sa.BigInteger(), nullable=False, comment="Of the ratio"),
        sa.Column(
            "denominator",
            sa.BigInteger(),
            nullable=False,
            comment="Of the ratio; 0: there was nothing to count",
        ),
        sa.ForeignKeyConstraint(
            ["integration_id"],
            ["integrations.id"],
            name=op.f("fk_benchmark_figures_integration_id_integrations"),
        ),
        sa.PrimaryKeyConstraint(
            "integration_id", "first_day", "figure", name=op.f("pk_benchmark_figures")
        ),
    )
    op.add_column(
        "revenue_steps",
        sa.Column(
            "mixed",
            sa.Boolean(),
            server_default=sa.false(),
            nullable=False,
            comment="Whether the account ever had amounts in several currencies",
        ),
    )
    op.execute(_SEVERAL)
    condition = sa.text("mixed")
    op.create_index(
        "ix_revenue_steps_mixed",
        "revenue_steps",
        ["integration_id", "account"],
        sqlite_where=condition,
        postgresql_where=condition,
    )
