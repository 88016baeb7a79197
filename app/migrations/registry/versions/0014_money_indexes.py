"""Revenue and what is at risk, answered by indexes alone."""

import sqlalchemy as sa
from alembic import op

revision = "0014_money_indexes"
down_revision = "0013_list_sources"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.drop_index("ix_subscriptions_integration_id_account", "subscriptions")
    op.create_index(
        "ix_subscriptions_accounts", "subscriptions", ["integration_id", "account", "paid_us"]
    )
    _partial(
        "ix_subscriptions_trials", "trial_us IS NOT NULL", ["integration_id", "trial_us", "account"]
    )
    _partial(
        "ix_subscriptions_paying",
        "mrr_minor > 0",
        ["integration_id", "installation", "currency", "mrr_minor"],
    )
    op.drop_index("ix_revenue_steps_integration_id_until_day", "revenue_steps")
    op.create_index(
        "ix_revenue_steps_ends",
        "revenue_steps",
        [
            "integration_id", "until_day", "day", "after_minor", "currency", "active", "cycle",
            "anchor_day", "account",
        ],
    )  # fmt: skip


def _partial(name: str, where: str, columns: list[str]) -> None:
    condition = sa.text(where)
    op.create_index(
        name, "subscriptions", columns, sqlite_where=condition, postgresql_where=condition
    )
