"""One worker: what all its connections share, and its few clocks.

The hub knows the routing table, the connections on both sides, the live exchanges and the tap. It
looks over exchanges and callers every `SWEEP_S` for timeouts, and every `TICK_S` it looks at the
routing file, the connections in the pool, the pending losses and its own figures.
"""

import asyncio
import hashlib
import secrets
import socket
import ssl
import time
from collections.abc import Callable
from pathlib import Path

from app import logs
from app.domain import ids
from app.settings import Settings
from collectors.proxy.answers import whole
from collectors.proxy.caller import CallerProtocol
from collectors.proxy.caps import caps_of
from collectors.proxy.crowd import RESERVE, Crowd, file_limit, room_for
from collectors.proxy.decide import House
from collectors.proxy.dial import Dialer
from collectors.proxy.emit import via_line
from collectors.proxy.errors import PROXY_STOPPED, REQUEST_TIMEOUT
from collectors.proxy.exchange import LiveExchange
from collectors.proxy.flow import Outbox
from collectors.proxy.forwarded import Doors
from collectors.proxy.gates import Gates, GatesFile
from collectors.proxy.metrics import (
    CALLERS,
    CIRCUITS,
    CONNECT_FAILURES,
    CONNECTS,
    DNS_STALE,
    IN_FLIGHT,
    LINKS,
    POOLED,
    ROUTES_AGE_S,
    ROUTES_REVISION,
    SIZE,
    TIMEOUTS,
    WAITING,
    Board,
    boards_folder,
    read_boards,
    read_gates,
    render,
)
from collectors.proxy.pool import Pool
from collectors.proxy.resolve import DialError, Keeping, Resolver
from collectors.proxy.routes import EMPTY_ROUTER, Origin
from collectors.proxy.table import TableFile
from collectors.proxy.tap import Journal, Tap
from collectors.proxy.timeouts import SWEEP_S, crawls, look_again_ns, overdue, stood_still_ns
from collectors.proxy.tls import Contexts
from collectors.proxy.upstream import UpstreamProtocol

TICK_S = 0.25
#: Callers looked at in one sweep: each of 10,000 every second.
_CALLERS_AT_ONCE = 500
#: How long an idle connection is kept once the end has begun.
_IDLE_PATIENCE_S = 2.0

#: Writes figures of its own into the worker's counts, just before they are published.
Measure = Callable[[list[int]], None]


