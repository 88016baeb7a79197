"""Creating, upgrading and judging the registry's schema, on both databases."""

import re
import stat
import threading
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, inspect, select, text
from sqlalchemy.exc import IntegrityError

from app import db, migrations
from app.commands import routing
from app.domain.route import Breaker, Limits
from app.errors import MidspanError, SchemaError, SettingsError
from app.models import ApiToken, Base, Integration, Partner, RegistryState, RevenueStep, User
from app.settings import Settings, load

HEAD = migrations.registry_head()


def of(home: Path, **given: str) -> Settings:
    return load({"MIDSPAN_HOME": str(home), **given}, Path("/nonexistent.env"))


def stamp(url: str, revision: str) -> None:
    engine = db.registry_engine(url)
    with engine.begin() as connection:
        connection.execute(text(f"UPDATE registry_schema SET version_num = '{revision}'"))
    engine.dispose()


def test_the_newest_migration_makes_the_models(engine: Engine) -> None:
    options = {
        "version_table": migrations.REGISTRY_VERSION_TABLE,
        "compare_type": True,
        "compare_server_default": True,
    }
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts=options)
        assert compare_metadata(context, Base.metadata) == []


def test_migrations_are_numbered_without_gaps() -> None:
    names = sorted(path.name for path in migrations.REGISTRY_SCRIPTS.glob("versions/*.py"))
    assert [int(name[:4]) for name in names] == list(range(1, len(names) + 1))
    assert all(re.fullmatch(r"\d{4}_[a-z_]+\.py", name) for name in names)
    scripts = ScriptDirectory(str(migrations.REGISTRY_SCRIPTS))
    assert {script.revision for script in scripts.walk_revisions()} == migrations._revisions()
    assert scripts.get_current_head() == migrations.registry_head() == Path(names[-1]).stem


def test_a_new_registry_has_revision_0_and_passes_the_check(engine: Engine) -> None:
    migrations.check_schema(engine)
    with db.reading(engine) as session:
        assert session.get_one(RegistryState, 1).revision == 0


def test_migrating_again_changes_nothing(registries) -> None:
    url = registries.empty_url()
    assert migrations.migrate_registry(url) == f"created ({HEAD})"
    assert migrations.migrate_registry(url) == f"up to date ({HEAD})"


