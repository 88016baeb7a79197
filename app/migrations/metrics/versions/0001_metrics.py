"""The metrics store as it began: exchanges, captures, rollups, journal positions."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    _names()
    _exchanges()
    _captures()
    _rollup("rollup_minutes", ("start_minute", "series_id"), "Sums per minute")
    _rollup("rollup_hours", ("series_id", "start_minute"), "Sums per hour")
    _rollup("rollup_days", ("series_id", "start_minute"), "Sums per day, UTC")
    _positions()
    _state()


def _number(name: str, comment: str, kind: Any = sa.BigInteger) -> "sa.Column[Any]":
    return sa.Column(name, kind(), nullable=False, comment=comment)


def _text(name: str, comment: str) -> "sa.Column[Any]":
    return sa.Column(name, sa.Text(), nullable=False, comment=comment)


def _key(name: str, comment: str) -> "sa.Column[Any]":
    return sa.Column(name, sa.Integer(), autoincrement=False, nullable=False, comment=comment)


def _names() -> None:
    op.create_table(
        "integration_names",
        _key("id", "The number that stands for the slug in this database"),
        _text("slug", "The integration's slug"),
        sa.PrimaryKeyConstraint("id", name="pk_integration_names"),
        sa.UniqueConstraint("slug", name="uq_integration_names_slug"),
        comment="Integrations that had traffic",
    )
    op.create_table(
        "operation_names",
        _key("id", "The number that stands for the name in this database"),
        _text("name", "Method and template, or empty"),
        sa.PrimaryKeyConstraint("id", name="pk_operation_names"),
        sa.UniqueConstraint("name", name="uq_operation_names_name"),
        comment="Operations that had traffic, and the empty name of a whole integration",
    )
    op.create_table(
        "series",
        _key("id", "Under 2^20 for a whole integration, from there on for an operation"),
        _number("integration_id", "Whose exchanges are counted", sa.Integer),
        _number("direction", "Code of app.domain.words.Direction", sa.SmallInteger),
        _number("kind", "Code of app.domain.words.Kind", sa.SmallInteger),
        _number(
            "operation_id", "Which operation; the one with the empty name stands for all", sa.Integer
        ),
        sa.PrimaryKeyConstraint("id", name="pk_series"),
        sa.ForeignKeyConstraint(
            ["integration_id"], ["integration_names.id"], name="fk_series_integration_id"
        ),
        sa.ForeignKeyConstraint(
            ["operation_id"], ["operation_names.id"], name="fk_series_operation_id"
        ),
        sa.UniqueConstraint(
            "integration_id", "direction", "kind", "operation_id",
            name="uq_series_integration_id_direction_kind_operation_id",
        ),
        comment="What rollups count together",
    )


def _exchanges() -> None:
    op.create_table(
        "exchanges",
        sa.Column("id", sa.LargeBinary(16), nullable=False, comment="16 bytes, ordered by start"),
        _number("started_us", "Start, µs since 1970 UTC"),
        _number("direction", "Code of app.domain.words.Direction", sa.SmallInteger),
        _number("kind", "Code of app.domain.words.Kind", sa.SmallInteger),
        _number("integration_id", "integration_names.id", sa.Integer),
        _number("operation_id", "operation_names.id", sa.Integer),
        _text("installation", "Which installation; empty: not told"),
        _text("customer", "Which customer; empty: not told"),
        _text("topic", "Topic of a webhook; empty: a request"),
        _text("method", "HTTP method"),
        _text("path", "Path without query, scrubbed"),
        _number("status", "HTTP status; 0: no answer", sa.Integer),
        _number("outcome", "Code of app.domain.words.Outcome", sa.SmallInteger),
        _number("fault", "Code of app.domain.words.Fault", sa.SmallInteger),
        _number("verdict", "Code of app.domain.words.Verdict", sa.SmallInteger),
        _text("error", "Error code of docs/errors.md, or empty"),
        _text("error_detail", "The failure in words, or empty"),
        _number("queue_us", "Waiting inside the proxy, µs"),
        _number("connect_us", "Name look-up and TCP, µs; -1: none"),
        _number("tls_us", "TLS handshake, µs; -1: none"),
        _number("first_byte_us", "To the answer's head, µs"),
        _number("total_us", "The whole exchange, µs"),
        _number("request_bytes", "Bytes of the request body"),
        _number("response_bytes", "Bytes of the answer's body"),
        _text("delivery", "Delivery this attempt belongs to, or empty"),
        _number("attempt", "Which attempt of its delivery, from 1", sa.Integer),
        _text("trace_id", "W3C trace id in hex, or empty"),
        _number("captured", "Whether a capture was stored with it", sa.Boolean),
        sa.PrimaryKeyConstraint("id", name="pk_exchanges"),
        comment="Every exchange within the retention, columns in the order of StoredExchange",
        sqlite_with_rowid=False,
    )
    op.create_index("ix_exchanges_integration_id_id", "exchanges", ["integration_id", "id"])
    failed = sa.text("outcome > 0")
    op.create_index(
        "ix_exchanges_failed",
        "exchanges",
        ["integration_id", "id"],
        sqlite_where=failed,
        postgresql_where=failed,
    )


def _captures() -> None:
    op.create_table(
        "captures",
        sa.Column("id", sa.LargeBinary(16), nullable=False, comment="exchanges.id"),
        sa.Column(
            "body",
            sa.LargeBinary(),
            nullable=False,
            comment="zlib of MessagePack, app.store.evidence",
        ),
        sa.PrimaryKeyConstraint("id", name="pk_captures"),
        comment="The scrubbed evidence of failures and of a sample of the rest",
    )


def _rollup(name: str, keys: tuple[str, str], comment: str) -> None:
    comments = {"series_id": "series.id", "start_minute": "Start, whole minutes since 1970 UTC"}
    op.create_table(
        name,
        *(_key(key, comments[key]) for key in keys),
        _number("exchanges", "Recorded exchanges"),
        _number("good", "Those that count as good"),
        _number("bad", "Those that count as bad"),
        _number("excluded", "Those that count as neither"),
        _number("shed", "Exchanges that passed unrecorded"),
        _number("total_us", "Sum of durations in latency, µs"),
        _number("request_bytes", "Sum over request bodies"),
        _number("response_bytes", "Sum over answer bodies"),
        sa.Column(
            "tally", sa.LargeBinary(), nullable=False, comment="Sparse counts, app.domain.tally"
        ),
        sa.Column(
            "latency", sa.LargeBinary(), nullable=False, comment="Sparse counts, histogram"
        ),
        sa.PrimaryKeyConstraint(*keys, name=f"pk_{name}"),
        comment=comment,
        sqlite_with_rowid=False,
    )


def _positions() -> None:
    op.create_table(
        "journal_positions",
        _text("journal", "The journal's name"),
        _number("segment", "The segment that is being loaded"),
        _number("offset", "Bytes of it that are loaded"),
        _number("sequence", "The sequence number expected next"),
        sa.PrimaryKeyConstraint("journal", name="pk_journal_positions"),
        comment="How far each journal is loaded",
    )


def _state() -> None:
    state = op.create_table(
        "metrics_state",
        _key("id", "Always 1"),
        _number("minutes_from_us", "Older minutes are not kept"),
        _number("hours_from_us", "Older hours are not kept"),
        _number("hours_until_us", "Hours before it are folded"),
        _number("days_until_us", "Days before it are folded"),
        sa.PrimaryKeyConstraint("id", name="pk_metrics_state"),
        sa.CheckConstraint("id = 1", name="ck_metrics_state_one_row"),
        comment="The marks between resolutions; its one row is also the lock of writers",
    )
    marks = ("minutes_from_us", "hours_from_us", "hours_until_us", "days_until_us")
    op.bulk_insert(state, [{"id": 1, **dict.fromkeys(marks, 0)}])
