"""What the other processes of a home say about themselves, read from their files.

`status/loader.json` is swapped whole by the loader once a second; `proxy/<worker>.board` holds a
proxy worker's counts, updated in place several times a second (`collectors.loader.status`,
`collectors.proxy.metrics`: a test compares). Files only: this package imports no collector. A file
that is missing or damaged gives no number, and the loader's age grows: a process that died is seen
by its silence. A home read by two web workers is one instance (`setup.home_resource`), so nothing
is counted twice.
"""

import json
import struct
import time
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

from opentelemetry.metrics import CallbackOptions, Meter, Observation

from app.telemetry.setup import home_resource, meter_provider

LOADER_FILE = "loader.json"
#: Counters of the loader's file: key, name, what it counts.
LOADER_COUNTERS = (
    ("exchanges", "midspan.loader.rows", "Exchanges committed to the metrics store"),
    ("captures", "midspan.loader.captures", "Captures committed to the metrics store"),
    ("losses", "midspan.loader.losses", "Loss records read: exchanges that passed unrecorded"),
    ("batches", "midspan.loader.batches", "Transactions committed"),
    ("unnamed", "midspan.loader.unnamed", "Exchanges counted under the operation `other`"),
    ("outages", "midspan.loader.outages", "Times the metrics store could not be written"),
)
#: Counters of a proxy's board: place of the outbound count (the inbound one follows), name, what.
BOARD_COUNTERS = (
    (0, "midspan.proxied", "Exchanges that ended at the proxy"),
    (2, "midspan.recorded", "Exchanges handed to the journal"),
    (4, "midspan.shed", "Exchanges that passed unrecorded"),
)
_DIRECTIONS = ("outbound", "inbound")
_WORD = struct.Struct("<Q")
#: A board is written while it is read: its version stands before and after, and both must agree.
_ATTEMPTS = 100

Callback = Callable[[CallbackOptions], Iterable[Observation]]
_watched: set[Path] = set()


def watch_home(home: Path) -> None:
    """Show the numbers of that home with the metrics of this process; once per home."""
    if home in _watched:
        return
    _watched.add(home)
    status, boards = home / "status", home / "proxy"
    meter = meter_provider(home_resource(str(home))).get_meter("midspan.home")
    _watch_loader(meter, status / LOADER_FILE)
    for place, name, description in BOARD_COUNTERS:
        callback = _observing(partial(_direction_counts, boards, place))
        meter.create_observable_counter(name, [callback], description=description)


def _watch_loader(meter: Meter, path: Path) -> None:
    for key, name, description in LOADER_COUNTERS:
        callback = _observing(partial(_number, path, key))
        meter.create_observable_counter(name, [callback], description=description)
    meter.create_observable_counter(
        "midspan.loader.failures",
        [_observing(partial(_failures, path))],
        description="What was not loaded or not done, by reason",
    )
    meter.create_observable_gauge(
        "midspan.journal.lag",
        [_observing(partial(_number, path, "lag_bytes"))],
        unit="By",
        description="Journal not yet committed to the metrics store",
    )
    meter.create_observable_gauge(
        "midspan.loader.status.age",
        [_observing(partial(_age_s, path))],
        unit="s",
        description="Since the loader last wrote its status",
    )


def read_loader(path: Path) -> dict[str, Any]:
    """The loader's numbers; empty when the file is missing, damaged or something else."""
    try:
        document = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return {}
    return document if isinstance(document, dict) else {}


def read_board(path: Path) -> tuple[int, ...]:
    """The counts of one proxy worker; empty when they cannot be read."""
    for _ in range(_ATTEMPTS):
        try:
            raw = path.read_bytes()
        except OSError:
            return ()
        if len(raw) % _WORD.size or len(raw) < 3 * _WORD.size:
            return ()
        before, *counts, after = (number for (number,) in _WORD.iter_unpack(raw))
        if before == after:
            return tuple(counts)
    return ()


def _observing(read: Callable[[], Iterable[Observation]]) -> Callback:
    return lambda _options: read()


def _number(path: Path, key: str) -> Iterator[Observation]:
    value = read_loader(path).get(key)
    if isinstance(value, int | float):
        yield Observation(value)


def _failures(path: Path) -> Iterator[Observation]:
    failures = read_loader(path).get("failures")
    for reason, number in failures.items() if isinstance(failures, dict) else ():
        if isinstance(number, int):
            yield Observation(number, {"reason": str(reason)})


def _age_s(path: Path) -> Iterator[Observation]:
    try:
        written_s = path.stat().st_mtime
    except OSError:
        return
    yield Observation(max(0.0, time.time() - written_s))


def _direction_counts(folder: Path, place: int) -> Iterator[Observation]:
    for path in sorted(folder.glob("*.board")):
        counts = read_board(path)
        for offset, direction in enumerate(_DIRECTIONS):
            if place + offset < len(counts):
                labels = {"direction": direction, "worker": path.stem}
                yield Observation(counts[place + offset], labels)
