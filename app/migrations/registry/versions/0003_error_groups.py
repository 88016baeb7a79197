"""What people decided about error groups."""

import sqlalchemy as sa
from alembic import op

revision = "0003_error_groups"
down_revision = "0002_wire_rules"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "error_group_states",
        sa.Column(
            "group_id",
            sa.BigInteger(),
            autoincrement=False,
            nullable=False,
            comment="error_group.group_id",
        ),
        sa.Column(
            "integration",
            sa.String(length=63),
            nullable=False,
            comment="Slug of the integration; numbers follow slugs",
        ),
        sa.Column(
            "handling",
            sa.Enum(
                "unresolved",
                "resolved",
                "ignored",
                name="handling",
                native_enum=False,
                create_constraint=True,
                length=20,
            ),
            nullable=False,
            comment="unresolved, resolved or ignored",
        ),
        sa.Column(
            "decided_us",
            sa.BigInteger(),
            nullable=False,
            comment="When that was decided, microseconds since 1970 UTC",
        ),
        sa.Column(
            "decided_by",
            sa.String(length=300),
            nullable=False,
            comment="Who decided it: user:<email>, token:<name>",
        ),
        sa.Column(
            "exchanges",
            sa.BigInteger(),
            nullable=False,
            comment="Exchanges of the group until then",
        ),
        sa.Column(
            "until_us",
            sa.BigInteger(),
            nullable=True,
            comment="Ignored until then, microseconds since 1970 UTC; NULL: no time",
        ),
        sa.Column(
            "more",
            sa.BigInteger(),
            nullable=True,
            comment="Ignored until so many more exchanges; NULL: no number",
        ),
        sa.Column("assignee_id", sa.Integer(), nullable=True, comment="Whose it is to mend"),
        sa.Column(
            "version", sa.Integer(), nullable=False, comment="Grows by one with every change"
        ),
        sa.CheckConstraint(
            "more IS NULL OR more > 0", name=op.f("ck_error_group_states_more_positive")
        ),
        sa.CheckConstraint(
            "handling = 'ignored' OR (until_us IS NULL AND more IS NULL)",
            name=op.f("ck_error_group_states_only_ignored_ends"),
        ),
        sa.ForeignKeyConstraint(
            ["assignee_id"],
            ["users.id"],
            name=op.f("fk_error_group_states_assignee_id_users"),
            ondelete="SET NULL",
        ),
        sa.PrimaryKeyConstraint("group_id", name=op.f("pk_error_group_states")),
    )
    for column in ("assignee_id", "integration"):
        op.create_index(
            op.f(f"ix_error_group_states_{column}"), "error_group_states", [column], unique=False
        )
