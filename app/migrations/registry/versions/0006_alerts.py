"""Alerts: rule instances, incidents, notifications and silences."""

import sqlalchemy as sa
from alembic import op

revision = "0006_alerts"
down_revision = "0005_people"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _alerts()
    _silences()
    _incidents()
    _notifications()


def _alerts() -> None:
    op.create_table(
        "alerts",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            nullable=False,
            comment="Internal; never shown",
        ),
        sa.Column("rule", sa.String(length=100), nullable=False, comment="Name of the rule"),
        sa.Column(
            "series",
            sa.String(length=500),
            nullable=False,
            comment="What it is about: integration, partner, operation, or midspan",
        ),
        sa.Column(
            "integration",
            sa.String(length=63),
            nullable=True,
            comment="Slug of the integration; NULL: it is about none",
        ),
        sa.Column(
            "partner",
            sa.String(length=63),
            nullable=True,
            comment="Slug of the partner who may see it; NULL: none may",
        ),
        sa.Column(
            "state",
            sa.Enum(
                "inactive",
                "pending",
                "firing",
                "recovering",
                "resolved",
                "no_data",
                "error",
                name="state",
                native_enum=False,
                create_constraint=True,
                length=20,
            ),
            nullable=False,
            comment="Where it stands",
        ),
        sa.Column(
            "since_us",
            sa.BigInteger(),
            nullable=False,
            comment="In this state since, microseconds since 1970 UTC",
        ),
        sa.Column("incident", sa.Integer(), nullable=False, comment="How often it fired; 0: never"),
        sa.Column(
            "fired_us",
            sa.BigInteger(),
            nullable=True,
            comment="The newest incident began, microseconds since 1970 UTC; NULL: none did",
        ),
        sa.Column(
            "summary",
            sa.Text(),
            nullable=False,
            comment="What the last evaluation found, in one sentence",
        ),
        sa.Column(
            "version", sa.Integer(), nullable=False, comment="Counts the changes of this row"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_alerts")),
        sa.UniqueConstraint("rule", "series", name=op.f("uq_alerts_rule_series")),
    )
    op.create_index(op.f("ix_alerts_integration"), "alerts", ["integration"], unique=False)
    op.create_index(op.f("ix_alerts_partner"), "alerts", ["partner"], unique=False)


def _silences() -> None:
    op.create_table(
        "silences",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            nullable=False,
            comment="Its number, for people",
        ),
        sa.Column(
            "rule",
            sa.String(length=100),
            nullable=True,
            comment="Only alerts of this rule; NULL: of all",
        ),
        sa.Column(
            "integration",
            sa.String(length=63),
            nullable=True,
            comment="Only alerts about this integration; NULL: about all",
        ),
        sa.Column(
            "partner",
            sa.String(length=63),
            nullable=True,
            comment="Only alerts about this partner's integrations; NULL: about all",
        ),
        sa.Column(
            "starts_us",
            sa.BigInteger(),
            nullable=False,
            comment="From, microseconds since 1970 UTC",
        ),
        sa.Column(
            "ends_us", sa.BigInteger(), nullable=False, comment="Until, microseconds since 1970 UTC"
        ),
        sa.Column("created_by", sa.String(length=300), nullable=False, comment="Who made it"),
        sa.Column("comment", sa.Text(), nullable=False, comment="Why"),
        sa.CheckConstraint("ends_us > starts_us", name=op.f("ck_silences_ends_after_start")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_silences")),
    )
    op.create_index(op.f("ix_silences_ends_us"), "silences", ["ends_us"], unique=False)


