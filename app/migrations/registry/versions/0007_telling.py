"""Notifications know their step of an escalation and may say who took it; receivers are tested."""

import sqlalchemy as sa
from alembic import op
from alembic.operations import BatchOperations

revision = "0007_telling"
down_revision = "0006_alerts"
branch_labels = None
depends_on = None

_EVENTS = "event IN ('fired', 'acknowledged', 'resolved')"
_DELIVERIES = "delivery IN ('queued', 'sent', 'dropped', 'failed')"


def upgrade() -> None:
    op.add_column(
        "incidents",
        sa.Column(
            "closed_by",
            sa.String(length=300),
            nullable=True,
            comment="Who said that it is over; NULL: an evaluation found so, or it goes on",
        ),
    )
    _notifications()
    _receiver_tests()


def _notifications() -> None:
    # SQLite makes the table anew, and would forget of which rows this index is.
    op.drop_index("ix_notifications_due", "notifications")
    with op.batch_alter_table("notifications") as table:
        table.alter_column(
            "event", existing_type=sa.String(20), comment="fired, acknowledged or resolved"
        )
        table.add_column(
            sa.Column(
                "level",
                sa.Integer(),
                nullable=False,
                server_default="0",
                comment="0: told at once; else the step of the escalation",
            )
        )
        _recheck(table, "ck_notifications_event", _EVENTS)
        _recheck(table, "ck_notifications_delivery", _DELIVERIES)
        table.drop_constraint(
            op.f("uq_notifications_incident_id_event_channel_address"), type_="unique"
        )
        table.create_unique_constraint(
            op.f("uq_notifications_incident_id_event_channel_address_level"),
            ["incident_id", "event", "channel", "address", "level"],
        )
    op.create_index(
        "ix_notifications_due",
        "notifications",
        ["due_us"],
        unique=False,
        sqlite_where=sa.text("delivery = 'queued'"),
        postgresql_where=sa.text("delivery = 'queued'"),
    )


def _recheck(table: BatchOperations, name: str, condition: str) -> None:
    """SQLite's new table comes without the checks of the old one."""
    if op.get_bind().dialect.name != "sqlite":
        table.drop_constraint(op.f(name), type_="check")
    table.create_check_constraint(op.f(name), condition)


def _receiver_tests() -> None:
    op.create_table(
        "receiver_tests",
        sa.Column(
            "receiver", sa.String(length=100), nullable=False, comment="Name of the receiver"
        ),
        sa.Column(
            "asked_us",
            sa.BigInteger(),
            nullable=False,
            comment="Asked for, microseconds since 1970 UTC",
        ),
        sa.Column("asked_by", sa.String(length=300), nullable=False, comment="Who asked"),
        sa.Column(
            "done_us",
            sa.BigInteger(),
            nullable=True,
            comment="Tried, microseconds since 1970 UTC; NULL: it waits",
        ),
        sa.Column(
            "error", sa.Text(), nullable=False, comment="What went wrong; empty: it arrived"
        ),
        sa.PrimaryKeyConstraint("receiver", name=op.f("pk_receiver_tests")),
    )
