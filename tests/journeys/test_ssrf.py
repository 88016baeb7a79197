"""No address inside is reached by way of the registry, however it is written, whatever names say.

A listener stands on every address of this machine, of both families. Hosts go through the real
import, the published routing table and a running proxy. The registry may refuse a host or the
proxy may refuse to dial it; what counts is that nobody ever arrives at the listener.
"""

import asyncio
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import pytest

from app import db
from app.commands import registry_import, routing
from app.commands.registry_file import parse
from app.commands.registry_values import RegistryFile
from app.db import registry_engine
from app.errors import RegistryFileError
from app.migrations import migrate_registry
from collectors.proxy import dial
from collectors.proxy.hub import Hub
from collectors.proxy.resolve import Address, Found, Keeping, Machine, Resolver
from collectors.proxy.server import Server
from collectors.proxy.tls import Contexts
from tests.collectors.proxy.kit import FakeJournal, Stage, run, settings_of

LOOPBACK = [
    "127.0.0.1", "127.0.0.2", "127.1.2.3", "127.255.255.254", "127.1", "127.0.1",
    "127.00.00.01", "0177.0.0.1", "0x7f.0.0.1", "0x7f.1", "0x7f000001",
    "0X7F000001", "2130706433", "017700000001", "0177.0.1", "127.0.0.1.", "0", "0.0.0.0", "0x0",
    "00.0.0.0", "localhost", "LOCALHOST", "localhost.", "localhost.localdomain",
    "ip6-localhost", "[::1]", "[0:0:0:0:0:0:0:1]", "[::0001]", "[::]", "[::ffff:127.0.0.1]",
    "[::ffff:7f00:1]", "[::ffff:0:127.0.0.1]", "[::127.0.0.1]", "[64:ff9b::127.0.0.1]",
    "[64:ff9b::7f00:1]", "[64:ff9b:1::7f00:1]", "[2002:7f00:1::]", "[2002:7f00:0001::1]",
    "[2001:0:7f00:1::]", "[::1%lo]", "[::1%25lo]", "[fe80::1%lo]",
]  # fmt: skip
INSIDE = [
    "10.0.0.1", "10.255.255.255", "172.16.0.1", "172.31.255.255", "192.168.0.1",
    "192.168.255.255", "100.64.0.1", "100.127.255.255", "192.0.0.1", "198.18.0.1",
    "198.19.255.255", "192.0.2.1", "198.51.100.1", "203.0.113.1", "192.88.99.1", "224.0.0.1",
    "239.255.255.255", "240.0.0.1", "255.255.255.255", "169.254.0.1", "169.254.169.254",
    "169.254.169.254.", "2852039166", "0xa9fea9fe", "0251.0376.0251.0376", "168.63.129.16",
    "100.100.100.200", "192.0.0.192", "[fd00:ec2::254]", "[fc00::1]", "[fd12:3456::1]",
    "[fec0::1]", "[fe80::1]", "[ff02::1]", "[::ffff:10.0.0.1]", "[::ffff:169.254.169.254]",
    "[64:ff9b::a9fe:a9fe]", "[2002:a9fe:a9fe::1]", "[2002:c0a8:1::1]", "[2001:db8::1]",
    "[100::1]", "[2001::1]", "[3fff::1]", "[5f00::1]",
]  # fmt: skip
#: Spellings of addresses that some URL parsers read as one.
ODD = [
    "①②⑦.⓪.⓪.①", "127。0。0。1", "１２７.0.0.1", "127.0.0.1%00.example",
    "127.0.0.1@example.com", "example.com@127.0.0.1", "127.0.0.1#.example.com",
    "127.0.0.1?.example.com", "127.0.0.1\\.example.com", "127.0.0.1:80@example.com", "[::1",
    "::1", "[127.0.0.1]", "127.0.0.1 ", " 127.0.0.1", "127.0.0.1\t", "0x7f.0x0.0x0.0x1.",
    "4294967297", "127.0.0.1,example.com", "1.1.1.1&@127.0.0.1", "localhost%2e",
    "ⓛⓞⓒⓐⓛⓗⓞⓢⓣ",
]  # fmt: skip
HOSTS = list(dict.fromkeys([*LOOPBACK, *INSIDE, *ODD]))
#: Names that lead inside, as an attacker's name server may say.
NAMES = {
    "loop.example": ["127.0.0.1"], "six.example": ["::1"], "mapped.example": ["::ffff:127.0.0.1"],
    "metadata.example": ["169.254.169.254"], "many.example": ["10.0.0.1", "127.0.0.1", "::1"],
    "any.example": ["0.0.0.0"], "nat.example": ["64:ff9b::7f00:1"], "nobody.example": [],
}  # fmt: skip


