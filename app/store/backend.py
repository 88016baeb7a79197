"""What differs between SQLite and PostgreSQL, as one small interface, and the two transactions.

`writing` holds the store's only write lock from its first statement to its commit; `reading` sees
one state of the database throughout. Both translate what drivers raise at this border: a caller
knows `StoreUnavailable` (try again), `StoreRefused` (a defect) and `SchemaError`, nothing else.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, ClassVar

from sqlalchemy import Connection, Engine, Table, exc

from app.errors import MidspanError, StoreUnavailable
from app.store.port import Batch

#: Execution option of a transaction that writes.
WRITING = "midspan_writing"
#: How long a locked or silent database is waited for, unless its URL says otherwise.
PATIENCE_S = 5.0

Row = Sequence[Any]


class Backend(ABC):
    """One database that holds a metrics store."""

    #: SQL that joins the blobs of a group, in any order.
    joined: ClassVar[str]
    #: SQL for membership in the numbers bound as `:ids`.
    among: ClassVar[str]
    #: The driver's own base exceptions, for statements that bypass SQLAlchemy.
    driver_errors: ClassVar[tuple[type[Exception], ...]]

    def __init__(self, engine: Engine, name: str) -> None:
        self.engine = engine
        self.name = name

    @abstractmethod
    def lock(self, connection: Connection) -> None:
        """Wait until this transaction is the only one that writes."""

    @abstractmethod
    def lock_schema(self, connection: Connection) -> None:
        """The same before there are tables."""

    @abstractmethod
    def numbers(self, values: Sequence[int]) -> Any:
        """`values` as the parameter `:ids` of `among`."""

    @abstractmethod
    def prepare(self, batch: Batch) -> Batch:
        """The batch as this database can hold it."""

    @abstractmethod
    def insert(self, connection: Connection, table: Table, rows: Sequence[Row]) -> None:
        """Insert new rows, all columns in the order of `table`, as fast as the driver can."""

    @abstractmethod
    def touched(self, connection: Connection, table: Table, keys: Sequence[int]) -> list[Row]:
        """The rows of a rollup table among `keys` (series << 32 | minute), columns as
        `app.store.sums.COLUMNS`."""

    @abstractmethod
    def put(self, connection: Connection, table: Table, rows: Sequence[Row]) -> None:
        """Insert or replace rows of a rollup table, columns as `app.store.sums.COLUMNS`."""

    @abstractmethod
    def translate(self, error: Exception) -> MidspanError:
        """What a driver's exception means here."""

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """A transaction that is committed when the block ends, or leaves nothing."""
        engine = self.engine.execution_options(**{WRITING: True})
        with self._translated(), engine.begin() as connection:
            self.lock(connection)
            yield connection

    @contextmanager
    def creating(self) -> Iterator[Connection]:
        """A transaction that may change the schema."""
        engine = self.engine.execution_options(**{WRITING: True})
        with self._translated(), engine.begin() as connection:
            self.lock_schema(connection)
            yield connection

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A transaction that sees one state of the database."""
        with self._translated(), self.engine.connect() as connection:
            yield connection

    @contextmanager
    def _translated(self) -> Iterator[None]:
        foreign: tuple[type[Exception], ...] = (exc.DBAPIError, *self.driver_errors)
        try:
            yield
        except exc.TimeoutError as error:
            raise StoreUnavailable(f"{self.name} is busy: no connection is free") from error
        except foreign as error:
            raise self.translate(error) from error


def first_line(error: BaseException) -> str:
    """The first line of what a driver says."""
    cause = getattr(error, "orig", None) or error
    return (str(cause).strip() or type(cause).__name__).splitlines()[0]
