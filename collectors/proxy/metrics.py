"""The proxy's own figures: counted in one list per worker, shared by a small file, printed as text.

Each worker counts in plain integers and copies them, a few times a second, to a board: a
memory-mapped file that the others read, so that any worker can answer for all. A board holds a
version before its numbers and one behind them. The writer sets the one behind, the numbers, and
then the one before; a reader goes from front to back and looks again if they differ, so it never
sees half of a copy.
"""

import mmap
import struct
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from app.domain.gates import FILES, HALF_OPEN, OPEN, GateState, decode_gates
from collectors.proxy.errors import ERRORS

# Places in the list of counts. The first three have one place per direction.
PROXIED, RECORDED, SHED = 0, 2, 4
CAPTURED, RETRIED, REUSED, CONNECTS, CONNECT_FAILURES = 6, 7, 8, 9, 10
TABLES_READ, TABLES_DAMAGED, TIMEOUTS = 11, 12, 13
LOSSES, IN_FLIGHT, CALLERS, LINKS, POOLED = 14, 15, 16, 17, 18
ROUTES_REVISION, ROUTES_AGE_S, JOURNAL_BYTES, JOURNAL_SEGMENTS, JOURNAL_BLOCKED = 19, 20, 21, 22, 23
TUNNELS, WAITING, CIRCUITS, TURNED_FULL, TURNED_PEER, IDLED = 24, 25, 26, 27, 28, 29
DNS_STALE, TURNED_UNANNOUNCED = 30, 31
#: One place for each code that an exchange can end with, from here on.
_CODES = 32
FAILED = {code: _CODES + number for number, code in enumerate(sorted(ERRORS))}
SIZE = _CODES + len(FAILED)

_VERSION, _NUMBERS = struct.Struct("<Q"), struct.Struct(f"<{SIZE}Q")
_BOARD = struct.Struct(f"<Q{SIZE}QQ")
_ATTEMPTS = 100
_CIRCUITS = {OPEN: 2, HALF_OPEN: 1}
_OUT, _IN = 'direction="outbound",', 'direction="inbound",'


class Metric(NamedTuple):
    """How a place in the list is printed."""

    name: str
    kind: str
    help: str
    places: tuple[tuple[str, int], ...]


def _both(place: int) -> tuple[tuple[str, int], ...]:
    return ((_OUT, place), (_IN, place + 1))


def _one(place: int) -> tuple[tuple[str, int], ...]:
    return (("", place),)


METRICS = (
    Metric("proxied_total", "counter", "Exchanges that ended.", _both(PROXIED)),
    Metric("recorded_total", "counter", "Exchanges in the journal.", _both(RECORDED)),
    Metric("shed_total", "counter", "Exchanges that passed unrecorded.", _both(SHED)),
    Metric("captured_total", "counter", "Exchanges recorded with evidence.", _one(CAPTURED)),
    Metric("retried_total", "counter", "Requests sent again on a new connection.", _one(RETRIED)),
    Metric("upstream_reused_total", "counter", "Requests on a waiting connection.", _one(REUSED)),
    Metric("upstream_connects_total", "counter", "Connections dialled.", _one(CONNECTS)),
    Metric(
        "upstream_connect_failures_total", "counter", "Dials that failed.", _one(CONNECT_FAILURES)
    ),
    Metric("tunnels_total", "counter", "Requests that went on as WebSocket.", _one(TUNNELS)),
    Metric(
        "dns_stale_total", "counter", "Look-ups that an older answer served for.", _one(DNS_STALE)
    ),
    Metric("timeouts_total", "counter", "Exchanges ended by a timeout.", _one(TIMEOUTS)),
    Metric("routes_read_total", "counter", "Routing tables taken into use.", _one(TABLES_READ)),
    Metric("routes_damaged_total", "counter", "Routing files refused.", _one(TABLES_DAMAGED)),
    Metric(
        "failed_total",
        "counter",
        "Exchanges that ended with an error code.",
        tuple((f'code="{code}",', place) for code, place in FAILED.items()),
    ),
    Metric(
        "connections_refused_total",
        "counter",
        "Connections turned away before anything was read.",
        (
            ('reason="full",', TURNED_FULL),
            ('reason="peer_full",', TURNED_PEER),
            ('reason="unannounced",', TURNED_UNANNOUNCED),
        ),
    ),
    Metric("connections_idled_total", "counter", "Idle connections closed.", _one(IDLED)),
    Metric("waiting", "gauge", "Exchanges that wait for a place.", _one(WAITING)),
    Metric("circuits", "gauge", "Circuits that are not closed.", _one(CIRCUITS)),
    Metric("losses_pending", "gauge", "Shed exchanges not yet journaled as lost.", _one(LOSSES)),
    Metric("in_flight", "gauge", "Exchanges under way.", _one(IN_FLIGHT)),
    Metric("callers", "gauge", "Open connections of callers.", _one(CALLERS)),
    Metric("upstream_connections", "gauge", "Open connections to upstreams.", _one(LINKS)),
    Metric("upstream_waiting", "gauge", "Connections waiting in the pool.", _one(POOLED)),
    Metric("routes_revision", "gauge", "Revision of the routing table.", _one(ROUTES_REVISION)),
    Metric("routes_age_seconds", "gauge", "Since the table was taken.", _one(ROUTES_AGE_S)),
    Metric("journal_backlog_bytes", "gauge", "Bytes of the journal on disk.", _one(JOURNAL_BYTES)),
    Metric("journal_segments", "gauge", "Segments on disk.", _one(JOURNAL_SEGMENTS)),
    Metric("journal_blocked", "gauge", "1 while records are refused.", _one(JOURNAL_BLOCKED)),
)