def test_an_integration_from_before_the_wire_rules_has_their_defaults(
    registries, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = registries.empty_url()
    with monkeypatch.context() as patch:
        patch.setattr(migrations, "registry_head", lambda: "0001_registry")
        patch.setattr(command, "upgrade", partial(upgrade_to, command.upgrade, "0001_registry"))
        assert migrations.migrate_registry(url) == "created (0001_registry)"
    engine = db.registry_engine(url)
    with db.transaction(engine) as session:
        session.add(Partner(id=1, slug="globex", name="G", created_us=1, updated_us=1))
        session.flush()
        session.add(Integration(
            partner_id=1, slug="issues", name="I", visibility="public", connect_ms=1, total_ms=1,
            first_byte_ms=1, idle_ms=1, body_bytes=1, allow_private_addresses=False, created_us=1,
            updated_us=1,
        ))  # fmt: skip
    assert migrations.migrate_registry(url) == f"upgraded from 0001_registry to {HEAD}"
    with db.reading(engine) as session:
        (route,) = routing.build_table(session).routes
    assert (route.limits.queue, route.breaker, route.paused) == (Limits().queue, Breaker(), False)
    engine.dispose()


def upgrade_to(upgrade: Callable[..., None], revision: str, config: Config, _head: str) -> None:
    upgrade(config, revision)


def test_migrating_twice_at_once_creates_once(registries) -> None:
    url = registries.empty_url()
    done: list[str] = []
    threads = [
        threading.Thread(target=lambda: done.append(migrations.migrate_registry(url)))
        for _ in range(3)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(done) == [f"created ({HEAD})", *[f"up to date ({HEAD})"] * 2]


def test_a_migration_that_fails_leaves_nothing_behind(registries) -> None:
    url = registries.empty_url()
    path = db.sqlite_path(url)
    if path:
        path.touch()
    engine = db.registry_engine(url)
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE audit_log (id INTEGER)"))
    with pytest.raises(Exception, match="already exists"):
        migrations.migrate_registry(url)
    assert inspect(engine).get_table_names() == ["audit_log"]
    engine.dispose()


def test_a_newer_registry_is_named_with_what_this_code_knows(registry_url: str) -> None:
    stamp(registry_url, "9042_later")
    engine = db.registry_engine(registry_url)
    for judge in (
        lambda: migrations.check_schema(engine),
        lambda: migrations.migrate_registry(registry_url),
    ):
        with pytest.raises(SchemaError) as caught:
            judge()
        assert f"9042_later, newer than this code, which knows {HEAD}" in str(caught.value)
    engine.dispose()


def test_an_older_registry_asks_for_a_migration(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(migrations, "registry_head", lambda: "9002_next")
    with pytest.raises(SchemaError, match=f"{HEAD}, this code needs 9002_next: run python"):
        migrations.check_schema(engine)


def test_a_registry_without_tables_asks_for_a_migration(registries) -> None:
    url = registries.empty_url()
    path = db.sqlite_path(url)
    if path:
        path.touch()
    engine = db.registry_engine(url)
    with pytest.raises(SchemaError, match="no tables yet: run python -m app migrate"):
        migrations.check_schema(engine)
    engine.dispose()


def test_the_home_and_the_databases_are_private(tmp_path: Path) -> None:
    settings = of(tmp_path / "deep" / "home")
    assert migrations.migrate(settings)[0] == f"registry: created ({HEAD})"
    assert stat.S_IMODE(settings.home.stat().st_mode) == 0o700
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in settings.home.glob("*.db")}
    assert modes == {"registry.db": 0o600, "metrics.db": 0o600}


def test_both_databases_may_be_one(postgres_registries) -> None:
    url = postgres_registries.empty_url()
    settings = of(Path("/tmp"), MIDSPAN_REGISTRY_URL=url, MIDSPAN_METRICS_URL=url)
    migrations.migrate(settings)
    migrations.migrate(settings)
    engine = db.registry_engine(url)
    migrations.check_schema(engine)
    assert {"partners", "registry_schema", "metrics_schema"} <= set(
        inspect(engine).get_table_names()
    )
    engine.dispose()


def test_a_home_that_cannot_be_made_says_what_to_set(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(SettingsError, match="set MIDSPAN_HOME to a folder that can be written"):
        migrations.migrate(of(tmp_path / "file" / "home"))


def test_an_absent_registry_is_made_for_a_writer_and_refused_to_a_reader(tmp_path: Path) -> None:
    settings = of(tmp_path / "home")
    with pytest.raises(SchemaError, match=r"there is no registry at .*: run python -m app migrate"):
        migrations.open_registry(settings)
    assert not settings.home.exists()
    migrations.open_or_create_registry(settings).dispose()
    migrations.open_registry(settings).dispose()
    assert (settings.home / "metrics.db").exists()


def test_a_registry_that_exists_is_never_upgraded_without_being_asked(
    sqlite_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(migrations, "registry_head", lambda: "9002_next")
    settings = of(tmp_path, MIDSPAN_REGISTRY_URL=sqlite_url)
    with pytest.raises(MidspanError, match="run python -m app migrate"):
        migrations.open_or_create_registry(settings)


def test_people_and_their_partners_outlive_the_change_of_their_tables(registries) -> None:
    engine = migrated(registries, "0001_registry", BEFORE_PEOPLE)
    with db.reading(engine) as session:
        user = session.scalars(select(User)).one()
        assert (user.email, user.password_hash, user.role) == ("a@b.example", "$h", "partner")
        assert [partner.slug for partner in user.partners] == ["globex"]
        assert session.scalars(select(ApiToken.name)).all() == ["ci"]
    with pytest.raises(IntegrityError), db.transaction(engine) as session:
        session.execute(text("UPDATE users SET role = 'owner'"))
    with pytest.raises(IntegrityError), db.transaction(engine) as session:
        session.execute(text("UPDATE api_tokens SET role = 'internal'"))
    engine.dispose()


def test_who_paid_in_several_currencies_before_is_marked(registries) -> None:
    steps = [
        "INSERT INTO revenue_steps (integration_id, account, currency, day, until_day,"
        " before_minor, after_minor, kind, active, cycle, anchor_day) VALUES"
        f" (5, '{account}', '{currency}', {day}, 99, 0, 1, 'new', true, 0, 0)"
        for account, currency, day in BEFORE_MARKS
    ]
    engine = migrated(registries, "0015_partner_rules", [BEFORE_PEOPLE[0], AN_INTEGRATION, *steps])
    with db.reading(engine) as session:
        marked = session.scalars(select(RevenueStep.account).where(RevenueStep.mixed)).all()
    assert marked == ["c:both", "c:both"]
    engine.dispose()


def migrated(registries, revision: str, statements: Iterable[str]) -> Engine:
    """A registry of that revision in which these rows stood, brought up to date since."""
    url = registries.empty_url()
    path = db.sqlite_path(url)
    if path:
        path.touch()
    engine = db.registry_engine(url)
    with engine.begin() as connection:
        command.upgrade(migrations._config(connection), revision)
        for statement in statements:
            connection.execute(text(statement))
    migrations.migrate_registry(url)
    return engine


AN_INTEGRATION = (
    "INSERT INTO integrations (id, partner_id, slug, name, visibility, connect_ms, idle_ms,"
    " total_ms, first_byte_ms, body_bytes, allow_private_addresses, created_us, updated_us)"
    " VALUES (5, 7, 'issues', 'I', 'public', 1, 1, 1, 1, 1, false, 1, 1)"
)
BEFORE_MARKS = (
    ("c:both", "USD", 1), ("c:both", "EUR", 2), ("c:one", "USD", 1), ("c:one", "USD", 2),
    ("c:free", "", 1), ("c:free", "USD", 2),
)  # fmt: skip


BEFORE_PEOPLE = (
    "INSERT INTO partners (id, slug, name, created_us, updated_us) VALUES (7, 'globex', 'G', 1, 1)",
    "INSERT INTO users (id, email, password_hash, role, created_us)"
    " VALUES (3, 'a@b.example', '$h', 'partner', 1)",
    "INSERT INTO memberships (user_id, partner_id) VALUES (3, 7)",
    f"INSERT INTO sessions (id_sha256, user_id, created_us, last_seen_us, expires_us)"
    f" VALUES ('{'a' * 64}', 3, 1, 1, 1)",
    f"INSERT INTO api_tokens (name, sha256, role, partner_id, created_us)"
    f" VALUES ('ci', '{'b' * 64}', 'partner', 7, 1)",
)
