"""People log in by mailed link, too, and may belong to single integrations; the audit log ages."""

import sqlalchemy as sa
from alembic import op
from alembic.operations import BatchOperations

revision = "0005_people"
down_revision = "0004_notes"
branch_labels = None
depends_on = None

_ROLES = "role IN ('admin', 'ecosystem', 'partner', 'internal')"
_ROLE_COMMENT = "admin, ecosystem, partner or internal"
#: The audit log gives up no row that is younger: 90 days.
_SEALED_S = 90 * 86_400


def upgrade() -> None:
    memberships = sa.table("memberships", sa.column("user_id"), sa.column("partner_id"))
    kept = [dict(row) for row in op.get_bind().execute(sa.select(memberships)).mappings()]
    op.drop_index("ix_memberships_partner_id", "memberships")
    op.drop_table("memberships")
    op.drop_table("sessions")
    assigned = _assigned()
    # SQLite can only change `users` by making it anew, and takes along what hangs on it.
    _users()
    _tokens()
    _memberships()
    if kept:
        op.bulk_insert(memberships, kept)
    _assign(assigned)
    _sessions()
    _login_links()
    _unseal_old_audit()


_STATES = sa.table("error_group_states", sa.column("group_id"), sa.column("assignee_id"))


def _assigned() -> list[tuple[bytes, int]]:
    statement = sa.select(_STATES).where(_STATES.c.assignee_id.is_not(None))
    return [(row.group_id, row.assignee_id) for row in op.get_bind().execute(statement)]


def _assign(assigned: list[tuple[bytes, int]]) -> None:
    for group_id, assignee_id in assigned:
        states = sa.update(_STATES).where(_STATES.c.group_id == group_id)
        op.execute(states.values(assignee_id=assignee_id))


def _on_sqlite() -> bool:
    return op.get_bind().dialect.name == "sqlite"


def _recheck(table: BatchOperations, name: str, condition: str) -> None:
    """SQLite's new table comes without the checks of the old one."""
    if not _on_sqlite():
        table.drop_constraint(op.f(name), type_="check")
    table.create_check_constraint(op.f(name), condition)


def _users() -> None:
    with op.batch_alter_table("users") as table:
        table.alter_column("role", existing_type=sa.String(20), comment=_ROLE_COMMENT)
        table.alter_column(
            "password_hash",
            existing_type=sa.String(300),
            nullable=True,
            comment="argon2id, in its own encoded form; NULL: has none and logs in without",
        )
        _recheck(table, "ck_users_role", _ROLES)
        _recheck(table, "ck_users_email_is_lower_case", "email = lower(email)")


def _tokens() -> None:
    with op.batch_alter_table("api_tokens") as table:
        table.alter_column("role", existing_type=sa.String(20), comment=_ROLE_COMMENT)
        table.add_column(
            sa.Column(
                "integration_id",
                sa.Integer(),
                nullable=True,
                comment="The one whose data it shows, for role internal",
            )
        )
        table.create_foreign_key(
            op.f("fk_api_tokens_integration_id_integrations"),
            "integrations", ["integration_id"], ["id"],
        )  # fmt: skip
        _recheck(table, "ck_api_tokens_role", _ROLES)
        _recheck(table, "ck_api_tokens_sha256_is_64_hex", "length(sha256) = 64")
        _recheck(
            table,
            "ck_api_tokens_partner_goes_with_role",
            "(role = 'partner') = (partner_id IS NOT NULL)",
        )
        table.create_check_constraint(
            op.f("ck_api_tokens_integration_goes_with_role"),
            "(role = 'internal') = (integration_id IS NOT NULL)",
        )
    op.create_index(op.f("ix_api_tokens_integration_id"), "api_tokens", ["integration_id"])


def _memberships() -> None:
    for table, other, comment in (
        ("memberships", "partner", "Belongs to which partner"),
        ("integration_memberships", "integration", "Builds which integration"),
    ):
        op.create_table(
            table,
            sa.Column("user_id", sa.Integer(), nullable=False, comment="Who"),
            sa.Column(f"{other}_id", sa.Integer(), nullable=False, comment=comment),
            sa.ForeignKeyConstraint(
                ["user_id"], ["users.id"],
                name=op.f(f"fk_{table}_user_id_users"), ondelete="CASCADE",
            ),
            sa.ForeignKeyConstraint(
                [f"{other}_id"], [f"{other}s.id"],
                name=op.f(f"fk_{table}_{other}_id_{other}s"), ondelete="CASCADE",
            ),
            sa.PrimaryKeyConstraint("user_id", f"{other}_id", name=op.f(f"pk_{table}")),
        )  # fmt: skip
        op.create_index(op.f(f"ix_{table}_{other}_id"), table, [f"{other}_id"])


