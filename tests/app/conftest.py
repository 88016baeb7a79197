"""Fixtures of the registry: a test that takes `registry_url` or `engine` runs on both databases."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine, make_url

from app.db import registry_engine
from app.migrations import migrate_registry
from tests.contract.postgres import Server


class SqliteRegistries:
    """New registries, each a copy of one that was migrated."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._count = 0
        self._template = folder / "template.db"
        migrate_registry(f"sqlite:///{self._template}")

    def empty_url(self) -> str:
        self._count += 1
        return f"sqlite:///{self._folder}/{self._count}.db"

    def new_url(self) -> str:
        url = self.empty_url()
        Path(url.removeprefix("sqlite:///")).write_bytes(self._template.read_bytes())
        return url

    def drop(self, url: str) -> None:
        """Nothing: a file of this size is in nobody's way."""


class PostgresRegistries:
    def __init__(self, server: Server) -> None:
        self._server = server
        self._template = server.new_url()
        migrate_registry(self._template)

    def empty_url(self) -> str:
        return self._server.new_url()

    def new_url(self) -> str:
        return self._server.new_url(make_url(self._template).database or "")

    def drop(self, url: str) -> None:
        self._server.drop(url)


@pytest.fixture(scope="session")
def registry_server() -> Iterator[Server]:
    server = Server()
    try:
        server.start()
        yield server
    finally:
        server.remove()


@pytest.fixture(scope="session")
def sqlite_registries(tmp_path_factory: pytest.TempPathFactory) -> SqliteRegistries:
    return SqliteRegistries(tmp_path_factory.mktemp("registry"))


@pytest.fixture(scope="session")
def postgres_registries(registry_server: Server) -> PostgresRegistries:
    return PostgresRegistries(registry_server)


@pytest.fixture(params=["sqlite", "postgresql"])
def registries(request: pytest.FixtureRequest) -> SqliteRegistries | PostgresRegistries:
    kind = "sqlite" if request.param == "sqlite" else "postgres"
    return request.getfixturevalue(f"{kind}_registries")


@pytest.fixture
def registry_url(registries: SqliteRegistries | PostgresRegistries) -> Iterator[str]:
    """A migrated registry without rows."""
    url = registries.new_url()
    yield url
    registries.drop(url)


@pytest.fixture
def engine(registry_url: str) -> Iterator[Engine]:
    made = registry_engine(registry_url)
    yield made
    made.dispose()


@pytest.fixture
def sqlite_url(sqlite_registries: SqliteRegistries) -> str:
    return sqlite_registries.new_url()