def registry_text(hosts: dict[str, str], port: int, *, private: bool) -> bytes:
    lines = ["platform: {name: Acme}", "partners:", "- slug: p", "  name: P", "  integrations:"]
    for slug, host in hosts.items():
        lines.append(
            f"  - {{slug: {slug}, name: N, allow_private_addresses: {str(private).lower()},"
        )
        lines.append(f'     api_base_url: "http://{host}:{port}", timeouts: {{connect_ms: 2000}}}}')
    return "\n".join(lines).encode()


def accepted(port: int, *, private: bool, hosts: list[str]) -> dict[str, str]:
    """What the registry takes, by slug."""
    found = {}
    for number, host in enumerate(hosts):
        one = {f"i{number}": host}
        try:
            parse(registry_text(one, port, private=private), "test")
        except RegistryFileError:
            continue
        found |= one
    return found


class Names(Resolver):
    """Names as an attacker's server answers them, addresses as the machine reads them."""

    def __init__(self, answers: dict[str, list[list[str]]]) -> None:
        super().__init__(Keeping(0, 0, 0), self.look)
        self._answers = answers
        self._machine = Machine()

    async def look(self, host: str, port: int) -> list[Found]:
        if host not in self._answers:
            return await self._machine.ask(host, port)
        turns = self._answers[host]
        answer = turns.pop(0) if len(turns) > 1 else turns[0]
        return [found for each in answer for found in await self._machine.ask(each, port)]


@contextmanager
def everywhere() -> Iterator[socket.socket]:
    """A listener on all addresses of this machine, both families."""
    with socket.create_server(
        ("::", 0), family=socket.AF_INET6, dualstack_ipv6=True, backlog=1000
    ) as listener:
        listener.setblocking(False)
        yield listener


def arrivals(listener: socket.socket) -> int:
    count = 0
    while True:
        try:
            listener.accept()[0].close()
        except BlockingIOError:
            return count
        count += 1


@asynccontextmanager
async def proxying(
    home: Path,
    hosts: dict[str, str],
    port: int,
    answers: dict[str, list[list[str]]],
    *,
    private: bool,
) -> AsyncIterator[Stage]:
    """A proxy with one integration for each host, imported and published as ever."""
    settings = settings_of(home)
    migrate_registry(settings.registry_url)
    engine = registry_engine(settings.registry_url)
    file: RegistryFile = parse(registry_text(hosts, port, private=private), "test")
    with db.transaction(engine) as session:
        registry_import.apply(session, file, now_us=1, actor="test")
    routing.publish(engine, settings.routes_path)
    engine.dispose()
    journal = FakeJournal()
    hub = Hub(settings, journal)
    hub.dialer = dial.Dialer(Names(answers), Contexts())
    server = Server(hub, settings)
    await server.start()
    stage = Stage(settings, server, journal)
    try:
        yield stage
    finally:
        await stage.close()
        await server.stop(grace_s=0.2)


