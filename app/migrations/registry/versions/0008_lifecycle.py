"""Lifecycle events, what installations are folded into, funnels by day, and steps off the wire."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0008_lifecycle"
down_revision = "0007_telling"
branch_labels = None
depends_on = None

_AWAITED = "due_us IS NOT NULL"
_UNINSTALLS = "step = 'uninstalled'"


def upgrade() -> None:
    # Nothing has written to either yet.
    op.drop_table("installations")
    op.drop_table("customers")
    _installations()
    _events()
    _registry_file()
    _days()


def _words(name: str, *words: str) -> sa.Enum:
    return sa.Enum(*words, name=name, native_enum=False, create_constraint=True, length=20)


def _time(name: str, comment: str, *, nullable: bool = True) -> "sa.Column[Any]":
    return sa.Column(name, sa.BigInteger(), nullable=nullable, comment=comment)


def _text(name: str, length: int, comment: str, *, nullable: bool = True) -> "sa.Column[Any]":
    return sa.Column(name, sa.String(length=length), nullable=nullable, comment=comment)


def _integration(table: str, comment: str, *, cascade: bool = False) -> tuple[Any, ...]:
    return (
        sa.Column("integration_id", sa.Integer(), nullable=False, comment=comment),
        sa.ForeignKeyConstraint(
            ["integration_id"],
            ["integrations.id"],
            name=op.f(f"fk_{table}_integration_id_integrations"),
            ondelete="CASCADE" if cascade else None,
        ),
    )


def _installations() -> None:
    op.create_table(
        "installations",
        sa.Column("id", sa.Integer(), nullable=False, comment="Internal; never shown"),
        *_integration("installations", "Which integration is used"),
        _text(
            "external_id", 200, "What the platform calls it; unique within the integration",
            nullable=False,
        ),
        _text("customer", 200, "Who uses it, as the platform calls them; NULL: not told yet"),
        sa.Column(
            "state",
            _words("state", "installing", "active", "suspended", "declined", "uninstalled"),
            nullable=False,
            comment="installing, active, suspended, declined or uninstalled",
        ),
        _text("plan", 100, "Newest plan told; NULL: none"),
        _text("source", 100, "Where the customer came from, as first told; NULL: not told"),
        _text("reason", 500, "Why it is uninstalled or declined; NULL: neither, or not told"),
        _time("entered_us", "First step of all, microseconds since 1970 UTC; NULL: none yet"),
        _time("activated_us", "Reached the goal of the funnel, microseconds; NULL: not yet"),
        _time(
            "uninstalled_us",
            "Removed then and not brought back, microseconds; NULL: it is there",
        ),
        _text("next_step", 63, "The step that it awaits, or was lost at; NULL: neither"),
        _time("due_us", "From then on that step is late, microseconds; NULL: none is awaited"),
        sa.Column(
            "lost_cause",
            _words("lost_cause", "failed", "stuck", "declined", "timed_out"),
            nullable=True,
            comment="failed, stuck, declined or timed_out; NULL: not lost, or late and not judged "
            "yet",
        ),
        _time(
            "last_us", "Its newest event happened then, microseconds since 1970 UTC",
            nullable=False,
        ),
        _time("created_us", "Its first event came then, microseconds since 1970 UTC",
              nullable=False),
        _time("updated_us", "Last folded, microseconds since 1970 UTC", nullable=False),
        sa.Column(
            "facts",
            sa.LargeBinary(),
            nullable=False,
            comment="app.domain.funnel.Facts, as app.models.facts packs them",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_installations")),
        sa.UniqueConstraint(
            "external_id",
            "integration_id",
            name=op.f("uq_installations_external_id_integration_id"),
        ),
    )
    op.create_index(
        "ix_installations_integration_id_entered_us",
        "installations",
        ["integration_id", "entered_us"],
        unique=False,
    )
    _partial("ix_installations_due", "installations", ["due_us"], _AWAITED)


def _partial(name: str, table: str, columns: list[str], where: str) -> None:
    op.create_index(
        name,
        table,
        columns,
        unique=False,
        sqlite_where=sa.text(where),
        postgresql_where=sa.text(where),
    )


def _events() -> None:
    op.create_table(
        "lifecycle_events",
        sa.Column(
            "number",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            nullable=False,
            comment="In the order of arrival",
        ),
        *_integration("lifecycle_events", "Which integration it is about"),
        _text(
            "event_id", 200,
            "The sender's id, or wire: and the id of the exchange that means it",
            nullable=False,
        ),
        _text("installation", 200, "installations.external_id", nullable=False),
        _text("customer", 200, "Who; NULL: not told"),
        _text("step", 63, "What happened", nullable=False),
        _time("occurred_us", "When it happened, microseconds since 1970 UTC", nullable=False),
        _text("plan", 100, "On which plan; NULL: not told"),
        _text("source", 100, "Where the customer came from; NULL: not told"),
        _text("reason", 500, "Why; NULL: not told"),
        _time("received_us", "When it came, microseconds since 1970 UTC", nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_lifecycle_events")),
        sa.UniqueConstraint(
            "event_id",
            "integration_id",
            name=op.f("uq_lifecycle_events_event_id_integration_id"),
        ),
    )
    op.create_index(
        "ix_lifecycle_events_integration_id_installation",
        "lifecycle_events",
        ["integration_id", "installation"],
        unique=False,
    )
    _partial(
        "ix_lifecycle_events_uninstalls",
        "lifecycle_events",
        ["integration_id", "occurred_us"],
        _UNINSTALLS,
    )
    op.create_table(
        "lifecycle_cursor",
        sa.Column(
            "id", sa.Integer(), autoincrement=False, nullable=False, comment="Always 1"
        ),
        sa.Column(
            "exchange",
            sa.LargeBinary(length=16),
            nullable=False,
            comment="exchanges.id of the newest one read",
        ),
        _time(
            "folded_us",
            "Installations folded before it were looked up in older exchanges",
            nullable=False,
        ),
        sa.CheckConstraint("id = 1", name=op.f("ck_lifecycle_cursor_one_row")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_lifecycle_cursor")),
    )


def _registry_file() -> None:
    op.create_table(
        "funnel_deadlines",
        *_integration("funnel_deadlines", "Whose", cascade=True),
        _text("step", 63, "Which step", nullable=False),
        _time("deadline_us", "Longest time after the step before, microseconds", nullable=False),
        sa.CheckConstraint("deadline_us > 0", name=op.f("ck_funnel_deadlines_deadline_positive")),
        sa.PrimaryKeyConstraint("integration_id", "step", name=op.f("pk_funnel_deadlines")),
    )
    op.create_table(
        "inference_rules",
        *_integration("inference_rules", "Whose", cascade=True),
        sa.Column(
            "position",
            sa.Integer(),
            autoincrement=False,
            nullable=False,
            comment="Order of trying, from 0",
        ),
        sa.Column(
            "direction",
            sa.SmallInteger(),
            nullable=True,
            comment="Code of app.domain.words.Direction",
        ),
        _text("operation", 300, "Such as POST /oauth/token, as rollups name it"),
        _text("topic", 200, "Topic of a webhook"),
        sa.Column("status_from", sa.Integer(), nullable=False, comment="Least HTTP status"),
        sa.Column("status_to", sa.Integer(), nullable=False, comment="Greatest HTTP status"),
        _text("step", 63, "What it means", nullable=False),
        sa.CheckConstraint(
            "operation IS NOT NULL OR topic IS NOT NULL",
            name=op.f("ck_inference_rules_names_something"),
        ),
        sa.CheckConstraint(
            "status_from <= status_to", name=op.f("ck_inference_rules_status_in_order")
        ),
        sa.PrimaryKeyConstraint("integration_id", "position", name=op.f("pk_inference_rules")),
    )


def _days() -> None:
    op.create_table(
        "funnel_days",
        *_integration("funnel_days", "Whose", cascade=True),
        sa.Column(
            "day",
            sa.Integer(),
            autoincrement=False,
            nullable=False,
            comment="Whole days since 1970 UTC",
        ),
        sa.Column(
            "stale",
            sa.Boolean(),
            nullable=False,
            comment="Whether an installation changed since",
        ),
        _time("due_us", "Then the next of them is late, microseconds; NULL: none will be"),
        sa.Column(
            "counts",
            sa.LargeBinary(),
            nullable=False,
            comment="Sparse counts, app.domain.funnel_counts",
        ),
        sa.Column(
            "parts",
            sa.LargeBinary(),
            nullable=False,
            comment="The same by plan and by source, MessagePack",
        ),
        sa.PrimaryKeyConstraint("integration_id", "day", name=op.f("pk_funnel_days")),
    )
    _partial("ix_funnel_days_stale", "funnel_days", ["integration_id", "day"], "stale")
    _partial("ix_funnel_days_due", "funnel_days", ["due_us"], _AWAITED)
