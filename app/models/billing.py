"""What was told of money: billing events, and what is folded from them.

Only `billing_events` and `exchange_rates` are facts. `subscriptions`, `revenue_steps` and
`payment_days` follow from them (`app.commands.ledger` is their only writer) and can be made anew.
"""

from sqlalchemy import (
    BigInteger,
    ForeignKey,
    Index,
    Integer,
    String,
    UniqueConstraint,
    false,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from app.domain.billing import BillingType
from app.domain.money import Interval
from app.domain.revenue import Movement
from app.domain.subscription import Status
from app.models.base import Base, words_type

#: Conditions of partial indexes; a query that is to use one repeats it word for word.
IS_PAYMENT, IS_STATE = "payment", "NOT payment"
HAS_INVOICE = "invoice IS NOT NULL"
LACKS_SHARE = "payment AND share_ppm IS NULL"
IS_RUNNING_OUT = "ends_us IS NOT NULL"
IS_PAYING = "mrr_minor > 0"
IS_MIXED = "mixed"
HAD_TRIAL = "trial_us IS NOT NULL"


class BilledEvent(Base):
    """One event as it was received. The first one of an id is kept, whatever later ones say."""

    __tablename__ = "billing_events"
    __table_args__ = (
        UniqueConstraint("integration_id", "event_id"),
        Index(
            "ix_billing_events_states",
            "integration_id",
            "subscription",
            sqlite_where=text(IS_STATE),
            postgresql_where=text(IS_STATE),
        ),
        Index(
            "ix_billing_events_payments",
            "integration_id",
            "occurred_us",
            sqlite_where=text(IS_PAYMENT),
            postgresql_where=text(IS_PAYMENT),
        ),
        Index(
            "ix_billing_events_invoices",
            "integration_id",
            "invoice",
            sqlite_where=text(HAS_INVOICE),
            postgresql_where=text(HAS_INVOICE),
        ),
        Index(
            "ix_billing_events_shareless",
            "integration_id",
            "subscription",
            sqlite_where=text(LACKS_SHARE),
            postgresql_where=text(LACKS_SHARE),
        ),
    )

    number: Mapped[int] = mapped_column(
        BigInteger().with_variant(Integer, "sqlite"),
        primary_key=True,
        comment="In the order of arrival",
    )
    integration_id: Mapped[int] = mapped_column(
        ForeignKey("integrations.id"), comment="Which integration earns"
    )
    event_id: Mapped[str] = mapped_column(String(200), comment="The sender's id")
    type: Mapped[BillingType] = mapped_column(
        words_type(BillingType, "billing_type"), comment="What happened"
    )
    payment: Mapped[bool] = mapped_column(
        comment="Whether money moved; else the subscription changed"
    )
    subscription: Mapped[str] = mapped_column(
        String(200), comment="subscriptions.external_id; empty: a payment of none"
    )
    installation: Mapped[str] = mapped_column(
        String(200), comment="installations.external_id, which may not be known yet"
    )
    customer: Mapped[str | None] = mapped_column(String(200), comment="Who; NULL: not told")
    occurred_us: Mapped[int] = mapped_column(
        BigInteger, comment="When it happened, microseconds since 1970 UTC"
    )
    plan: Mapped[str | None] = mapped_column(String(200), comment="Its name; NULL: not told")
    interval: Mapped[Interval | None] = mapped_column(
        words_type(Interval, "interval"), comment="day, week, month or year; NULL: not told"
    )
    every: Mapped[int | None] = mapped_column(
        comment="Billed each so many intervals; NULL: not told"
    )
    quantity: Mapped[int | None] = mapped_column(comment="How many; NULL: not told")
    amount_minor: Mapped[int | None] = mapped_column(
        BigInteger, comment="For one quantity, minor units; NULL: not told"
    )
    currency: Mapped[str | None] = mapped_column(String(3), comment="ISO 4217; NULL: not told")
    discount_ppm: Mapped[int | None] = mapped_column(
        comment="Taken off, millionths; NULL: not told"
    )
    share_ppm: Mapped[int | None] = mapped_column(
        comment="The platform's part, millionths; NULL: not told"
    )
    ends_us: Mapped[int | None] = mapped_column(
        BigInteger, comment="Ends by itself then, microseconds; NULL: not told"
    )
    invoice: Mapped[str | None] = mapped_column(
        String(200), comment="What is paid; a later event of its type takes its place; NULL: none"
    )
    received_us: Mapped[int] = mapped_column(
        BigInteger, comment="When it came, microseconds since 1970 UTC"
    )
    stands: Mapped[bool] = mapped_column(
        comment="Whether no later event about the same invoice took its place"
    )
    total_minor: Mapped[int | None] = mapped_column(
        BigInteger, comment="Of a payment: all its quantity, minor units"
    )
    share_minor: Mapped[int | None] = mapped_column(
        BigInteger, comment="Of a payment: the platform's part of it, minor units"
    )


class Subscription(Base):
    """One subscription as its events say now (`app.domain.subscription`)."""

    __tablename__ = "subscriptions"
    __table_args__ = (
        Index("ix_subscriptions_accounts", "integration_id", "account", "paid_us"),
        Index(
            "ix_subscriptions_trials",
            "integration_id",
            "trial_us",
            "account",
            sqlite_where=text(HAD_TRIAL),
            postgresql_where=text(HAD_TRIAL),
        ),
        Index("ix_subscriptions_integration_id_installation", "integration_id", "installation"),
        Index(
            "ix_subscriptions_ends",
            "ends_us",
            sqlite_where=text(IS_RUNNING_OUT),
            postgresql_where=text(IS_RUNNING_OUT),
        ),
        # All that is asked of who pays now, so that no row is looked at.
        Index(
            "ix_subscriptions_paying",
            "integration_id", "installation", "currency", "mrr_minor",
            sqlite_where=text(IS_PAYING),
            postgresql_where=text(IS_PAYING),
        ),
    )  # fmt: skip

    integration_id: Mapped[int] = mapped_column(
        ForeignKey("integrations.id"), primary_key=True, comment="Which integration earns"
    )
    external_id: Mapped[str] = mapped_column(
        String(200), primary_key=True, comment="What the sender calls it"
    )
    installation: Mapped[str] = mapped_column(
        String(200), comment="installations.external_id, which may not be known yet"
    )
    customer: Mapped[str | None] = mapped_column(String(200), comment="Who; NULL: not told")
    account: Mapped[str] = mapped_column(
        String(202), comment="Whose money it is: c: and the customer, else i: and the installation"
    )
    status: Mapped[Status] = mapped_column(
        words_type(Status, "subscription_status"),
        comment="trialing, active, paused, cancelled or expired",
    )
    plan: Mapped[str | None] = mapped_column(String(200), comment="Its name; NULL: not told")
    interval: Mapped[Interval] = mapped_column(
        words_type(Interval, "interval"), comment="day, week, month or year"
    )
    every: Mapped[int] = mapped_column(comment="Billed each so many intervals")
    quantity: Mapped[int] = mapped_column(comment="How many")
    amount_minor: Mapped[int] = mapped_column(
        BigInteger, comment="For one quantity, each time, minor units"
    )
    currency: Mapped[str | None] = mapped_column(
        String(3), comment="ISO 4217; NULL: no amount was ever told"
    )
    discount_ppm: Mapped[int] = mapped_column(comment="Taken off, millionths")
    share_ppm: Mapped[int | None] = mapped_column(
        comment="The platform's part, millionths; NULL: not told"
    )
    mrr_minor: Mapped[int] = mapped_column(
        BigInteger, comment="Worth a month now, minor units; 0 unless active and installed"
    )
    trial_us: Mapped[int | None] = mapped_column(
        BigInteger, comment="Its trial began, microseconds since 1970 UTC; NULL: there was none"
    )
    started_us: Mapped[int | None] = mapped_column(
        BigInteger, comment="First active, microseconds since 1970 UTC; NULL: not yet"
    )
    paid_us: Mapped[int | None] = mapped_column(
        BigInteger, comment="First active for money, microseconds since 1970 UTC; NULL: not yet"
    )
    ended_us: Mapped[int | None] = mapped_column(
        BigInteger, comment="Cancelled or expired then, microseconds; NULL: it runs"
    )
    ends_us: Mapped[int | None] = mapped_column(
        BigInteger, comment="Will end by itself then, microseconds; NULL: it goes on"
    )
    anchor_us: Mapped[int] = mapped_column(
        BigInteger, comment="Its periods run from then, microseconds since 1970 UTC"
    )
    last_us: Mapped[int] = mapped_column(
        BigInteger, comment="Its newest event happened then, microseconds since 1970 UTC"
    )


class RevenueStep(Base):
    """What an account pays in one currency from the end of one UTC day to that of another
    (`app.domain.revenue.Step`)."""

    __tablename__ = "revenue_steps"
    __table_args__ = (
        Index(
            "ix_revenue_steps_days",
            "integration_id", "day", "currency", "kind", "before_minor", "after_minor",
        ),
        # All that is asked of both ends of a period, so that no row is looked at.
        Index(
            "ix_revenue_steps_ends",
            "integration_id", "until_day", "day", "after_minor", "currency", "active", "cycle",
            "anchor_day", "account",
        ),
        Index(
            "ix_revenue_steps_mixed",
            "integration_id", "account",
            sqlite_where=text(IS_MIXED),
            postgresql_where=text(IS_MIXED),
        ),
    )  # fmt: skip

    integration_id: Mapped[int] = mapped_column(
        ForeignKey("integrations.id"), primary_key=True, comment="Which integration earns"
    )
    account: Mapped[str] = mapped_column(
        String(202), primary_key=True, comment="subscriptions.account"
    )
    currency: Mapped[str] = mapped_column(
        String(3), primary_key=True, comment="ISO 4217; empty: no amount was ever told"
    )
    day: Mapped[int] = mapped_column(
        primary_key=True, autoincrement=False, comment="From its end on, whole days since 1970 UTC"
    )
    until_day: Mapped[int] = mapped_column(
        Integer, comment="To its end, whole days since 1970 UTC; 2147483647: it goes on"
    )
    before_minor: Mapped[int] = mapped_column(BigInteger, comment="MRR before, minor units")
    after_minor: Mapped[int] = mapped_column(BigInteger, comment="MRR from then on, minor units")
    kind: Mapped[Movement] = mapped_column(
        words_type(Movement, "movement"),
        comment="new, expansion, contraction, churn, reactivation or still",
    )
    active: Mapped[bool] = mapped_column(
        comment="Whether the account, in all currencies, is active from then on, for money or not"
    )
    cycle: Mapped[int] = mapped_column(
        comment="The account is due again after so many months; 0: within a month"
    )
    anchor_day: Mapped[int] = mapped_column(
        comment="Counted from this day, whole days since 1970 UTC"
    )
    mixed: Mapped[bool] = mapped_column(
        server_default=false(), comment="Whether the account ever had amounts in several currencies"
    )


class PaymentDay(Base):
    """The payments of one integration on one UTC day, by currency and type."""

    __tablename__ = "payment_days"

    integration_id: Mapped[int] = mapped_column(
        ForeignKey("integrations.id"), primary_key=True, comment="Which integration earns"
    )
    day: Mapped[int] = mapped_column(
        primary_key=True, autoincrement=False, comment="Whole days since 1970 UTC"
    )
    currency: Mapped[str] = mapped_column(String(3), primary_key=True, comment="ISO 4217")
    type: Mapped[BillingType] = mapped_column(
        words_type(BillingType, "billing_type"),
        primary_key=True,
        comment="invoice_paid, invoice_failed, invoice_refunded or usage_charged",
    )
    events: Mapped[int] = mapped_column(comment="How many")
    total_minor: Mapped[int] = mapped_column(BigInteger, comment="Their sum, minor units")
    share_minor: Mapped[int] = mapped_column(
        BigInteger, comment="The platform's part of it, minor units"
    )


class ExchangeRate(Base):
    """What one unit of a base was worth on a day."""

    __tablename__ = "exchange_rates"

    base: Mapped[str] = mapped_column(String(3), primary_key=True, comment="ISO 4217")
    currency: Mapped[str] = mapped_column(String(3), primary_key=True, comment="ISO 4217")
    day: Mapped[int] = mapped_column(
        primary_key=True, autoincrement=False, comment="Whole days since 1970 UTC"
    )
    value: Mapped[str] = mapped_column(
        String(30), comment="Units of the currency for one of the base, a decimal number"
    )
