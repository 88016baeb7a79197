"""Billing events, the subscriptions and the revenue folded from them, and exchange rates."""

import sqlalchemy as sa
from alembic import op

revision = "0009_billing"
down_revision = "0008_lifecycle"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _exchange_rates()
    _billing_events()
    _payment_days()
    _revenue_steps()
    _subscriptions()


def _exchange_rates() -> None:
    op.create_table(
        "exchange_rates",
        sa.Column("base", sa.String(length=3), nullable=False, comment="ISO 4217"),
        sa.Column("currency", sa.String(length=3), nullable=False, comment="ISO 4217"),
        sa.Column(
            "day",
            sa.Integer(),
            autoincrement=False,
            nullable=False,
            comment="Whole days since 1970 UTC",
        ),
        sa.Column(
            "value",
            sa.String(length=30),
            nullable=False,
            comment="Units of the currency for one of the base, a decimal number",
        ),
        sa.PrimaryKeyConstraint("base", "currency", "day", name=op.f("pk_exchange_rates")),
    )


def _billing_events() -> None:
    op.create_table(
        "billing_events",
        sa.Column(
            "number",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            nullable=False,
            comment="In the order of arrival",
        ),
        sa.Column(
            "integration_id", sa.Integer(), nullable=False, comment="Which integration earns"
        ),
        sa.Column("event_id", sa.String(length=200), nullable=False, comment="The sender's id"),
        sa.Column(
            "type",
            sa.Enum(
                "trial_started",
                "subscription_started",
                "subscription_changed",
                "subscription_paused",
                "subscription_resumed",
                "subscription_cancelled",
                "invoice_paid",
                "invoice_failed",
                "invoice_refunded",
                "usage_charged",
                name="billing_type",
                native_enum=False,
                create_constraint=True,
            ),
            nullable=False,
            comment="What happened",
        ),
        sa.Column(
            "payment",
            sa.Boolean(),
            nullable=False,
            comment="Whether money moved; else the subscription changed",
        ),
        sa.Column(
            "subscription",
            sa.String(length=200),
            nullable=False,
            comment="subscriptions.external_id; empty: a payment of none",
        ),
        sa.Column(
            "installation",
            sa.String(length=200),
            nullable=False,
            comment="installations.external_id, which may not be known yet",
        ),
        sa.Column("customer", sa.String(length=200), nullable=True, comment="Who; NULL: not told"),
        sa.Column(
            "occurred_us",
            sa.BigInteger(),
            nullable=False,
            comment="When it happened, microseconds since 1970 UTC",
        ),
        sa.Column("plan", sa.String(length=200), nullable=True, comment="Its name; NULL: not told"),
        sa.Column(
            "interval",
            sa.Enum(
                "day",
                "week",
                "month",
                "year",
                name="interval",
                native_enum=False,
                create_constraint=True,
                length=20,
            ),
            nullable=True,
            comment="day, week, month or year; NULL: not told",
        ),
        sa.Column(
            "every",
            sa.Integer(),
            nullable=True,
            comment="Billed each so many intervals; NULL: not told",
        ),
        sa.Column("quantity", sa.Integer(), nullable=True, comment="How many; NULL: not told"),
        sa.Column(
            "amount_minor",
            sa.BigInteger(),
            nullable=True,
            comment="For one quantity, minor units; NULL: not told",
        ),
        sa.Column(
            "currency", sa.String(length=3), nullable=True, comment="ISO 4217; NULL: not told"
        ),
        sa.Column(
            "discount_ppm",
            sa.Integer(),
            nullable=True,
            comment="Taken off, millionths; NULL: not told",
        ),
        sa.Column(
            "share_ppm",
            sa.Integer(),
            nullable=True,
            comment="The platform's part, millionths; NULL: not told",
        ),
        sa.Column(
            "ends_us",
            sa.BigInteger(),
            nullable=True,
            comment="Ends by itself then, microseconds; NULL: not told",
        ),
        sa.Column(
            "invoice",
            sa.String(length=200),
            nullable=True,
            comment="What is paid; a later event of its type takes its place; NULL: none",
        ),
        sa.Column(
            "received_us",
            sa.BigInteger(),
            nullable=False,
            comment="When it came, microseconds since 1970 UTC",
        ),
        sa.Column(
            "stands",
            sa.Boolean(),
            nullable=False,
            comment="Whether no later event about the same invoice took its place",
        ),
        sa.Column(
            "total_minor",
            sa.BigInteger(),
            nullable=True,
            comment="Of a payment: all its quantity, minor units",
        ),
        sa.Column(
            "share_minor",
            sa.BigInteger(),
            nullable=True,
            comment="Of a payment: the platform's part of it, minor units",
        ),
        sa.ForeignKeyConstraint(
            ["integration_id"],
            ["integrations.id"],
            name=op.f("fk_billing_events_integration_id_integrations"),
        ),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_billing_events")),
        sa.UniqueConstraint(
            "integration_id", "event_id", name=op.f("uq_billing_events_integration_id_event_id")
        ),
    )
    op.create_index(
        "ix_billing_events_invoices",
        "billing_events",
        ["integration_id", "invoice"],
        unique=False,
        sqlite_where=sa.text("invoice IS NOT NULL"),
        postgresql_where=sa.text("invoice IS NOT NULL"),
    )
    op.create_index(
        "ix_billing_events_payments",
        "billing_events",
        ["integration_id", "occurred_us"],
        unique=False,
        sqlite_where=sa.text("payment"),
        postgresql_where=sa.text("payment"),
    )
    op.create_index(
        "ix_billing_events_shareless",
        "billing_events",
        ["integration_id", "subscription"],
        unique=False,
        sqlite_where=sa.text("payment AND share_ppm IS NULL"),
        postgresql_where=sa.text("payment AND share_ppm IS NULL"),
    )
    op.create_index(
        "ix_billing_events_states",
        "billing_events",
        ["integration_id", "subscription"],
        unique=False,
        sqlite_where=sa.text("NOT payment"),
        postgresql_where=sa.text("NOT payment"),
    )


