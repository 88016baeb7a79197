"""The loader process: one per home, from start to SIGTERM."""

import contextvars
import fcntl
import gc
import os
import secrets
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from app import logs
from app.errors import MidspanError, SettingsError, StoreUnavailable
from app.settings import Settings, secret_key
from app.store.open import open_store
from app.store.port import MetricsStore, Retention
from collectors.lifecycle.follow import Follower
from collectors.lists.pull import AT_ONCE, Limits, Puller
from collectors.loader.batch import Preparer
from collectors.loader.load import Loader, Outage
from collectors.loader.routing import Publisher, RoutesFile
from collectors.loader.status import Status
from collectors.loader.tail import Tail
from collectors.loader.upkeep import Upkeep

_STATUS_S = 1.0
_PUBLISH_S = 0.5
_UPKEEP_S = 5.0
_LIFECYCLE_S = 2.0
_LISTS_S = 20.0
_COLLECT_S = 10.0
_START_AGAIN_S = 1.0
#: How long the end waits for its helpers; what they are doing then is rolled back.
_GOODBYE_S = 3.0


def main(settings: Settings) -> None:
    """Load until SIGTERM or SIGINT. Raises `MidspanError` for what only a person can mend:
    another loader at work, a home that cannot be written, a store of another schema."""
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    with _only_loader(settings.home):
        store = open_store(settings.metrics_url)
        try:
            _run(settings, store, stop)
        finally:
            store.close()


def _run(settings: Settings, store: MetricsStore, stop: threading.Event) -> None:
    log = logs.get("loader")
    status = Status(os.getpid(), _now_us())
    tail = Tail(settings.journal_dir, _instance(settings.journal_dir))
    threads = _helpers(settings, store, status, tail, stop)
    log.info("loader_started", home=str(settings.home))
    try:
        loader = _loader(settings, store, status, tail, stop)
        collect = _rare_collections()
        while loader is not None and not stop.wait(loader.turn()):
            collect()
    finally:
        stop.set()
        until_s = time.monotonic() + _GOODBYE_S
        for thread in threads:
            thread.join(max(until_s - time.monotonic(), 0.0))
    with suppress(OSError):  # a full disk is no reason to end badly
        _write_status(settings.home, status, tail)
    log.info("loader_stopped", exchanges=status.exchanges)


def _helpers(
    settings: Settings, store: MetricsStore, status: Status, tail: Tail, stop: threading.Event
) -> list[threading.Thread]:
    """What goes on beside loading, each in a thread, so that a slow registry delays nothing."""
    retention = Retention(settings.exchange_retention_us, settings.capture_retention_us)
    upkeep = Upkeep(store, retention, status, stop.wait)

    def count(why: str) -> None:
        status.failures.update([why])

    follower = Follower(store, settings.registry_url, count)
    puller = Puller(settings.registry_url, Limits.of(settings), count, _now_us)
    publisher = Publisher(settings.registry_url, settings.routes_path, status)
    return [
        _every(_STATUS_S, lambda: _write_status(settings.home, status, tail), stop, "status"),
        _every(_PUBLISH_S, publisher.publish, stop, "publisher"),
        _every(_UPKEEP_S, lambda: upkeep.run(_now_us()), stop, "upkeep"),
        _every(_LIFECYCLE_S, lambda: follower.turn(_now_us()), stop, "lifecycle"),
        *(_every(_LISTS_S, puller.turn, stop, "lists") for _ in range(AT_ONCE)),
    ]


def _write_status(home: Path, status: Status, tail: Tail) -> None:
    status.lag_bytes = tail.lag_bytes()
    status.updated_us = _now_us()
    status.write(home)


def _loader(
    settings: Settings, store: MetricsStore, status: Status, tail: Tail, stop: threading.Event
) -> Loader | None:
    """The loader, once the store has said where the journals stand; None: stopped before."""
    outage = Outage(status)
    while True:
        try:
            tail.resume(store.positions())
            preparer = Preparer(secret_key(settings), store.operations())
            outage.over()
            return Loader(store, tail, preparer, RoutesFile(settings.routes_path, status), status)
        except StoreUnavailable as error:
            outage.goes_on(error)
        if stop.wait(_START_AGAIN_S):
            return None


@contextmanager
def _only_loader(home: Path) -> Iterator[None]:
    """Hold the home's lock, or say who does."""
    path = home / "loader.lock"
    try:
        home.mkdir(parents=True, exist_ok=True, mode=0o700)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise SettingsError(f"cannot write {path}: {error.strerror}; set MIDSPAN_HOME") from error
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        raise MidspanError(f"another loader works in {home}: stop it first") from None
    try:
        yield
    finally:
        os.close(descriptor)


def _instance(journal_dir: Path) -> str:
    """The name of these journals in a store that several homes may share; made once, kept with
    the journals, because a position without its journal means nothing."""
    path = journal_dir / "instance"
    try:
        journal_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
        if not path.exists():
            fresh = path.with_suffix(".new")
            fresh.write_text(secrets.token_hex(4))
            fresh.replace(path)
        return path.read_text().strip()
    except OSError as error:
        raise SettingsError(f"cannot use {path}: {error.strerror}; check who owns it") from error


def _every(
    seconds: float, act: Callable[[], object], stop: threading.Event, name: str
) -> threading.Thread:
    """Call `act` now and every `seconds` from then on."""
    log = logs.get(name)

    def run() -> None:
        failing = False
        while not stop.is_set():
            try:
                act()
                failing = False
            except Exception as error:  # noqa: BLE001  # the edge of a thread: say it, go on
                if not failing:
                    log.error("helper_failed", reason=f"{type(error).__name__}: {error}")
                failing = True
            stop.wait(seconds)

    context = contextvars.copy_context()  # what the logs of this process are bound to
    thread = threading.Thread(target=context.run, args=(run,), name=name, daemon=True)
    thread.start()
    return thread


def _rare_collections() -> Callable[[], None]:
    """Switch the cyclic collector off: batches have no cycles, and searching them for some takes
    a third of the loader's time. What else makes cycles is collected between batches."""
    gc.collect()
    gc.freeze()
    gc.disable()
    collected_s = time.monotonic()

    def collect() -> None:
        nonlocal collected_s
        if time.monotonic() - collected_s > _COLLECT_S:
            gc.collect()
            collected_s = time.monotonic()

    return collect


def _now_us() -> int:
    return time.time_ns() // 1000
