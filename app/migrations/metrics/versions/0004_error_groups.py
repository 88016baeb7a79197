"""Failures that are one and the same, counted by the hour."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _groups()
    _hours()


def _groups() -> None:
    def small(name: str, comment: str) -> sa.Column[Any]:
        return sa.Column(name, sa.SmallInteger(), nullable=False, comment=comment)

    def whole(name: str, comment: str) -> sa.Column[Any]:
        return sa.Column(name, sa.Integer(), nullable=False, comment=comment)

    def large(name: str, comment: str) -> sa.Column[Any]:
        return sa.Column(name, sa.BigInteger(), nullable=False, comment=comment)

    def text(name: str, comment: str) -> sa.Column[Any]:
        return sa.Column(name, sa.Text(), nullable=False, comment=comment)

    op.create_table(
        "error_groups",
        sa.Column(
            "id",
            sa.BigInteger(),
            autoincrement=False,
            nullable=False,
            comment="error_group.group_id",
        ),
        whole("integration_id", "integration_names.id"),
        small("direction", "Code of app.domain.words.Direction"),
        small("kind", "Code of app.domain.words.Kind"),
        whole("operation_id", "operation_names.id"),
        small("outcome", "Code of app.domain.words.Outcome"),
        whole("status", "HTTP status; 0: no answer"),
        text("error", "Error code of docs/errors.md, or empty"),
        text("message", "What it says, app.domain.message; or empty"),
        small("fault", "Code of app.domain.words.Fault"),
        large("first_us", "Start of the first, µs since 1970 UTC"),
        large("last_us", "Start of the newest, µs since 1970 UTC"),
        large("exchanges", "How many since the first"),
        sa.Column(
            "sample", sa.LargeBinary(16), nullable=False, comment="exchanges.id of the newest"
        ),
        text("example", "What the newest said, scrubbed"),
        sa.PrimaryKeyConstraint("id", name="pk_error_groups"),
        comment="Failing exchanges that are one and the same failure",
        sqlite_with_rowid=False,
    )
    op.create_index(
        "ix_error_groups_integration_id_last_us", "error_groups", ["integration_id", "last_us"]
    )


def _hours() -> None:
    op.create_table(
        "error_hours",
        sa.Column(
            "group_id",
            sa.BigInteger(),
            autoincrement=False,
            nullable=False,
            comment="error_groups.id",
        ),
        sa.Column(
            "start_minute",
            sa.Integer(),
            autoincrement=False,
            nullable=False,
            comment="Start of the hour, whole minutes since 1970 UTC",
        ),
        sa.Column(
            "exchanges", sa.BigInteger(), nullable=False, comment="How many in this hour"
        ),
        sa.Column(
            "installations",
            sa.LargeBinary(),
            nullable=False,
            comment="Sketch of app.domain.distinct",
        ),
        sa.PrimaryKeyConstraint("group_id", "start_minute", name="pk_error_hours"),
        comment="How often each failure happened, per hour",
        sqlite_with_rowid=False,
    )
