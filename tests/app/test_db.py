"""Engines and transactions of the registry, on both databases."""

import sqlite3
import threading
from pathlib import Path

import pytest
from sqlalchemy import Engine, select, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from app import db
from app.errors import RegistryUnavailable, SchemaError, SettingsError
from app.models import Membership, Partner, Platform


def named(slug: str) -> Partner:
    return Partner(slug=slug, name=slug, created_us=1, updated_us=1)


def names(engine: Engine) -> list[str]:
    with db.reading(engine) as session:
        return list(session.scalars(select(Partner.slug).order_by(Partner.slug)))


def lose(session: Session) -> None:
    session.add(named("lost"))
    session.flush()
    raise ZeroDivisionError


def test_a_transaction_commits_whole_or_not_at_all(engine: Engine) -> None:
    with db.transaction(engine) as session:
        session.add(named("kept"))
    with pytest.raises(ZeroDivisionError), db.transaction(engine) as session:
        lose(session)
    assert names(engine) == ["kept"]


def test_a_reading_session_cannot_write(engine: Engine) -> None:
    with (
        pytest.raises(Exception, match=r"read-only|cannot be written"),
        db.reading(engine) as session,
    ):
        session.execute(text("INSERT INTO platform (id, name) VALUES (1, 'x')"))
    with db.transaction(engine) as session:
        session.add(Platform(name="x"))


def test_a_reading_session_sees_one_state_to_its_end(engine: Engine) -> None:
    with db.reading(engine) as session:
        before = session.scalars(select(Partner)).all()
        with db.transaction(engine) as other:
            other.add(named("new"))
        assert session.scalars(select(Partner)).all() == before == []
    assert names(engine) == ["new"]


def test_writers_that_read_first_take_turns_instead_of_failing(sqlite_url: str) -> None:
    engine = db.registry_engine(sqlite_url)
    failures: list[Exception] = []

    def write(prefix: str) -> None:
        try:
            for number in range(20):
                with db.transaction(engine) as session:
                    session.scalars(select(Partner)).all()
                    session.add(named(f"{prefix}{number}"))
        except Exception as error:
            failures.append(error)

    threads = [threading.Thread(target=write, args=(prefix,)) for prefix in "abc"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert len(names(engine)) == 60
    engine.dispose()


def test_foreign_keys_hold(engine: Engine) -> None:
    with pytest.raises(IntegrityError), db.transaction(engine) as session:
        session.add(Membership(user_id=7, partner_id=7))


def test_missing_tables_ask_for_a_migration(registries) -> None:
    url = registries.empty_url()
    path = db.sqlite_path(url)
    if path:
        path.touch()
    engine = db.registry_engine(url)
    with pytest.raises(SchemaError, match="run python -m app migrate"):
        names(engine)
    engine.dispose()


def test_a_locked_sqlite_file_is_unavailable_and_says_so(
    sqlite_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(db, "_PRAGMAS", ("PRAGMA busy_timeout = 50", *db._PRAGMAS[1:]))
    holder = sqlite3.connect(sqlite_url.removeprefix("sqlite:///"), isolation_level=None)
    engine = db.registry_engine(sqlite_url)
    assert names(engine) == []
    holder.execute("BEGIN IMMEDIATE")
    with (
        pytest.raises(RegistryUnavailable, match="is locked by another process: try again"),
        db.transaction(engine) as session,
    ):
        session.scalars(select(Partner)).all()
    assert names(engine) == []
    holder.execute("ROLLBACK")
    with db.transaction(engine) as session:
        session.add(named("after"))
    holder.close()
    engine.dispose()


def test_an_engine_never_creates_a_database(tmp_path: Path) -> None:
    engine = db.registry_engine(f"sqlite:///{tmp_path}/none.db")
    with pytest.raises(RegistryUnavailable, match="run python -m app migrate"):
        names(engine)
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_is_no_database_is_named(tmp_path: Path) -> None:
    path = tmp_path / "registry.db"
    path.write_bytes(b"not a database at all, " * 100)
    engine = db.registry_engine(f"sqlite:///{path}")
    with pytest.raises(RegistryUnavailable, match=f"{path} is not a SQLite database"):
        names(engine)


def test_a_server_that_is_away_is_unavailable_and_its_password_is_not_told(tmp_path: Path) -> None:
    engine = db.registry_engine(f"postgresql://me:hunter22@/x?host={tmp_path}")
    with pytest.raises(RegistryUnavailable) as caught:
        names(engine)
    assert "is away" in str(caught.value)
    assert "hunter22" not in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "url",
    ["nonsense", "sqlite://", "sqlite:///:memory:", "mysql://x/y", "postgresql+nothing://x/y",
     "postgresql://x:port/y"],
)  # fmt: skip
def test_a_url_that_cannot_be_used_is_a_settings_error(url: str) -> None:
    with pytest.raises(SettingsError):
        db.registry_engine(url)


@pytest.mark.parametrize("folder", ["plain", "with space", "quest?ion", "per%20cent", "ha#sh"])
def test_odd_characters_in_a_path_reach_the_file_they_name(folder: str, tmp_path: Path) -> None:
    from app.migrations import migrate_registry
    from app.settings import load

    settings = load({"MIDSPAN_HOME": str(tmp_path / folder)}, tmp_path / "none.env")
    migrate_registry(settings.registry_url)
    assert (tmp_path / folder / "registry.db").exists()
    engine = db.registry_engine(settings.registry_url)
    assert names(engine) == []
    engine.dispose()
