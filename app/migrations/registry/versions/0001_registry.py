"""The registry as it began: partners, integrations, installations, people, tokens, audit."""

import sqlalchemy as sa
from alembic import op

revision = "0001_registry"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    _platform()
    _partners()
    _integrations()
    _integration_lists()
    _installations()
    _people()
    _api_tokens()
    _audit()
    _seal_audit()


def _platform() -> None:
    op.create_table(
        "platform",
        sa.Column("id", sa.Integer(), nullable=False, comment="Always 1"),
        sa.Column("name", sa.String(length=200), nullable=False, comment="Its name, for people"),
        sa.Column(
            "api_base_url",
            sa.String(length=2000),
            nullable=True,
            comment="Where inbound requests go; NULL: there is no inbound traffic",
        ),
        sa.CheckConstraint("id = 1", name=op.f("ck_platform_one_row")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_platform")),
    )
    op.create_table(
        "registry_state",
        sa.Column("id", sa.Integer(), nullable=False, comment="Always 1"),
        sa.Column(
            "revision", sa.BigInteger(), nullable=False, comment="Grows by one with every change"
        ),
        sa.Column(
            "changed_us",
            sa.BigInteger(),
            nullable=False,
            comment="When the revision last grew, microseconds since 1970 UTC",
        ),
        sa.CheckConstraint("id = 1", name=op.f("ck_registry_state_one_row")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_registry_state")),
    )
    op.execute("INSERT INTO registry_state (id, revision, changed_us) VALUES (1, 0, 0)")


def _partners() -> None:
    op.create_table(
        "partners",
        sa.Column("id", sa.Integer(), nullable=False, comment="Internal; never shown"),
        sa.Column(
            "slug",
            sa.String(length=63),
            nullable=False,
            comment="Its name in addresses and files; never reused",
        ),
        sa.Column("name", sa.String(length=200), nullable=False, comment="Its name, for people"),
        sa.Column(
            "created_us",
            sa.BigInteger(),
            nullable=False,
            comment="First imported, microseconds since 1970 UTC",
        ),
        sa.Column(
            "updated_us",
            sa.BigInteger(),
            nullable=False,
            comment="Last changed, microseconds since 1970 UTC",
        ),
        sa.Column(
            "removed_us",
            sa.BigInteger(),
            nullable=True,
            comment="Left the registry file then, microseconds; NULL: it is current",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_partners")),
        sa.UniqueConstraint("slug", name=op.f("uq_partners_slug")),
    )
    op.create_table(
        "partner_contacts",
        sa.Column("partner_id", sa.Integer(), nullable=False, comment="Whose contact"),
        sa.Column(
            "position",
            sa.Integer(),
            autoincrement=False,
            nullable=False,
            comment="Order in the registry file, from 0",
        ),
        sa.Column("email", sa.String(length=254), nullable=False, comment="The address"),
        sa.ForeignKeyConstraint(
            ["partner_id"],
            ["partners.id"],
            name=op.f("fk_partner_contacts_partner_id_partners"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("partner_id", "position", name=op.f("pk_partner_contacts")),
        sa.UniqueConstraint(
            "partner_id", "email", name=op.f("uq_partner_contacts_partner_id_email")
        ),
    )


def _integrations() -> None:
    op.create_table(
        "integrations",
        sa.Column("id", sa.Integer(), nullable=False, comment="Internal; never shown"),
        sa.Column("partner_id", sa.Integer(), nullable=False, comment="Who builds it"),
        sa.Column(
            "slug",
            sa.String(length=63),
            nullable=False,
            comment="Its name in addresses, records and files; never reused",
        ),
        sa.Column("name", sa.String(length=200), nullable=False, comment="Its name, for people"),
        sa.Column(
            "visibility",
            sa.Enum(
                "public",
                "unlisted",
                "internal",
                name="visibility",
                native_enum=False,
                create_constraint=True,
                length=20,
            ),
            nullable=False,
            comment="public, unlisted or internal",
        ),
        sa.Column("category", sa.String(length=63), nullable=True, comment="A word to group by"),
        sa.Column(
            "api_base_url",
            sa.String(length=2000),
            nullable=True,
            comment="Where outbound requests go; NULL: none are sent",
        ),
        sa.Column(
            "webhook_url",
            sa.String(length=2000),
            nullable=True,
            comment="Where webhooks go; NULL: none are sent",
        ),
        sa.Column(
            "allow_private_addresses",
            sa.Boolean(),
            nullable=False,
            comment="Whether the proxy may dial loopback and private addresses for it",
        ),
        sa.Column(
            "connect_ms", sa.Integer(), nullable=False, comment="Longest connect, milliseconds"
        ),
        sa.Column(
            "first_byte_ms",
            sa.Integer(),
            nullable=False,
            comment="Longest wait for the first byte of an answer, milliseconds",
        ),
        sa.Column(
            "idle_ms",
            sa.Integer(),
            nullable=False,
            comment="Longest silence inside a body, milliseconds",
        ),
        sa.Column(
            "total_ms", sa.Integer(), nullable=False, comment="Longest exchange, milliseconds"
        ),
        sa.Column(
            "requests_per_second",
            sa.Double(),
            nullable=True,
            comment="Steady rate allowed; NULL: no limit",
        ),
        sa.Column(
            "burst", sa.Integer(), nullable=True, comment="Requests at once above the steady rate"
        ),
        sa.Column(
            "concurrency",
            sa.Integer(),
            nullable=True,
            comment="Exchanges open at the same time; NULL: no limit",
        ),
        sa.Column("body_bytes", sa.BigInteger(), nullable=False, comment="Largest body, bytes"),
        sa.Column(
            "created_us",
            sa.BigInteger(),
            nullable=False,
            comment="First imported, microseconds since 1970 UTC",
        ),
        sa.Column(
            "updated_us",
            sa.BigInteger(),
            nullable=False,
            comment="Last changed, microseconds since 1970 UTC",
        ),
        sa.Column(
            "removed_us",
            sa.BigInteger(),
            nullable=True,
            comment="Left the registry file then, microseconds; NULL: it is current",
        ),
        sa.CheckConstraint(
            "(requests_per_second IS NULL OR requests_per_second > 0) AND (burst IS NULL OR burst > 0) AND (concurrency IS NULL OR concurrency > 0) AND body_bytes > 0",
            name=op.f("ck_integrations_limits_positive"),
        ),
        sa.CheckConstraint(
            "connect_ms > 0 AND first_byte_ms > 0 AND idle_ms > 0 AND total_ms > 0",
            name=op.f("ck_integrations_timeouts_positive"),
        ),
        sa.ForeignKeyConstraint(
            ["partner_id"], ["partners.id"], name=op.f("fk_integrations_partner_id_partners")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_integrations")),
        sa.UniqueConstraint("slug", name=op.f("uq_integrations_slug")),
    )
    op.create_index(
        op.f("ix_integrations_partner_id"), "integrations", ["partner_id"], unique=False
    )


def _integration_lists() -> None:
    op.create_table(
        "operations",
        sa.Column("integration_id", sa.Integer(), nullable=False, comment="Whose"),
        sa.Column(
            "position",
            sa.Integer(),
            autoincrement=False,
            nullable=False,
            comment="Order of matching, from 0",
        ),
        sa.Column(
            "template",
            sa.String(length=300),
            nullable=False,
            comment="Such as POST /v1/issues/{id}/comments",
        ),
        sa.ForeignKeyConstraint(
            ["integration_id"],
            ["integrations.id"],
            name=op.f("fk_operations_integration_id_integrations"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("integration_id", "position", name=op.f("pk_operations")),
        sa.UniqueConstraint(
            "integration_id", "template", name=op.f("uq_operations_integration_id_template")
        ),
    )
    op.create_table(
        "objectives",
        sa.Column("integration_id", sa.Integer(), nullable=False, comment="Whose"),
        sa.Column(
            "position",
            sa.Integer(),
            autoincrement=False,
            nullable=False,
            comment="Order of showing, from 0",
        ),
        sa.Column(
            "name", sa.String(length=63), nullable=False, comment="Its name within the integration"
        ),
        sa.Column(
            "target",
            sa.Double(),
            nullable=False,
            comment="Least ratio of good to counted exchanges, between 0 and 1",
        ),
        sa.Column(
            "threshold_ms",
            sa.Integer(),
            nullable=True,
            comment="Good means answered within so many milliseconds; NULL: good means not failed",
        ),
        sa.Column(
            "window_us",
            sa.BigInteger(),
            nullable=False,
            comment="The rolling time it is measured over, microseconds",
        ),
        sa.CheckConstraint(
            "target > 0 AND target < 1", name=op.f("ck_objectives_target_is_a_ratio")
        ),
        sa.CheckConstraint(
            "threshold_ms IS NULL OR threshold_ms > 0",
            name=op.f("ck_objectives_threshold_positive"),
        ),
        sa.CheckConstraint("window_us > 0", name=op.f("ck_objectives_window_positive")),
        sa.ForeignKeyConstraint(
            ["integration_id"],
            ["integrations.id"],
            name=op.f("fk_objectives_integration_id_integrations"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("integration_id", "position", name=op.f("pk_objectives")),
        sa.UniqueConstraint(
            "integration_id", "name", name=op.f("uq_objectives_integration_id_name")
        ),
    )
    op.create_table(
        "funnel_steps",
        sa.Column("integration_id", sa.Integer(), nullable=False, comment="Whose"),
        sa.Column(
            "position",
            sa.Integer(),
            autoincrement=False,
            nullable=False,
            comment="Order of the steps, from 0",
        ),
        sa.Column("name", sa.String(length=63), nullable=False, comment="Such as authorized"),
        sa.ForeignKeyConstraint(
            ["integration_id"],
            ["integrations.id"],
            name=op.f("fk_funnel_steps_integration_id_integrations"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("integration_id", "position", name=op.f("pk_funnel_steps")),
        sa.UniqueConstraint(
            "integration_id", "name", name=op.f("uq_funnel_steps_integration_id_name")
        ),
    )
    op.create_table(
        "inbound_tokens",
        sa.Column(
            "sha256",
            sa.String(length=64),
            nullable=False,
            comment="SHA-256 of the token, lower-case hex",
        ),
        sa.Column("integration_id", sa.Integer(), nullable=False, comment="Whose"),
        sa.CheckConstraint("length(sha256) = 64", name=op.f("ck_inbound_tokens_sha256_is_64_hex")),
        sa.ForeignKeyConstraint(
            ["integration_id"],
            ["integrations.id"],
            name=op.f("fk_inbound_tokens_integration_id_integrations"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("sha256", name=op.f("pk_inbound_tokens")),
    )
    op.create_index(
        op.f("ix_inbound_tokens_integration_id"), "inbound_tokens", ["integration_id"], unique=False
    )


def _installations() -> None:
    op.create_table(
        "customers",
        sa.Column("id", sa.Integer(), nullable=False, comment="Internal; never shown"),
        sa.Column(
            "external_id",
            sa.String(length=200),
            nullable=False,
            comment="What the platform calls it",
        ),
        sa.Column("name", sa.String(length=200), nullable=True, comment="Its name, for people"),
        sa.Column(
            "created_us",
            sa.BigInteger(),
            nullable=False,
            comment="First seen, microseconds since 1970 UTC",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_customers")),
        sa.UniqueConstraint("external_id", name=op.f("uq_customers_external_id")),
    )
    op.create_table(
        "installations",
        sa.Column("id", sa.Integer(), nullable=False, comment="Internal; never shown"),
        sa.Column(
            "integration_id", sa.Integer(), nullable=False, comment="Which integration is used"
        ),
        sa.Column(
            "customer_id", sa.Integer(), nullable=True, comment="Who uses it; NULL: not told yet"
        ),
        sa.Column(
            "external_id",
            sa.String(length=200),
            nullable=False,
            comment="What the platform calls it; unique within the integration",
        ),
        sa.Column(
            "state",
            sa.Enum(
                "installing",
                "active",
                "suspended",
                "uninstalled",
                name="state",
                native_enum=False,
                create_constraint=True,
                length=20,
            ),
            nullable=False,
            comment="installing, active, suspended or uninstalled",
        ),
        sa.Column(
            "created_us",
            sa.BigInteger(),
            nullable=False,
            comment="First seen, microseconds since 1970 UTC",
        ),
        sa.Column(
            "updated_us",
            sa.BigInteger(),
            nullable=False,
            comment="State last changed, microseconds since 1970 UTC",
        ),
        sa.ForeignKeyConstraint(
            ["customer_id"], ["customers.id"], name=op.f("fk_installations_customer_id_customers")
        ),
        sa.ForeignKeyConstraint(
            ["integration_id"],
            ["integrations.id"],
            name=op.f("fk_installations_integration_id_integrations"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_installations")),
        sa.UniqueConstraint(
            "integration_id",
            "external_id",
            name=op.f("uq_installations_integration_id_external_id"),
        ),
    )
    op.create_index(
        op.f("ix_installations_customer_id"), "installations", ["customer_id"], unique=False
    )


def _people() -> None:
    op.create_table(
        "users",
        sa.Column("id", sa.Integer(), nullable=False, comment="Internal; never shown"),
        sa.Column(
            "email", sa.String(length=254), nullable=False, comment="The log-in name, in lower case"
        ),
        sa.Column(
            "password_hash",
            sa.String(length=300),
            nullable=False,
            comment="argon2id, in its own encoded form",
        ),
        sa.Column(
            "role",
            sa.Enum(
                "admin",
                "ecosystem",
                "partner",
                name="role",
                native_enum=False,
                create_constraint=True,
                length=20,
            ),
            nullable=False,
            comment="admin, ecosystem or partner",
        ),
        sa.Column(
            "created_us",
            sa.BigInteger(),
            nullable=False,
            comment="Added, microseconds since 1970 UTC",
        ),
        sa.Column(
            "disabled_us",
            sa.BigInteger(),
            nullable=True,
            comment="Cannot log in since, microseconds; NULL: can",
        ),
        sa.CheckConstraint("email = lower(email)", name=op.f("ck_users_email_is_lower_case")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_users")),
        sa.UniqueConstraint("email", name=op.f("uq_users_email")),
    )
    op.create_table(
        "memberships",
        sa.Column("user_id", sa.Integer(), nullable=False, comment="Who"),
        sa.Column("partner_id", sa.Integer(), nullable=False, comment="Belongs to which partner"),
        sa.ForeignKeyConstraint(
            ["partner_id"],
            ["partners.id"],
            name=op.f("fk_memberships_partner_id_partners"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_memberships_user_id_users"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("user_id", "partner_id", name=op.f("pk_memberships")),
    )
    op.create_index(op.f("ix_memberships_partner_id"), "memberships", ["partner_id"], unique=False)
    op.create_table(
        "sessions",
        sa.Column(
            "id_sha256",
            sa.String(length=64),
            nullable=False,
            comment="SHA-256 of the id in the cookie, lower-case hex",
        ),
        sa.Column("user_id", sa.Integer(), nullable=False, comment="Who is logged in"),
        sa.Column(
            "created_us",
            sa.BigInteger(),
            nullable=False,
            comment="Logged in, microseconds since 1970 UTC",
        ),
        sa.Column(
            "last_seen_us",
            sa.BigInteger(),
            nullable=False,
            comment="Last request, microseconds since 1970 UTC",
        ),
        sa.Column(
            "expires_us",
            sa.BigInteger(),
            nullable=False,
            comment="Ends then at the latest, microseconds since 1970 UTC",
        ),
        sa.Column(
            "revoked_us",
            sa.BigInteger(),
            nullable=True,
            comment="Ended early, microseconds since 1970 UTC; NULL: not",
        ),
        sa.CheckConstraint("length(id_sha256) = 64", name=op.f("ck_sessions_id_is_64_hex")),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_sessions_user_id_users"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id_sha256", name=op.f("pk_sessions")),
    )
    op.create_index(op.f("ix_sessions_expires_us"), "sessions", ["expires_us"], unique=False)
    op.create_index(op.f("ix_sessions_user_id"), "sessions", ["user_id"], unique=False)


def _api_tokens() -> None:
    op.create_table(
        "api_tokens",
        sa.Column("id", sa.Integer(), nullable=False, comment="Internal; never shown"),
        sa.Column("name", sa.String(length=200), nullable=False, comment="What it is for"),
        sa.Column(
            "sha256",
            sa.String(length=64),
            nullable=False,
            comment="SHA-256 of the token, lower-case hex",
        ),
        sa.Column(
            "role",
            sa.Enum(
                "admin",
                "ecosystem",
                "partner",
                name="role",
                native_enum=False,
                create_constraint=True,
                length=20,
            ),
            nullable=False,
            comment="admin, ecosystem or partner",
        ),
        sa.Column(
            "partner_id",
            sa.Integer(),
            nullable=True,
            comment="Whose data it shows, for role partner",
        ),
        sa.Column(
            "created_us",
            sa.BigInteger(),
            nullable=False,
            comment="Added, microseconds since 1970 UTC",
        ),
        sa.Column(
            "last_used_us",
            sa.BigInteger(),
            nullable=True,
            comment="Last shown, to the minute or so, microseconds since 1970 UTC",
        ),
        sa.Column(
            "revoked_us",
            sa.BigInteger(),
            nullable=True,
            comment="Worthless since, microseconds since 1970 UTC; NULL: valid",
        ),
        sa.CheckConstraint(
            "(role = 'partner') = (partner_id IS NOT NULL)",
            name=op.f("ck_api_tokens_partner_goes_with_role"),
        ),
        sa.CheckConstraint("length(sha256) = 64", name=op.f("ck_api_tokens_sha256_is_64_hex")),
        sa.ForeignKeyConstraint(
            ["partner_id"], ["partners.id"], name=op.f("fk_api_tokens_partner_id_partners")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_api_tokens")),
        sa.UniqueConstraint("sha256", name=op.f("uq_api_tokens_sha256")),
    )
    op.create_index(op.f("ix_api_tokens_partner_id"), "api_tokens", ["partner_id"], unique=False)
    op.create_index(
        "uq_api_tokens_name_in_use",
        "api_tokens",
        ["name"],
        unique=True,
        sqlite_where=sa.text("revoked_us IS NULL"),
        postgresql_where=sa.text("revoked_us IS NULL"),
    )


def _audit() -> None:
    op.create_table(
        "audit_log",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            nullable=False,
            comment="Order of writing",
        ),
        sa.Column(
            "at_us", sa.BigInteger(), nullable=False, comment="When, microseconds since 1970 UTC"
        ),
        sa.Column(
            "actor",
            sa.String(length=300),
            nullable=False,
            comment="Who: cli:<system user>, user:<email>, token:<name>",
        ),
        sa.Column(
            "action",
            sa.String(length=63),
            nullable=False,
            comment="What was done: integration.changed",
        ),
        sa.Column(
            "subject",
            sa.String(length=300),
            nullable=False,
            comment="To what: a slug, an address, a name",
        ),
        sa.Column("detail", sa.Text(), nullable=False, comment="What of it; never a secret"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_log")),
    )
    op.create_index(op.f("ix_audit_log_at_us"), "audit_log", ["at_us"], unique=False)


def _seal_audit() -> None:
    """The audit log takes new rows only."""
    if op.get_bind().dialect.name == "sqlite":
        for change in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER audit_log_no_{change.lower()} BEFORE {change} ON audit_log"
                " BEGIN SELECT RAISE(ABORT, 'the audit log takes new rows only'); END"
            )
        return
    op.execute(
        "CREATE FUNCTION audit_log_is_sealed() RETURNS trigger LANGUAGE plpgsql AS"
        " $$ BEGIN RAISE EXCEPTION 'the audit log takes new rows only'; END $$"
    )
    op.execute(
        "CREATE TRIGGER audit_log_is_sealed BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_log"
        " FOR EACH STATEMENT EXECUTE FUNCTION audit_log_is_sealed()"
    )
