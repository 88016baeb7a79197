"""Weeks, folded from days: a month of every integration is then some ten rows of each, not thirty.

The days that are there are folded by the first upkeep after this, as if their weeks had just ended.
"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_NUMBERS = {
    "exchanges": "Recorded exchanges",
    "good": "Those that count as good",
    "bad": "Those that count as bad",
    "excluded": "Those that count as neither",
    "shed": "Exchanges that passed unrecorded",
    "total_us": "Sum of durations in latency, µs",
    "request_bytes": "Sum over request bodies",
    "response_bytes": "Sum over answer bodies",
}
_BLOBS = {"tally": "Sparse counts, app.domain.tally", "latency": "Sparse counts, histogram"}
_KEYS = {"series_id": "series.id", "start_minute": "Start, whole minutes since 1970 UTC"}


def upgrade() -> None:
    op.create_table(
        "rollup_weeks",
        *(
            sa.Column(name, sa.Integer(), autoincrement=False, nullable=False, comment=comment)
            for name, comment in _KEYS.items()
        ),
        *(
            sa.Column(name, sa.BigInteger(), nullable=False, comment=comment)
            for name, comment in _NUMBERS.items()
        ),
        *(
            sa.Column(name, sa.LargeBinary(), nullable=False, comment=comment)
            for name, comment in _BLOBS.items()
        ),
        sa.PrimaryKeyConstraint(*_KEYS, name="pk_rollup_weeks"),
        comment="Sums per seven days, counted from 1970-01-01",
        sqlite_with_rowid=False,
    )
    op.add_column(
        "metrics_state",
        sa.Column(
            "weeks_until_us",
            sa.BigInteger(),
            nullable=False,
            server_default=sa.text("0"),
            comment="Weeks before it are folded",
        ),
    )
