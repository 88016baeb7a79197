"""The tables of the metrics store, each column with what it holds.

Text that would repeat in every row is a small number: `integration_names`, `operation_names` and
`series` give it out and never take it back. Times of rollups are minutes since 1970 UTC: four
bytes instead of eight, and a rollup starts on a minute.

Keys are chosen for how rows come and go. Exchanges lie in the order of their ids, which is that
of time: new ones are appended, old ones cut off at the other end. Minutes lie by time, because
every batch writes those of one minute or two; longer rows lie by series, because a question reads a
stretch of each. Names do not collide with the registry's tables: both may share one PostgreSQL
database.
"""

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    text,
)

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)

#: Series of whole integrations have smaller ids, series of operations this or greater: within a
#: minute, the rows of one level lie together.
FIRST_OPERATION_SERIES = 1 << 20

#: Exchanges that failed are few and are asked for most: an index of their own holds them.
FAILED = "outcome > 0"


def _given(name: str, comment: str) -> "Column[int]":
    """A number that the store gives out itself, under its write lock."""
    return Column(name, Integer, primary_key=True, autoincrement=False, comment=comment)


integration_names = Table(
    "integration_names",
    metadata,
    _given("id", "The number that stands for the slug in this database"),
    Column("slug", Text, nullable=False, unique=True, comment="The integration's slug"),
    comment="Integrations that had traffic",
)

operation_names = Table(
    "operation_names",
    metadata,
    _given("id", "The number that stands for the name in this database"),
    Column("name", Text, nullable=False, unique=True, comment="Method and template, or empty"),
    comment="Operations that had traffic, and the empty name of a whole integration",
)

series = Table(
    "series",
    metadata,
    _given("id", "Under 2^20 for a whole integration, from there on for an operation"),
    Column(
        "integration_id",
        ForeignKey("integration_names.id"),
        nullable=False,
        comment="Whose exchanges are counted",
    ),
    Column("direction", SmallInteger, nullable=False, comment="Code of app.domain.words.Direction"),
    Column("kind", SmallInteger, nullable=False, comment="Code of app.domain.words.Kind"),
    Column(
        "operation_id",
        ForeignKey("operation_names.id"),
        nullable=False,
        comment="Which operation; the one with the empty name stands for all",
    ),
    UniqueConstraint("integration_id", "direction", "kind", "operation_id"),
    comment="What rollups count together",
)

exchanges = Table(
    "exchanges",
    metadata,
    Column("id", LargeBinary(16), primary_key=True, comment="16 bytes, ordered by start"),
    Column("started_us", BigInteger, nullable=False, comment="Start, µs since 1970 UTC"),
    Column("direction", SmallInteger, nullable=False, comment="Code of app.domain.words.Direction"),
    Column("kind", SmallInteger, nullable=False, comment="Code of app.domain.words.Kind"),
    Column("integration_id", Integer, nullable=False, comment="integration_names.id"),
    Column("operation_id", Integer, nullable=False, comment="operation_names.id"),
    Column("installation", Text, nullable=False, comment="Which installation; empty: not told"),
    Column("customer", Text, nullable=False, comment="Which customer; empty: not told"),
    Column("topic", Text, nullable=False, comment="Topic of a webhook; empty: a request"),
    Column("method", Text, nullable=False, comment="HTTP method"),
    Column("path", Text, nullable=False, comment="Path without query, scrubbed"),
    Column("status", Integer, nullable=False, comment="HTTP status; 0: no answer"),
    Column("outcome", SmallInteger, nullable=False, comment="Code of app.domain.words.Outcome"),
    Column("fault", SmallInteger, nullable=False, comment="Code of app.domain.words.Fault"),
    Column("verdict", SmallInteger, nullable=False, comment="Code of app.domain.words.Verdict"),
    Column("error", Text, nullable=False, comment="Error code of docs/errors.md, or empty"),
    Column("error_detail", Text, nullable=False, comment="The failure in words, or empty"),
    Column("queue_us", BigInteger, nullable=False, comment="Waiting inside the proxy, µs"),
    Column("connect_us", BigInteger, nullable=False, comment="Name look-up and TCP, µs; -1: none"),
    Column("tls_us", BigInteger, nullable=False, comment="TLS handshake, µs; -1: none"),
    Column("first_byte_us", BigInteger, nullable=False, comment="To the answer's head, µs"),
    Column("total_us", BigInteger, nullable=False, comment="The whole exchange, µs"),
    Column("request_bytes", BigInteger, nullable=False, comment="Bytes of the request body"),
    Column("response_bytes", BigInteger, nullable=False, comment="Bytes of the answer's body"),
    Column("delivery", Text, nullable=False, comment="Delivery this attempt belongs to, or empty"),
    Column("attempt", Integer, nullable=False, comment="Which attempt of its delivery, from 1"),
    Column("trace_id", Text, nullable=False, comment="W3C trace id in hex, or empty"),
    Column("captured", Boolean, nullable=False, comment="Whether a capture was stored with it"),
    Index("ix_exchanges_integration_id_id", "integration_id", "id"),
    Index(
        "ix_exchanges_failed",
        "integration_id",
        "id",
        sqlite_where=text(FAILED),
        postgresql_where=text(FAILED),
    ),
    comment="Every exchange within the retention, columns in the order of StoredExchange",
    sqlite_with_rowid=False,
)

