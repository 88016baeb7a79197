"""Both metrics stores behind one fixture: a test that takes `database` runs on each."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import make_url

from app.store import schema
from app.store.open import open_store
from app.store.port import MetricsStore
from tests.contract.postgres import Server


@pytest.fixture(scope="session")
def postgres() -> Iterator[Server]:
    server = Server()
    try:
        server.start()
        yield server
    finally:
        server.remove()


class Database:
    """One kind of database: hands out new stores, and can stand in their way."""

    def __init__(self) -> None:
        self._open: list[MetricsStore] = []

    def new_url(self) -> str:
        """A database that holds a store without rows."""
        raise NotImplementedError

    def empty_url(self) -> str:
        """A database that holds nothing."""
        raise NotImplementedError

    def drop(self, url: str) -> None:
        """The database is needed no more."""

    def execute(self, url: str, statement: str) -> None:
        raise NotImplementedError

    @contextmanager
    def locked(self, url: str) -> Iterator[None]:
        """Another process holds the write lock."""
        raise NotImplementedError
        yield

    def open(self, url: str, **options: bool) -> MetricsStore:
        store = open_store(url, **options)
        self._open.append(store)
        return store

    def close(self) -> None:
        while self._open:
            self._open.pop().close()


class SqliteDatabase(Database):
    def __init__(self, folder: Path) -> None:
        super().__init__()
        self._folder = folder
        self._count = 0
        self._template = folder / "template.db"
        schema.migrate(f"sqlite:///{self._template}")

    def new_url(self) -> str:
        url = self.empty_url()
        Path(_path(url)).write_bytes(self._template.read_bytes())
        return url

    def empty_url(self) -> str:
        self._count += 1
        return f"sqlite:///{self._folder}/{self._count}.db"

    def execute(self, url: str, statement: str) -> None:
        connection = sqlite3.connect(_path(url))
        connection.execute(statement)
        connection.commit()
        connection.close()

    @contextmanager
    def locked(self, url: str) -> Iterator[None]:
        connection = sqlite3.connect(_path(url), isolation_level=None)
        connection.execute("BEGIN IMMEDIATE")
        yield
        connection.close()


class PostgresDatabase(Database):
    def __init__(self, server: Server) -> None:
        super().__init__()
        self._server = server
        self._template = server.new_url()
        schema.migrate(self._template)

    def new_url(self) -> str:
        return self._server.new_url(make_url(self._template).database or "")

    def empty_url(self) -> str:
        return self._server.new_url()

    def drop(self, url: str) -> None:
        self._server.drop(url)

    def execute(self, url: str, statement: str) -> None:
        with psycopg.connect(url) as connection:
            connection.execute(statement)

    @contextmanager
    def locked(self, url: str) -> Iterator[None]:
        with psycopg.connect(url) as connection:
            connection.execute("SELECT id FROM metrics_state FOR UPDATE")
            yield


def _path(url: str) -> str:
    return url.removeprefix("sqlite:///")


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def database(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Database]:
    if request.param == "sqlite":
        made: Database = SqliteDatabase(tmp_path_factory.mktemp("metrics"))
    else:
        made = PostgresDatabase(request.getfixturevalue("postgres"))
    yield made
    made.close()


@pytest.fixture
def url(database: Database) -> Iterator[str]:
    made = database.new_url()
    yield made
    database.close()
    database.drop(made)


@pytest.fixture
def store(database: Database, url: str) -> Iterator[MetricsStore]:
    yield database.open(url)
    database.close()
