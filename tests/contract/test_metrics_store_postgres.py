"""What only a server can do to its clients: go away, come back, cut a connection."""

from collections.abc import Iterator

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext

from app.errors import StoreUnavailable
from app.store import schema
from app.store.connect import backend_of
from app.store.open import open_store
from app.store.tables import metadata
from tests.contract.postgres import Server
from tests.contract.worlds import batch_of, everything, exchange


@pytest.fixture
def server() -> Iterator[Server]:
    server = Server()
    try:
        server.start()
        yield server
    finally:
        server.remove()


def test_a_store_survives_a_server_that_goes_and_comes_back(server: Server) -> None:
    url = server.new_url()
    schema.migrate(url)
    first, second = exchange(), exchange()
    store = open_store(url)
    store.append(batch_of([first]))
    server.stop()
    for attempt in (store.newest_us, lambda: store.append(batch_of([second]))):
        with pytest.raises(StoreUnavailable) as caught:
            attempt()
        assert "\n" not in str(caught.value)
    late = open_store(url)
    with pytest.raises(StoreUnavailable):
        late.positions()
    server.start()
    store.append(batch_of([second]))
    assert everything(late) == [first, second]
    store.close()
    late.close()


def test_a_connection_that_was_cut_is_replaced(postgres: Server) -> None:
    url = postgres.new_url()
    schema.migrate(url)
    store = open_store(url)
    store.append(batch_of([exchange()]))
    postgres.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'midspan'"
    )
    store.append(batch_of([exchange()]))
    assert len(everything(store)) == 2
    store.close()


def test_the_head_revision_has_the_tables_of_the_code_in_postgresql(postgres: Server) -> None:
    url = postgres.new_url()
    schema.migrate(url)
    backend = backend_of(url)
    with backend.reading() as connection:
        context = MigrationContext.configure(
            connection, opts={"version_table": schema.VERSION_TABLE, "compare_type": True}
        )
        assert compare_metadata(context, metadata) == []
    backend.engine.dispose()
