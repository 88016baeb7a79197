"""Run by Alembic: migrates the connection `app.store.schema` hands over, in its transaction."""

from alembic import context
from sqlalchemy import Connection

from app.store.tables import metadata


def run(connection: Connection, version_table: str) -> None:
    """Upgrade within the transaction that is open on `connection`."""
    context.configure(
        connection=connection,
        target_metadata=metadata,
        version_table=version_table,
        render_as_batch=connection.dialect.name == "sqlite",
        transactional_ddl=True,
    )
    context.run_migrations()


run(**context.config.attributes)