def render(
    counts_by_worker: dict[str, list[int]], gates_by_worker: dict[str, list[GateState]]
) -> bytes:
    """Prometheus text (0.0.4). A worker's counters begin at 0 when it does; sum over `worker`.

    Only integrations with a circuit that is not closed, or held, have a series of their own.
    """
    lines: list[str] = []
    for name, kind, text, places in METRICS:
        lines.append(f"# HELP midspan_{name} {text}")
        lines.append(f"# TYPE midspan_{name} {kind}")
        lines += [
            f'midspan_{name}{{{labels}worker="{worker}"}} {counts[place]}'
            for worker, counts in sorted(counts_by_worker.items())
            for labels, place in places
        ]
    lines += _gate_lines(gates_by_worker)
    return ("\n".join(lines) + "\n").encode()


def _gate_lines(gates_by_worker: dict[str, list[GateState]]) -> Iterator[str]:
    yield "# HELP midspan_circuit 2 while a circuit is open, 1 while it is tried (half open)."
    yield "# TYPE midspan_circuit gauge"
    for labels, state in _labelled(gates_by_worker):
        if state.circuit in _CIRCUITS:
            yield f"midspan_circuit{labels} {_CIRCUITS[state.circuit]}"
    yield "# HELP midspan_held_until_seconds When a Retry-After that is obeyed is over, Unix time."
    yield "# TYPE midspan_held_until_seconds gauge"
    for labels, state in _labelled(gates_by_worker):
        if state.held_until_us is not None:
            yield f"midspan_held_until_seconds{labels} {state.held_until_us // 1_000_000}"


def _labelled(gates_by_worker: dict[str, list[GateState]]) -> Iterator[tuple[str, GateState]]:
    for worker, states in sorted(gates_by_worker.items()):
        for each in states:
            name, way = each.integration, each.direction
            yield f'{{integration="{name}",direction="{way}",worker="{worker}"}}', each


class Board:
    """One worker's figures where the others can read them. `OSError` if it cannot be made."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with path.open("w+b") as file:
            file.write(bytes(_BOARD.size))
            file.flush()
            self._map = mmap.mmap(file.fileno(), _BOARD.size)
        self._version = 0

    def publish(self, counts: list[int]) -> None:
        """Copy the figures."""
        self._version += 1
        _VERSION.pack_into(self._map, _NUMBERS.size + _VERSION.size, self._version)
        _NUMBERS.pack_into(self._map, _VERSION.size, *counts)
        _VERSION.pack_into(self._map, 0, self._version)

    def close(self) -> None:
        """Let go of the file."""
        self._map.close()


def read_boards(folder: Path) -> dict[str, list[int]]:
    """The figures of every worker by name; one that cannot be read is left out."""
    found = {}
    for path in sorted(folder.glob("*.board")):
        counts = _read_board(path)
        if counts is not None:
            found[path.stem] = counts
    return found


def read_gates(folder: Path, now_us: int) -> dict[str, list[GateState]]:
    """What every worker says about its gates; a file that cannot be read says nothing."""
    found = {}
    for path in folder.glob(FILES):
        with suppress(OSError, ValueError):
            worker = path.stem.partition("-")[2]
            found[worker] = decode_gates(path.read_bytes(), now_us)
    return found


def _read_board(path: Path) -> list[int] | None:
    for _ in range(_ATTEMPTS):
        try:
            raw = path.read_bytes()
        except OSError:
            return None
        if len(raw) != _BOARD.size:
            return None
        before, *counts, after = _BOARD.unpack(raw)
        if before == after:
            return list(counts)
    return None


def boards_folder(home: Path) -> Path:
    """Where the workers' boards lie."""
    return home / "proxy"


def forget_boards(folder: Path, workers: int) -> None:
    """Remove the figures of workers that an earlier life had and this one has not."""
    current = {f"worker-{index}" for index in range(workers)}
    for path in folder.glob("*.board"):
        if path.stem not in current:
            with suppress(OSError):
                path.unlink()
