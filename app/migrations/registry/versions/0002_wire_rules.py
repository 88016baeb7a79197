"""Wire rules: queue, ramp, breaker, pause, capture and TLS files of each integration.

Integrations that are there have no row, which means the defaults, until the next import that
changes them.
"""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0002_wire_rules"
down_revision = "0001_registry"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "wire_rules",
        sa.Column("integration_id", sa.Integer(), nullable=False, comment="Whose"),
        sa.Column(
            "queue", sa.Integer(), nullable=False, comment="Requests that may wait for a place"
        ),
        sa.Column(
            "queue_ms",
            sa.Integer(),
            nullable=False,
            comment="Longest wait for a place, milliseconds",
        ),
        *_ramp(),
        *_breaker(),
        sa.Column(
            "paused", sa.Boolean(), nullable=False, comment="Whether nothing is let through"
        ),
        sa.Column(
            "capture",
            sa.Enum(
                "sample",
                "failures",
                "none",
                name="capture",
                native_enum=False,
                create_constraint=True,
                length=20,
            ),
            nullable=False,
            comment="sample, failures or none",
        ),
        *_tls(),
        *_constraints(),
    )


def _ramp() -> list[sa.Column[Any]]:
    return [
        sa.Column(
            "ramp_from",
            sa.Double(),
            nullable=True,
            comment="Requests per second when the ramp begins; NULL: no ramp",
        ),
        sa.Column(
            "ramp_to",
            sa.Double(),
            nullable=True,
            comment="Requests per second when the ramp is over",
        ),
        sa.Column(
            "ramp_over_us",
            sa.BigInteger(),
            nullable=True,
            comment="How long the ramp takes, microseconds",
        ),
        sa.Column(
            "ramp_since_us",
            sa.BigInteger(),
            nullable=True,
            comment="When the file says it began, microseconds; NULL: it does not say",
        ),
        sa.Column(
            "ramp_begun_us",
            sa.BigInteger(),
            nullable=True,
            comment="When it began: as the file says, or first imported, microseconds",
        ),
    ]


def _breaker() -> list[sa.Column[Any]]:
    return [
        sa.Column(
            "breaker_error_ratio",
            sa.Double(),
            nullable=True,
            comment="Share of failures that opens the circuit; NULL: there is no breaker",
        ),
        sa.Column(
            "breaker_minimum",
            sa.Integer(),
            nullable=True,
            comment="Exchanges below which nothing is judged",
        ),
        sa.Column(
            "breaker_window_us",
            sa.BigInteger(),
            nullable=True,
            comment="The rolling time that is judged, microseconds",
        ),
        sa.Column(
            "breaker_open_us",
            sa.BigInteger(),
            nullable=True,
            comment="How long an open circuit lets nothing through, microseconds",
        ),
        sa.Column(
            "breaker_probes",
            sa.Integer(),
            nullable=True,
            comment="Good exchanges in a row that close the circuit",
        ),
    ]


def _tls() -> list[sa.Column[Any]]:
    files = {
        "ca_file": "Authorities to trust, a PEM file; NULL: the system's",
        "client_cert_file": "Certificate to show, a PEM file; NULL: none",
        "client_key_file": "Its key, a PEM file; NULL: it lies with the certificate",
    }
    return [
        sa.Column(name, sa.String(length=1000), nullable=True, comment=comment)
        for name, comment in files.items()
    ]


def _constraints() -> list[sa.Constraint]:
    rules = {
        "queue_positive": "queue >= 0 AND queue_ms > 0",
        "ramp_whole": "(ramp_from IS NULL) = (ramp_to IS NULL) AND (ramp_from IS NULL) = (ramp_over_us IS NULL) AND (ramp_from IS NULL) = (ramp_begun_us IS NULL) AND (ramp_since_us IS NULL OR ramp_from IS NOT NULL)",
        "ramp_rising": "ramp_from > 0 AND ramp_to > ramp_from AND ramp_over_us > 0 AND ramp_begun_us >= 0",
        "breaker_whole": "(breaker_error_ratio IS NULL) = (breaker_minimum IS NULL) AND (breaker_error_ratio IS NULL) = (breaker_window_us IS NULL) AND (breaker_error_ratio IS NULL) = (breaker_open_us IS NULL) AND (breaker_error_ratio IS NULL) = (breaker_probes IS NULL)",
        "breaker_positive": "breaker_error_ratio > 0 AND breaker_error_ratio <= 1 AND breaker_minimum > 0 AND breaker_window_us > 0 AND breaker_open_us > 0 AND breaker_probes > 0",
        "key_has_certificate": "client_key_file IS NULL OR client_cert_file IS NOT NULL",
    }
    return [
        *(sa.CheckConstraint(sql, name=op.f(f"ck_wire_rules_{name}")) for name, sql in rules.items()),
        sa.ForeignKeyConstraint(
            ["integration_id"],
            ["integrations.id"],
            name=op.f("fk_wire_rules_integration_id_integrations"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("integration_id", name=op.f("pk_wire_rules")),
    ]