def _payment_days() -> None:
    op.create_table(
        "payment_days",
        sa.Column(
            "integration_id", sa.Integer(), nullable=False, comment="Which integration earns"
        ),
        sa.Column(
            "day",
            sa.Integer(),
            autoincrement=False,
            nullable=False,
            comment="Whole days since 1970 UTC",
        ),
        sa.Column("currency", sa.String(length=3), nullable=False, comment="ISO 4217"),
        sa.Column(
            "type",
            sa.Enum(
                "trial_started",
                "subscription_started",
                "subscription_changed",
                "subscription_paused",
                "subscription_resumed",
                "subscription_cancelled",
                "invoice_paid",
                "invoice_failed",
                "invoice_refunded",
                "usage_charged",
                name="billing_type",
                native_enum=False,
                create_constraint=True,
            ),
            nullable=False,
            comment="invoice_paid, invoice_failed, invoice_refunded or usage_charged",
        ),
        sa.Column("events", sa.Integer(), nullable=False, comment="How many"),
        sa.Column("total_minor", sa.BigInteger(), nullable=False, comment="Their sum, minor units"),
        sa.Column(
            "share_minor",
            sa.BigInteger(),
            nullable=False,
            comment="The platform's part of it, minor units",
        ),
        sa.ForeignKeyConstraint(
            ["integration_id"],
            ["integrations.id"],
            name=op.f("fk_payment_days_integration_id_integrations"),
        ),
        sa.PrimaryKeyConstraint(
            "integration_id", "day", "currency", "type", name=op.f("pk_payment_days")
        ),
    )


def _revenue_steps() -> None:
    op.create_table(
        "revenue_steps",
        sa.Column(
            "integration_id", sa.Integer(), nullable=False, comment="Which integration earns"
        ),
        sa.Column(
            "account", sa.String(length=202), nullable=False, comment="subscriptions.account"
        ),
        sa.Column(
            "currency",
            sa.String(length=3),
            nullable=False,
            comment="ISO 4217; empty: no amount was ever told",
        ),
        sa.Column(
            "day",
            sa.Integer(),
            autoincrement=False,
            nullable=False,
            comment="From its end on, whole days since 1970 UTC",
        ),
        sa.Column(
            "until_day",
            sa.Integer(),
            nullable=False,
            comment="To its end, whole days since 1970 UTC; 2147483647: it goes on",
        ),
        sa.Column(
            "before_minor", sa.BigInteger(), nullable=False, comment="MRR before, minor units"
        ),
        sa.Column(
            "after_minor", sa.BigInteger(), nullable=False, comment="MRR from then on, minor units"
        ),
        sa.Column(
            "kind",
            sa.Enum(
                "new",
                "expansion",
                "contraction",
                "churn",
                "reactivation",
                "still",
                name="movement",
                native_enum=False,
                create_constraint=True,
                length=20,
            ),
            nullable=False,
            comment="new, expansion, contraction, churn, reactivation or still",
        ),
        sa.Column(
            "active",
            sa.Boolean(),
            nullable=False,
            comment="Whether the account, in all currencies, is active from then on, for money or not",
        ),
        sa.Column(
            "cycle",
            sa.Integer(),
            nullable=False,
            comment="The account is due again after so many months; 0: within a month",
        ),
        sa.Column(
            "anchor_day",
            sa.Integer(),
            nullable=False,
            comment="Counted from this day, whole days since 1970 UTC",
        ),
        sa.ForeignKeyConstraint(
            ["integration_id"],
            ["integrations.id"],
            name=op.f("fk_revenue_steps_integration_id_integrations"),
        ),
        sa.PrimaryKeyConstraint(
            "integration_id", "account", "currency", "day", name=op.f("pk_revenue_steps")
        ),
    )
    op.create_index(
        "ix_revenue_steps_days",
        "revenue_steps",
        ["integration_id", "day", "currency", "kind", "before_minor", "after_minor"],
        unique=False,
    )
    op.create_index(
        "ix_revenue_steps_integration_id_until_day",
        "revenue_steps",
        ["integration_id", "until_day"],
        unique=False,
    )