def _incidents() -> None:
    op.create_table(
        "incidents",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            nullable=False,
            comment="Its number, for people",
        ),
        sa.Column(
            "alert_id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            nullable=False,
            comment="Which rule instance",
        ),
        sa.Column(
            "number",
            sa.Integer(),
            nullable=False,
            comment="Its place among those of the instance, from 1",
        ),
        sa.Column(
            "severity",
            sa.Enum(
                "P1",
                "P2",
                "P3",
                "P4",
                name="severity",
                native_enum=False,
                create_constraint=True,
                length=20,
            ),
            nullable=False,
            comment="P1 to P4, the loudest it had",
        ),
        sa.Column(
            "fired_us",
            sa.BigInteger(),
            nullable=False,
            comment="Began, microseconds since 1970 UTC",
        ),
        sa.Column(
            "resolved_us",
            sa.BigInteger(),
            nullable=True,
            comment="Over, microseconds since 1970 UTC; NULL: it goes on",
        ),
        sa.Column("summary", sa.Text(), nullable=False, comment="What was found when it fired"),
        sa.Column(
            "evidence",
            sa.Text(),
            nullable=False,
            comment="Numbers, chart points and sample exchanges as they were then, JSON",
        ),
        sa.Column(
            "acked_us",
            sa.BigInteger(),
            nullable=True,
            comment="Somebody took it, microseconds since 1970 UTC; NULL: nobody did",
        ),
        sa.Column("acked_by", sa.String(length=300), nullable=True, comment="Who took it"),
        sa.CheckConstraint(
            "(acked_us IS NULL) = (acked_by IS NULL)", name=op.f("ck_incidents_ack_whole")
        ),
        sa.ForeignKeyConstraint(
            ["alert_id"],
            ["alerts.id"],
            name=op.f("fk_incidents_alert_id_alerts"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_incidents")),
        sa.UniqueConstraint("alert_id", "number", name=op.f("uq_incidents_alert_id_number")),
    )
    op.create_index(op.f("ix_incidents_fired_us"), "incidents", ["fired_us"], unique=False)
    op.create_index(
        "ix_incidents_open",
        "incidents",
        ["fired_us"],
        unique=False,
        sqlite_where=sa.text("resolved_us IS NULL"),
        postgresql_where=sa.text("resolved_us IS NULL"),
    )


def _notifications() -> None:
    op.create_table(
        "notifications",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            nullable=False,
            comment="Order of planning",
        ),
        sa.Column(
            "incident_id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            nullable=False,
            comment="About which incident",
        ),
        sa.Column(
            "event",
            sa.Enum(
                "fired",
                "resolved",
                name="event",
                native_enum=False,
                create_constraint=True,
                length=20,
            ),
            nullable=False,
            comment="fired or resolved",
        ),
        sa.Column(
            "receiver", sa.String(length=100), nullable=False, comment="Name of the receiver"
        ),
        sa.Column(
            "audience",
            sa.String(length=20),
            nullable=False,
            comment="Who reads it: on_call, ecosystem or partner",
        ),
        sa.Column(
            "channel",
            sa.String(length=20),
            nullable=False,
            comment="mail, slack, pagerduty or webhook",
        ),
        sa.Column(
            "address",
            sa.String(length=500),
            nullable=False,
            comment="Where to: an address, or the name of a secret that holds it",
        ),
        sa.Column(
            "message_id", sa.String(length=300), nullable=False, comment="The same at every attempt"
        ),
        sa.Column(
            "delivery",
            sa.Enum(
                "queued",
                "sent",
                "dropped",
                "failed",
                name="delivery",
                native_enum=False,
                create_constraint=True,
                length=20,
            ),
            nullable=False,
            comment="queued, sent, dropped or failed",
        ),
        sa.Column(
            "reason",
            sa.String(length=63),
            nullable=False,
            comment="Why it is sent or was dropped, one of the named reasons",
        ),
        sa.Column("attempts", sa.Integer(), nullable=False, comment="How often it was tried"),
        sa.Column(
            "due_us",
            sa.BigInteger(),
            nullable=False,
            comment="Not tried before, microseconds since 1970 UTC",
        ),
        sa.Column(
            "leased_us",
            sa.BigInteger(),
            nullable=True,
            comment="In somebody's hands until then, microseconds; NULL: in nobody's",
        ),
        sa.Column(
            "created_us",
            sa.BigInteger(),
            nullable=False,
            comment="Planned, microseconds since 1970 UTC",
        ),
        sa.Column(
            "done_us",
            sa.BigInteger(),
            nullable=True,
            comment="Sent, dropped or given up, microseconds; NULL: still queued",
        ),
        sa.Column("error", sa.Text(), nullable=False, comment="What the last failed attempt said"),
        sa.ForeignKeyConstraint(
            ["incident_id"],
            ["incidents.id"],
            name=op.f("fk_notifications_incident_id_incidents"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notifications")),
        sa.UniqueConstraint(
            "incident_id",
            "event",
            "channel",
            "address",
            name=op.f("uq_notifications_incident_id_event_channel_address"),
        ),
        sa.UniqueConstraint("message_id", name=op.f("uq_notifications_message_id")),
    )
    op.create_index(
        "ix_notifications_due",
        "notifications",
        ["due_us"],
        unique=False,
        sqlite_where=sa.text("delivery = 'queued'"),
        postgresql_where=sa.text("delivery = 'queued'"),
    )
    op.create_index(
        op.f("ix_notifications_incident_id"), "notifications", ["incident_id"], unique=False
    )
