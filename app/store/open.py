"""Opening a metrics store by its URL."""

from app.errors import MidspanError, StoreUnavailable
from app.store.connect import backend_of
from app.store.port import MetricsStore
from app.store.sql import SqlStore


def open_store(url: str, *, read_only: bool = False) -> MetricsStore:
    """The metrics store at `url`: `sqlite:///path` or `postgresql://host/database`.

    Raises `SettingsError` for a URL of another kind and `SchemaError` for a database that is not
    of this code's schema. One that is away or locked right now is opened all the same: its methods
    raise `StoreUnavailable` until it is back, and the schema is looked at then. `read_only`
    refuses everything that writes.
    """
    store = SqlStore(backend_of(url, read_only=read_only), read_only=read_only)
    try:
        store.check()
    except StoreUnavailable:
        pass
    except MidspanError:
        store.close()
        raise
    return store
