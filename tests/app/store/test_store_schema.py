"""The migrations of the metrics store lead exactly to its tables."""

import sqlite3
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

from app.errors import SchemaError, SettingsError, StoreUnavailable
from app.store import schema
from app.store.activity import of_sums
from app.store.connect import backend_of
from app.store.open import open_store
from app.store.port import Batch, StoredExchange
from app.store.tables import exchanges, metadata
from tests.contract.test_activity_of_stores import EVER, seen


def url_of(path: Path) -> str:
    return f"sqlite:///{path}"


def test_the_head_revision_has_the_tables_of_the_code(tmp_path: Path) -> None:
    url = url_of(tmp_path / "metrics.db")
    schema.migrate(url)
    backend = backend_of(url)
    with backend.reading() as connection:
        context = MigrationContext.configure(
            connection, opts={"version_table": schema.VERSION_TABLE, "compare_type": True}
        )
        assert compare_metadata(context, metadata) == []
    backend.engine.dispose()


def test_the_code_knows_the_newest_migration() -> None:
    scripts = ScriptDirectory.from_config(schema.config())
    assert scripts.get_current_head() == schema.HEAD
    for script in scripts.walk_revisions():
        assert Path(script.path).name.startswith(f"{script.revision}_")


def test_every_column_says_what_it_holds() -> None:
    silent = [
        f"{table.name}.{column.name}"
        for table in metadata.sorted_tables
        for column in table.columns
        if not column.comment
    ]
    assert silent == []


def test_a_stored_exchange_has_the_columns_of_its_table_in_order() -> None:
    renamed = {"integration": "integration_id", "operation": "operation_id"}
    fields = [renamed.get(name, name) for name in StoredExchange._fields]
    assert fields == [column.name for column in exchanges.columns]


def test_the_file_and_its_folder_are_for_their_owner_only(tmp_path: Path) -> None:
    path = tmp_path / "home" / "metrics.db"
    schema.migrate(url_of(path))
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700


def test_a_store_that_is_not_there_is_refused_and_not_made(tmp_path: Path) -> None:
    path = tmp_path / "metrics.db"
    with pytest.raises(SchemaError, match="run python -m app migrate"):
        open_store(url_of(path))
    assert not path.exists()


def test_a_file_of_another_kind_is_named(tmp_path: Path) -> None:
    path = tmp_path / "metrics.db"
    path.write_bytes(b"no database at all, " * 1000)
    store = open_store(url_of(path))
    with pytest.raises(StoreUnavailable, match="not a SQLite database"):
        store.newest_us()
    store.close()


def test_a_migration_that_cannot_write_says_so(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(SettingsError, match="MIDSPAN_HOME"):
        schema.migrate(url_of(tmp_path / "file" / "metrics.db"))


@pytest.mark.parametrize(
    "url",
    ["mysql://host/db", "nonsense", "sqlite://", "sqlite:///:memory:", "sqlite:////x?timeout=soon"],
)
def test_a_url_that_cannot_be_used_is_one_clear_line(url: str, tmp_path: Path) -> None:
    Path("/x").exists()
    with pytest.raises((SettingsError, SchemaError)) as caught:
        open_store(url)
    assert "\n" not in str(caught.value)


def test_times_that_lay_in_the_body_get_their_own_column(tmp_path: Path) -> None:
    url = url_of(tmp_path / "metrics.db")
    schema.migrate(url)
    store = open_store(url)
    store.append(Batch(activity=of_sums([seen(), seen(30), seen(integration="initech")])))
    before = store.activity(EVER).rows()
    store.close()
    with sqlite3.connect(tmp_path / "metrics.db") as database:
        database.execute("UPDATE activity_parts SET body = CAST(body || times AS BLOB)")
        database.execute("ALTER TABLE activity_parts DROP COLUMN times")
        database.execute(f"UPDATE {schema.VERSION_TABLE} SET version_num = '0005'")
    database.close()
    schema.migrate(url)
    store = open_store(url)
    assert store.activity(EVER).rows() == before
    store.close()