async def ask_all(stage: Stage, hosts: dict[str, str]) -> dict[str, str]:
    """One request to each; the error code of each host."""

    async def ask(slug: str) -> None:
        caller = await stage.caller()
        await caller.get(f"/{slug}/x")

    await asyncio.gather(*(ask(slug) for slug in hosts))
    return {hosts[r.integration]: r.error for r in stage.journal.exchanges}


def test_there_are_more_than_sixty_addresses_and_spellings() -> None:
    assert len(HOSTS) + len(NAMES) > 100


def test_no_spelling_and_no_name_leads_inside(tmp_path: Path) -> None:
    async def play() -> None:
        with everywhere() as listener:
            port = listener.getsockname()[1]
            hosts = accepted(port, private=False, hosts=[*HOSTS, *NAMES])
            assert set(NAMES) < set(hosts.values())
            answers = {name: [addresses] for name, addresses in NAMES.items()}
            async with proxying(tmp_path, hosts, port, answers, private=False) as stage:
                codes = await ask_all(stage, hosts)
            assert arrivals(listener) == 0
            assert set(codes) == set(hosts.values())
            assert set(codes.values()) <= {"address_denied", "dns_not_found", "dns_failed"}
            for host in ("127.0.0.1", "0x7f.1", "localhost", "[::1]", "[::ffff:7f00:1]", *NAMES):
                assert codes[host] == (
                    "dns_not_found" if host == "nobody.example" else "address_denied"
                )

    run(play(), timeout=60)


def test_a_name_that_is_public_first_and_private_later_gains_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    public: list[str] = []
    really = dial._connect

    async def connect(family: int, address: Address) -> Any:
        if address[0].startswith("8.8."):  # nobody is called in earnest
            public.append(address[0])
            raise ConnectionRefusedError(111, "refused")
        return await really(family, address)

    monkeypatch.setattr(dial, "_connect", connect)
    answers = {
        "turns.example": [["8.8.4.4"], ["127.0.0.1"], ["8.8.4.4", "127.0.0.1"], ["::1", "8.8.8.8"]]
    }

    async def play() -> None:
        with everywhere() as listener:
            port = listener.getsockname()[1]
            hosts = accepted(port, private=False, hosts=list(answers))
            async with proxying(tmp_path, hosts, port, answers, private=False) as stage:
                caller = await stage.caller()
                for _ in range(12):
                    await caller.get("/i0/x")
                codes = [record.error for record in stage.journal.exchanges]
            assert arrivals(listener) == 0
            assert codes[:4] == [
                "connect_refused", "address_denied", "connect_refused", "connect_refused"
            ]  # fmt: skip
            assert set(public) == {"8.8.4.4", "8.8.8.8"}

    run(play(), timeout=60)


def test_with_permission_only_what_is_inside_a_network_is_dialled(tmp_path: Path) -> None:
    never = [
        "169.254.169.254", "0xa9fea9fe", "[::ffff:169.254.169.254]", "0.0.0.0", "[::]",
        "224.0.0.1", "[fe80::1]", "[ff02::1]", "240.0.0.1", "[fd00:ec2::254]", "168.63.129.16",
    ]  # fmt: skip
    inside = ["127.0.0.1", "127.1", "2130706433", "[::1]", "[::ffff:127.0.0.1]", "localhost"]

    async def play() -> None:
        with everywhere() as listener:
            port = listener.getsockname()[1]
            hosts = accepted(port, private=True, hosts=[*never, *inside])
            async with proxying(tmp_path, hosts, port, {}, private=True) as stage:
                asking = asyncio.ensure_future(ask_all(stage, hosts))
                count = 0
                while not asking.done():
                    count += arrivals(listener)
                    await asyncio.sleep(0.01)
                codes = asking.result()
            assert {codes[host] for host in never if host in codes} == {"address_denied"}
            assert count + arrivals(listener) >= len(inside)
            for host in inside:
                assert codes[host] == "reset_before_answer"

    run(play(), timeout=60)
