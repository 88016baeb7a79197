"""Findings of three witnesses, where installs failed, and partners' own lists."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0012_witnesses"
down_revision = "0011_deprecated"
branch_labels = None
depends_on = None

_OPEN = "closed_us IS NULL"


def upgrade() -> None:
    _findings()
    _reconciliations()
    _failures()
    _lists()
    op.create_index(
        "ix_installations_integration_id_customer",
        "installations",
        ["integration_id", "customer"],
        unique=False,
    )


def _time(name: str, comment: str, *, nullable: bool = False) -> "sa.Column[Any]":
    return sa.Column(name, sa.BigInteger(), nullable=nullable, comment=comment)


def _text(name: str, length: int, comment: str, *, nullable: bool = False) -> "sa.Column[Any]":
    return sa.Column(name, sa.String(length=length), nullable=nullable, comment=comment)


def _integration(table: str, comment: str) -> tuple[Any, ...]:
    return (
        sa.Column("integration_id", sa.Integer(), nullable=False, comment=comment),
        sa.ForeignKeyConstraint(
            ["integration_id"],
            ["integrations.id"],
            name=op.f(f"fk_{table}_integration_id_integrations"),
            ondelete="CASCADE",
        ),
    )


def _findings() -> None:
    op.create_table(
        "installation_findings",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            nullable=False,
            comment="In the order of finding",
        ),
        *_integration("installation_findings", "Of which integration"),
        _text(
            "installation",
            200,
            "What the platform or the partner calls it; maybe nobody told of it",
        ),
        _text("kind", 40, "Word of app.domain.reconcile"),
        _time("since_us", "It is so since then, microseconds since 1970 UTC"),
        _time("opened_us", "Found first, microseconds since 1970 UTC"),
        _time("seen_us", "Found again last, microseconds since 1970 UTC"),
        _time(
            "closed_us",
            "Found to be over, microseconds since 1970 UTC; NULL: it lasts",
            nullable=True,
        ),
        sa.Column(
            "evidence",
            sa.Text(),
            nullable=False,
            comment="JSON: the numbers it follows from; times are microseconds, named _us",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_installation_findings")),
    )
    op.create_index(
        "uq_installation_findings_open",
        "installation_findings",
        ["integration_id", "kind", "installation"],
        unique=True,
        sqlite_where=sa.text(_OPEN),
        postgresql_where=sa.text(_OPEN),
    )
    op.create_index(
        "ix_installation_findings_integration_id_installation",
        "installation_findings",
        ["integration_id", "installation"],
        unique=False,
    )


def _reconciliations() -> None:
    op.create_table(
        "reconciliations",
        *_integration("reconciliations", "Whose"),
        _time("whole_us", "All installations were compared then, microseconds since 1970 UTC"),
        _time("until_us", "What changed before it is compared, microseconds since 1970 UTC"),
        sa.Column(
            "installations",
            sa.Integer(),
            nullable=False,
            comment="How many were compared the last whole time",
        ),
        _time(
            "told_us",
            "The platform tells of its installs since then; NULL: it never did",
            nullable=True,
        ),
        _time(
            "seen_us",
            "Its traffic names installations since then; NULL: it never did",
            nullable=True,
        ),
        sa.Column(
            "calls",
            sa.Boolean(),
            nullable=False,
            comment="Whether any installation of it calls",
        ),
        sa.PrimaryKeyConstraint("integration_id", name=op.f("pk_reconciliations")),
    )


def _failures() -> None:
    op.create_table(
        "install_failures",
        sa.Column("installation_id", sa.Integer(), nullable=False, comment="Whose install"),
        _text("step", 63, "The step that it was lost at"),
        sa.Column(
            "exchange",
            sa.LargeBinary(length=16),
            nullable=False,
            comment="exchanges.id; may be gone",
        ),
        _time("started_us", "When it crossed, microseconds since 1970 UTC"),
        _text("what", 300, "Its operation, or the topic of the webhook"),
        sa.Column("webhook", sa.Boolean(), nullable=False, comment="Whether it was a webhook"),
        _text("ended", 80, "Its status, or its outcome where there was no answer"),
        _text("fault", 20, "Who has to act, app.domain.words.Fault"),
        sa.ForeignKeyConstraint(
            ["installation_id"],
            ["installations.id"],
            name=op.f("fk_install_failures_installation_id_installations"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("installation_id", name=op.f("pk_install_failures")),
    )


def _lists() -> None:
    op.create_table(
        "partner_lists",
        *_integration("partner_lists", "Of which"),
        _time(
            "taken_us",
            "Taken whole then, microseconds since 1970 UTC; NULL: none yet",
            nullable=True,
        ),
        _time("tried_us", "Posted or pulled last, microseconds since 1970 UTC"),
        _text("failure", 500, "Why the last one was not taken; NULL: it was", nullable=True),
        sa.PrimaryKeyConstraint("integration_id", name=op.f("pk_partner_lists")),
    )
    op.create_table(
        "partner_list_items",
        *_integration("partner_list_items", "Of which"),
        _text("installation", 200, "installations.external_id, as the partner has it"),
        _text("state", 20, "active, suspended or uninstalled, as the partner has it"),
        sa.PrimaryKeyConstraint(
            "integration_id", "installation", name=op.f("pk_partner_list_items")
        ),
    )