captures = Table(
    "captures",
    metadata,
    Column("id", LargeBinary(16), primary_key=True, comment="exchanges.id"),
    Column("body", LargeBinary, nullable=False, comment="zlib of MessagePack, app.store.evidence"),
    comment="The scrubbed evidence of failures and of a sample of the rest",
)


def _rollup(name: str, keys: tuple[str, str], comment: str) -> Table:
    comments = {
        "series_id": "series.id",
        "start_minute": "Start, whole minutes since 1970 UTC",
    }
    return Table(
        name,
        metadata,
        *(
            Column(key, Integer, primary_key=True, autoincrement=False, comment=comments[key])
            for key in keys
        ),
        Column("exchanges", BigInteger, nullable=False, comment="Recorded exchanges"),
        Column("good", BigInteger, nullable=False, comment="Those that count as good"),
        Column("bad", BigInteger, nullable=False, comment="Those that count as bad"),
        Column("excluded", BigInteger, nullable=False, comment="Those that count as neither"),
        Column("shed", BigInteger, nullable=False, comment="Exchanges that passed unrecorded"),
        Column("total_us", BigInteger, nullable=False, comment="Sum of durations in latency, µs"),
        Column("request_bytes", BigInteger, nullable=False, comment="Sum over request bodies"),
        Column("response_bytes", BigInteger, nullable=False, comment="Sum over answer bodies"),
        Column("tally", LargeBinary, nullable=False, comment="Sparse counts, app.domain.tally"),
        Column("latency", LargeBinary, nullable=False, comment="Sparse counts, histogram"),
        comment=comment,
        sqlite_with_rowid=False,
    )


rollup_minutes = _rollup("rollup_minutes", ("start_minute", "series_id"), "Sums per minute")
rollup_hours = _rollup("rollup_hours", ("series_id", "start_minute"), "Sums per hour")
rollup_days = _rollup("rollup_days", ("series_id", "start_minute"), "Sums per day, UTC")
rollup_weeks = _rollup(
    "rollup_weeks", ("series_id", "start_minute"), "Sums per seven days, counted from 1970-01-01"
)