def _subscriptions() -> None:
    op.create_table(
        "subscriptions",
        sa.Column(
            "integration_id", sa.Integer(), nullable=False, comment="Which integration earns"
        ),
        sa.Column(
            "external_id", sa.String(length=200), nullable=False, comment="What the sender calls it"
        ),
        sa.Column(
            "installation",
            sa.String(length=200),
            nullable=False,
            comment="installations.external_id, which may not be known yet",
        ),
        sa.Column("customer", sa.String(length=200), nullable=True, comment="Who; NULL: not told"),
        sa.Column(
            "account",
            sa.String(length=202),
            nullable=False,
            comment="Whose money it is: c: and the customer, else i: and the installation",
        ),
        sa.Column(
            "status",
            sa.Enum(
                "trialing",
                "active",
                "paused",
                "cancelled",
                "expired",
                name="subscription_status",
                native_enum=False,
                create_constraint=True,
                length=20,
            ),
            nullable=False,
            comment="trialing, active, paused, cancelled or expired",
        ),
        sa.Column("plan", sa.String(length=200), nullable=True, comment="Its name; NULL: not told"),
        sa.Column(
            "interval",
            sa.Enum(
                "day",
                "week",
                "month",
                "year",
                name="interval",
                native_enum=False,
                create_constraint=True,
                length=20,
            ),
            nullable=False,
            comment="day, week, month or year",
        ),
        sa.Column("every", sa.Integer(), nullable=False, comment="Billed each so many intervals"),
        sa.Column("quantity", sa.Integer(), nullable=False, comment="How many"),
        sa.Column(
            "amount_minor",
            sa.BigInteger(),
            nullable=False,
            comment="For one quantity, each time, minor units",
        ),
        sa.Column(
            "currency",
            sa.String(length=3),
            nullable=True,
            comment="ISO 4217; NULL: no amount was ever told",
        ),
        sa.Column("discount_ppm", sa.Integer(), nullable=False, comment="Taken off, millionths"),
        sa.Column(
            "share_ppm",
            sa.Integer(),
            nullable=True,
            comment="The platform's part, millionths; NULL: not told",
        ),
        sa.Column(
            "mrr_minor",
            sa.BigInteger(),
            nullable=False,
            comment="Worth a month now, minor units; 0 unless active and installed",
        ),
        sa.Column(
            "trial_us",
            sa.BigInteger(),
            nullable=True,
            comment="Its trial began, microseconds since 1970 UTC; NULL: there was none",
        ),
        sa.Column(
            "started_us",
            sa.BigInteger(),
            nullable=True,
            comment="First active, microseconds since 1970 UTC; NULL: not yet",
        ),
        sa.Column(
            "paid_us",
            sa.BigInteger(),
            nullable=True,
            comment="First active for money, microseconds since 1970 UTC; NULL: not yet",
        ),
        sa.Column(
            "ended_us",
            sa.BigInteger(),
            nullable=True,
            comment="Cancelled or expired then, microseconds; NULL: it runs",
        ),
        sa.Column(
            "ends_us",
            sa.BigInteger(),
            nullable=True,
            comment="Will end by itself then, microseconds; NULL: it goes on",
        ),
        sa.Column(
            "anchor_us",
            sa.BigInteger(),
            nullable=False,
            comment="Its periods run from then, microseconds since 1970 UTC",
        ),
        sa.Column(
            "last_us",
            sa.BigInteger(),
            nullable=False,
            comment="Its newest event happened then, microseconds since 1970 UTC",
        ),
        sa.ForeignKeyConstraint(
            ["integration_id"],
            ["integrations.id"],
            name=op.f("fk_subscriptions_integration_id_integrations"),
        ),
        sa.PrimaryKeyConstraint("integration_id", "external_id", name=op.f("pk_subscriptions")),
    )
    op.create_index(
        "ix_subscriptions_ends",
        "subscriptions",
        ["ends_us"],
        unique=False,
        sqlite_where=sa.text("ends_us IS NOT NULL"),
        postgresql_where=sa.text("ends_us IS NOT NULL"),
    )
    op.create_index(
        "ix_subscriptions_integration_id_account",
        "subscriptions",
        ["integration_id", "account"],
        unique=False,
    )
    op.create_index(
        "ix_subscriptions_integration_id_installation",
        "subscriptions",
        ["integration_id", "installation"],
        unique=False,
    )