def _time(name: str, comment: str, *, nullable: bool = False) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger(), nullable=nullable, comment=comment)


def _sessions() -> None:
    op.create_table(
        "sessions",
        sa.Column(
            "id_sha256",
            sa.String(64),
            nullable=False,
            comment="SHA-256 of the id in the cookie, lower-case hex",
        ),
        sa.Column("user_id", sa.Integer(), nullable=False, comment="Who is logged in"),
        sa.Column(
            "method", sa.String(20), nullable=False, comment="How they came in: password, link, oidc"
        ),
        sa.Column("address", sa.String(45), nullable=False, comment="Where from: an IP address"),
        sa.Column(
            "agent", sa.String(300), nullable=False, comment="With what: the browser's User-Agent"
        ),
        _time("created_us", "Logged in, microseconds since 1970 UTC"),
        _time("last_seen_us", "Last request, microseconds since 1970 UTC"),
        _time("expires_us", "Ends then at the latest, microseconds since 1970 UTC"),
        _time("revoked_us", "Ended early, microseconds since 1970 UTC; NULL: not", nullable=True),
        sa.CheckConstraint("length(id_sha256) = 64", name=op.f("ck_sessions_id_is_64_hex")),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_sessions_user_id_users"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id_sha256", name=op.f("pk_sessions")),
    )
    op.create_index(op.f("ix_sessions_expires_us"), "sessions", ["expires_us"])
    op.create_index(op.f("ix_sessions_user_id"), "sessions", ["user_id"])


def _login_links() -> None:
    op.create_table(
        "login_links",
        sa.Column(
            "secret_sha256",
            sa.String(64),
            nullable=False,
            comment="SHA-256 of the secret in the mailed address, lower-case hex",
        ),
        sa.Column(
            "browser_sha256",
            sa.String(64),
            nullable=False,
            comment="SHA-256 of the cookie of the browser that asked, lower-case hex",
        ),
        sa.Column("user_id", sa.Integer(), nullable=False, comment="Whom it lets in"),
        _time("created_us", "Asked for, microseconds since 1970 UTC"),
        _time("expires_us", "Worthless from then on, microseconds since 1970 UTC"),
        _time("used_us", "Used, microseconds since 1970 UTC; NULL: not yet", nullable=True),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_login_links_user_id_users"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("secret_sha256", name=op.f("pk_login_links")),
    )
    op.create_index(op.f("ix_login_links_expires_us"), "login_links", ["expires_us"])
    op.create_index(op.f("ix_login_links_user_id"), "login_links", ["user_id"])


def _unseal_old_audit() -> None:
    """Rows may be deleted once they are old; nothing else changes."""
    said = "the audit log takes new rows only"
    if _on_sqlite():
        op.execute("DROP TRIGGER audit_log_no_delete")
        op.execute(
            "CREATE TRIGGER audit_log_no_delete BEFORE DELETE ON audit_log"
            f" WHEN OLD.at_us > (CAST(strftime('%s', 'now') AS INTEGER) - {_SEALED_S}) * 1000000"
            f" BEGIN SELECT RAISE(ABORT, '{said}'); END"
        )
        return
    op.execute("DROP TRIGGER audit_log_is_sealed ON audit_log")
    op.execute(
        "CREATE TRIGGER audit_log_is_sealed BEFORE UPDATE OR TRUNCATE ON audit_log"
        " FOR EACH STATEMENT EXECUTE FUNCTION audit_log_is_sealed()"
    )
    op.execute(
        "CREATE TRIGGER audit_log_keeps_young_rows BEFORE DELETE ON audit_log FOR EACH ROW"
        f" WHEN (OLD.at_us > (extract(epoch FROM now()) - {_SEALED_S}) * 1000000)"
        " EXECUTE FUNCTION audit_log_is_sealed()"
    )