class Hub:
    """See the module. Lives on one event loop and in one thread."""

    def __init__(
        self,
        settings: Settings,
        journal: Journal,
        worker: str = "worker-0",
        *,
        tls: ssl.SSLContext | None = None,
        measure: Measure | None = None,
    ) -> None:
        self._boards = boards_folder(settings.home)
        self._board = Board(self._boards / f"{worker}.board")
        self._measure = measure
        self._node = secrets.randbits(30)
        self._counter = 0
        keeping = Keeping(settings.dns_keep_us * 1000, stale_ns=settings.dns_stale_us * 1000)
        self.doors = Doors(settings)
        self.dialer = Dialer(Resolver(keeping), Contexts(tls))
        self._log = logs.get("proxy")
        name = _pseudonym(settings.home)
        self.house = House(name, via_line(name), frozenset(settings.inbound_hosts))
        self.counts = [0] * SIZE
        self.outbox = Outbox()
        self.tap = Tap(journal, self.counts, settings.capture_ratio, self.outbox.call)
        self.outbox.commit = self.tap.commit
        self.caps = caps_of(settings)
        room = room_for(self.caps.connections, file_limit())
        #: By direction; the platform has one address for all its connections.
        self.crowds = (Crowd(room, 0, RESERVE), Crowd(room, self.caps.peer_connections, 0))
        self.gates = Gates(settings.proxy_workers)
        self.longest_hold_ns = settings.retry_after_max_us * 1000
        self._gates_file = GatesFile(settings.home / "status", worker)
        self._file = TableFile(settings.routes_path, self.counts)
        self.router = EMPTY_ROUTER
        self._router_since_ns: int | None = None
        self.pool: Pool[UpstreamProtocol] = Pool()
        self.callers: set[CallerProtocol] = set()
        self._unchecked: list[CallerProtocol] = []
        self.links: set[UpstreamProtocol] = set()
        self.live: set[LiveExchange] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self.draining = False
        self.look_at_table()

    # What exchanges ask for.

    def next_id(self, started_us: int) -> bytes:
        """A new exchange id."""
        self._counter += 1
        return ids.exchange_id(started_us, self._node, self._counter)

    def take_link(self, origin: Origin) -> UpstreamProtocol | None:
        """A waiting connection to `origin`."""
        link = self.pool.take(origin)
        while link is not None and not link.usable:
            link = self.pool.take(origin)
        return link

    def release_link(self, link: UpstreamProtocol, *, reusable: bool) -> None:
        """An exchange is done with a connection; it waits for the next one or ends.

        Not `reusable`: part of the request is still on its way and nobody wants it any more.
        """
        if not reusable:
            link.abort()
        elif not (link.reset() and self.pool.give(link, time.monotonic_ns())):
            link.close()

    def lost_link(self, link: UpstreamProtocol) -> None:
        """A connection to an upstream ended."""
        self.links.discard(link)
        self.pool.remove(link)

    def dial(self, origin: Origin, exchange: LiveExchange) -> asyncio.Task[None]:
        """Make a connection for an exchange, which is told how it went."""
        loop = asyncio.get_running_loop()
        task = loop.create_task(self._dial(origin, exchange), name="dial")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def _dial(self, origin: Origin, exchange: LiveExchange) -> None:
        self.counts[CONNECTS] += 1
        try:
            link, spent = await self.dialer.dial(
                origin, lambda: UpstreamProtocol(self, origin), exchange.looked_up
            )
        except DialError as error:
            self.counts[CONNECT_FAILURES] += 1
            exchange.dial_failed(error)
        else:
            if link.usable:  # else it has ended, and nobody will hear of that again
                self.links.add(link)
            exchange.connected(link, spent)

    # What the worker does by the clock.

    def sweep(self, as_of_ns: int) -> None:
        """End the exchanges whose time was up at `as_of_ns`, when the worker last looked."""
        now_ns = time.monotonic_ns()
        still_ns = stood_still_ns(as_of_ns, now_ns)
        if still_ns:
            for exchange in self.live:
                exchange.excuse(still_ns)
        for exchange in [live for live in self.live if live.look_ns <= as_of_ns]:
            progress, allowance = exchange.progress(), exchange.destination.party.allowance
            code = overdue(progress, allowance, as_of_ns)
            if code is None and crawls(progress, self.caps.body_bytes_per_second, as_of_ns):
                code = REQUEST_TIMEOUT
            if code is None:
                exchange.look_ns = look_again_ns(progress, allowance, as_of_ns)
            else:
                self.counts[TIMEOUTS] += 1
                exchange.fail(code, f"after {(now_ns - exchange.started_ns) // 1_000_000} ms")
        self._check_callers(as_of_ns)

    def tick(self) -> None:
        """Everything else that is due now and then."""
        now_ns = time.monotonic_ns()
        self.look_at_table()
        self.tap.flush_losses()
        for link in self.pool.expire(now_ns):
            link.close()
        self._gates_file.tell(self.gates, now_ns, time.time_ns() // 1000)
        self._publish()

    def _check_callers(self, now_ns: int) -> None:
        """Look at some callers each time, so that ten thousand do not hold the others up."""
        if not self._unchecked:
            self._unchecked = list(self.callers)
        for caller in self._unchecked[-_CALLERS_AT_ONCE:]:
            caller.check(now_ns)
        del self._unchecked[-_CALLERS_AT_ONCE:]

    def look_at_table(self) -> None:
        """Take the routing file if it changed."""
        router = self._file.changed()
        if router is not None:
            self.router = router
            self._router_since_ns = time.monotonic_ns()
            self.gates.use(router.routes, self._router_since_ns)

    async def keep_time(self) -> None:
        """Sweep and tick until cancelled."""
        next_tick, seen_ns = 0.0, time.monotonic_ns()
        while True:
            as_of_ns, seen_ns = seen_ns, time.monotonic_ns()
            self.sweep(as_of_ns)
            if time.monotonic() >= next_tick:
                next_tick = time.monotonic() + TICK_S
                self.tick()
            await asyncio.sleep(SWEEP_S)

    async def drain(self, grace_s: float) -> None:
        """Let what is under way end, for at most `grace_s`, then end it.

        An idle caller may be about to send: for a moment it is still answered, and told that its
        connection ends with that. Only then are idle connections closed.
        """
        self.draining = True
        begun = time.monotonic()
        give_up = begun + grace_s
        patient = begun + min(_IDLE_PATIENCE_S, grace_s / 5)
        while self.callers and (now := time.monotonic()) < give_up:
            if now > patient:
                for caller in list(self.callers):
                    caller.retire()
            await asyncio.sleep(SWEEP_S / 5)
        for exchange in list(self.live):
            exchange.fail(PROXY_STOPPED, f"still under way after {grace_s:g} s")
        while self.callers and time.monotonic() < give_up + 1:
            await asyncio.sleep(SWEEP_S / 5)
        for link in list(self.links):
            link.abort()
        self.tap.commit()
        if not self.tap.flush_losses():
            self._log.error("losses_forgotten", pending=self.tap.pending)
        self._gates_file.close()
        self._publish()

    # The proxy's own pages.

    def own_page(self, method: str, path: bytes, *, close: bool) -> bytes:
        """The whole answer to a request for one of the proxy's own pages."""
        status, body = self._page(method, path)
        media = "text/plain; version=0.0.4; charset=utf-8"
        return whole(status, media, body, bodiless=method == "HEAD", close=close)

    def _page(self, method: str, path: bytes) -> tuple[int, bytes]:
        if method not in ("GET", "HEAD"):
            return 405, b"only GET and HEAD\n"
        if path == b"/-/livez":
            return 200, b"ok\n"
        if path == b"/-/readyz":
            return self._readiness()
        if path == b"/-/metrics":
            self._publish()
            gates = read_gates(self._gates_file.folder, time.time_ns() // 1000)
            return 200, render(read_boards(self._boards), gates)
        return 404, b"there are /-/livez, /-/readyz and /-/metrics\n"

    def _readiness(self) -> tuple[int, bytes]:
        if self.draining:
            return 503, b"draining\n"
        if self._router_since_ns is None:
            return 503, b"no routing table yet\n"
        return 200, b"ok\n"

    def _publish(self) -> None:
        self.tap.commit()
        counts = self.counts
        counts[IN_FLIGHT] = len(self.live)
        counts[CALLERS] = len(self.callers)
        counts[LINKS] = len(self.links)
        counts[POOLED] = self.pool.size
        counts[WAITING], counts[CIRCUITS] = self.gates.totals()
        counts[DNS_STALE] = self.dialer.stale
        counts[ROUTES_REVISION] = self.router.revision
        since_ns = self._router_since_ns
        counts[ROUTES_AGE_S] = (time.monotonic_ns() - since_ns) // 10**9 if since_ns else 0
        if self._measure is not None:
            self._measure(counts)
        self._board.publish(counts)


def _pseudonym(home: Path) -> bytes:
    """This installation's name in Via headers: the same in every worker, and hardly elsewhere."""
    seed = f"{socket.gethostname()}:{home}".encode()
    return b"midspan-" + hashlib.sha256(seed).hexdigest()[:8].encode()