error_groups = Table(
    "error_groups",
    metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False, comment="error_group.group_id"),
    Column("integration_id", Integer, nullable=False, comment="integration_names.id"),
    Column("direction", SmallInteger, nullable=False, comment="Code of app.domain.words.Direction"),
    Column("kind", SmallInteger, nullable=False, comment="Code of app.domain.words.Kind"),
    Column("operation_id", Integer, nullable=False, comment="operation_names.id"),
    Column("outcome", SmallInteger, nullable=False, comment="Code of app.domain.words.Outcome"),
    Column("status", Integer, nullable=False, comment="HTTP status; 0: no answer"),
    Column("error", Text, nullable=False, comment="Error code of docs/errors.md, or empty"),
    Column("message", Text, nullable=False, comment="What it says, app.domain.message; or empty"),
    Column("fault", SmallInteger, nullable=False, comment="Code of app.domain.words.Fault"),
    Column("first_us", BigInteger, nullable=False, comment="Start of the first, µs since 1970 UTC"),
    Column("last_us", BigInteger, nullable=False, comment="Start of the newest, µs since 1970 UTC"),
    Column("exchanges", BigInteger, nullable=False, comment="How many since the first"),
    Column("sample", LargeBinary(16), nullable=False, comment="exchanges.id of the newest"),
    Column("example", Text, nullable=False, comment="What the newest said, scrubbed"),
    Index("ix_error_groups_integration_id_last_us", "integration_id", "last_us"),
    comment="Failing exchanges that are one and the same failure",
    sqlite_with_rowid=False,
)

error_hours = Table(
    "error_hours",
    metadata,
    Column(
        "group_id", BigInteger, primary_key=True, autoincrement=False, comment="error_groups.id"
    ),
    Column(
        "start_minute",
        Integer,
        primary_key=True,
        autoincrement=False,
        comment="Start of the hour, whole minutes since 1970 UTC",
    ),
    Column("exchanges", BigInteger, nullable=False, comment="How many in this hour"),
    Column("installations", LargeBinary, nullable=False, comment="Sketch of app.domain.distinct"),
    comment="How often each failure happened, per hour",
    sqlite_with_rowid=False,
)

activity_parts = Table(
    "activity_parts",
    metadata,
    Column(
        "part", BigInteger, primary_key=True, autoincrement=False, comment="Numbered as written"
    ),
    Column("integration_id", Integer, nullable=False, comment="integration_names.id"),
    Column("period", Integer, nullable=False, comment="Days since 1970 UTC divided by 28"),
    Column("level", Integer, nullable=False, comment="How often its rows were merged"),
    Column("rows", Integer, nullable=False, comment="How many rows it holds"),
    Column("first_day", Integer, nullable=False, comment="The first day, days since 1970 UTC"),
    Column("last_day", Integer, nullable=False, comment="The last day, days since 1970 UTC"),
    Column("body", LargeBinary, nullable=False, comment="Columns, app.store.activity_pack"),
    Column("names", LargeBinary, nullable=False, comment="MessagePack: installations, customers"),
    # Last, so that a question that reads no times does not read past them.
    Column("times", LargeBinary, nullable=False, comment="Columns, app.store.activity_pack"),
    Index("ix_activity_parts_integration_id_period", "integration_id", "period"),
    comment="What each installation did on each day, packed",
)

journal_positions = Table(
    "journal_positions",
    metadata,
    Column("journal", Text, primary_key=True, comment="The journal's name"),
    Column("segment", BigInteger, nullable=False, comment="The segment that is being loaded"),
    Column("offset", BigInteger, nullable=False, comment="Bytes of it that are loaded"),
    Column("sequence", BigInteger, nullable=False, comment="The sequence number expected next"),
    comment="How far each journal is loaded",
)

metrics_state = Table(
    "metrics_state",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False, comment="Always 1"),
    Column("minutes_from_us", BigInteger, nullable=False, comment="Older minutes are not kept"),
    Column("hours_from_us", BigInteger, nullable=False, comment="Older hours are not kept"),
    Column("hours_until_us", BigInteger, nullable=False, comment="Hours before it are folded"),
    Column("days_until_us", BigInteger, nullable=False, comment="Days before it are folded"),
    Column(
        "weeks_until_us",
        BigInteger,
        nullable=False,
        server_default=text("0"),
        comment="Weeks before it are folded",
    ),
    Column(
        "folded_version",
        BigInteger,
        nullable=False,
        server_default=text("0"),
        comment="Counts the transactions that changed hours, days or weeks",
    ),
    CheckConstraint("id = 1", name="one_row"),
    comment="The marks between resolutions; its one row is also the lock of writers",
)
