"""Name look-ups: shared while they last, kept for a while, and told apart when they fail."""

import asyncio
import socket
import threading

import pytest

from collectors.proxy import resolve
from collectors.proxy.errors import DNS_FAILED, DNS_NOT_FOUND
from collectors.proxy.resolve import DialError, Keeping, Machine, Resolver
from collectors.proxy.routes import Origin

S = 1_000_000_000
KEEPING = Keeping(found_ns=10 * S, failed_ns=1 * S, stale_ns=300 * S)
NO_SUCH_NAME = socket.gaierror(socket.EAI_NONAME, "no such name")
TRY_AGAIN = socket.gaierror(socket.EAI_AGAIN, "try again")


class Names:
    """A resolver that answers when it is told to, and remembers what it was asked."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.release = asyncio.Event()
        self.release.set()
        self.failure: OSError | None = None
        self.address = "192.0.2.1"
        self.now_ns = 0
        self.resolver = Resolver(KEEPING, self.ask, lambda: self.now_ns)

    async def ask(self, host, port):  # type: ignore[no-untyped-def]
        self.asked.append(host)
        await self.release.wait()
        if self.failure:
            raise self.failure
        return [(socket.AF_INET, (self.address, port))]

    async def address_of(self, host: str = "a.example") -> str:
        [(_, address)] = await self.resolver.look_up(origin(host))
        return address[0]

    async def error_of(self, host: str = "a.example") -> str:
        with pytest.raises(DialError) as failed:
            await self.resolver.look_up(origin(host))
        return failed.value.code


def origin(host: str) -> Origin:
    return Origin(host=host, port=80, tls=False, private=False)


def test_a_burst_towards_one_name_asks_once() -> None:
    async def scenario() -> None:
        names = Names()
        names.release.clear()
        hosts = ["a.example"] * 30 + ["b.example"]
        waiting = [asyncio.ensure_future(names.address_of(host)) for host in hosts]
        await asyncio.sleep(0)
        names.release.set()
        assert set(await asyncio.gather(*waiting)) == {"192.0.2.1"}
        assert names.asked == ["a.example", "b.example"]

    asyncio.run(scenario())


def test_one_that_gives_up_waiting_leaves_the_answer_to_the_others() -> None:
    async def scenario() -> None:
        names = Names()
        names.release.clear()
        first, second = (asyncio.ensure_future(names.address_of()) for _ in range(2))
        await asyncio.sleep(0)
        first.cancel()
        names.release.set()
        assert await second == "192.0.2.1"
        assert first.cancelled()

    asyncio.run(scenario())


@pytest.mark.parametrize(
    ("failure", "code"),
    [
        (NO_SUCH_NAME, DNS_NOT_FOUND),
        (TRY_AGAIN, DNS_FAILED),
        (socket.gaierror(socket.EAI_FAIL, "refused"), DNS_FAILED),
        (OSError("out of descriptors"), DNS_FAILED),
        (UnicodeError("label too long"), DNS_FAILED),
    ],
)
def test_a_failed_look_up_fails_for_all_who_wait(failure: OSError, code: str) -> None:
    async def scenario() -> None:
        names = Names()
        names.failure = failure
        waiting = (names.error_of() for _ in range(3))
        assert await asyncio.gather(*waiting) == [code] * 3
        assert len(names.asked) == 1

    asyncio.run(scenario())


def test_an_answer_is_kept_for_its_time_and_then_asked_for_anew() -> None:
    async def scenario() -> None:
        names = Names()
        assert await names.address_of() == "192.0.2.1"
        names.address = "192.0.2.2"
        names.now_ns = 10 * S - 1
        assert await names.address_of() == "192.0.2.1"
        names.now_ns = 10 * S
        assert await names.address_of() == "192.0.2.2"
        assert len(names.asked) == 2

    asyncio.run(scenario())


def test_a_failure_is_kept_for_a_shorter_time() -> None:
    async def scenario() -> None:
        names = Names()
        names.failure = NO_SUCH_NAME
        assert await names.error_of() == DNS_NOT_FOUND
        names.failure = None
        names.now_ns = S - 1
        assert await names.error_of() == DNS_NOT_FOUND
        names.now_ns = S
        assert await names.address_of() == "192.0.2.1"
        assert len(names.asked) == 2

    asyncio.run(scenario())


def test_while_the_resolver_fails_an_answer_from_before_serves_until_it_is_too_old() -> None:
    async def scenario() -> None:
        names = Names()
        await names.address_of()
        names.failure = TRY_AGAIN
        names.now_ns = 20 * S
        assert await names.address_of() == "192.0.2.1"
        assert await names.address_of() == "192.0.2.1"
        assert (names.resolver.stale, len(names.asked)) == (2, 2)
        names.now_ns = 300 * S
        assert await names.error_of() == DNS_FAILED

    asyncio.run(scenario())


def test_while_the_resolver_is_silent_an_answer_from_before_serves_after_a_moment(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(resolve, "PATIENCE_S", 0.01)

    async def scenario() -> None:
        names = Names()
        await names.address_of()
        names.release.clear()
        names.now_ns = 20 * S
        assert await names.address_of() == "192.0.2.1"
        names.now_ns += S
        assert await names.address_of() == "192.0.2.1"
        assert (names.resolver.stale, len(names.asked)) == (2, 2)
        names.address = "192.0.2.2"
        names.release.set()
        assert await names.address_of() == "192.0.2.2"

    asyncio.run(scenario())


def test_a_name_that_is_gone_is_believed_at_once() -> None:
    async def scenario() -> None:
        names = Names()
        await names.address_of()
        names.failure = NO_SUCH_NAME
        names.now_ns = 20 * S
        assert await names.error_of() == DNS_NOT_FOUND
        names.failure = TRY_AGAIN
        names.now_ns = 30 * S
        assert await names.error_of() == DNS_FAILED

    asyncio.run(scenario())


def test_what_is_kept_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resolve, "_MOST_KEPT", 3)

    async def scenario() -> None:
        names = Names()
        for host in "abc":
            await names.address_of(host)
        names.now_ns = 400 * S
        await names.address_of("d")
        assert list(names.resolver._answers) == [("d", 80)]

    asyncio.run(scenario())


def test_an_address_is_no_question_however_it_is_spelt() -> None:
    async def scenario() -> None:
        for host in ("127.0.0.1", "2130706433", "0x7f.1"):
            before = threading.active_count()
            assert await Machine().ask(host, 80) == [(socket.AF_INET, ("127.0.0.1", 80))]
            assert threading.active_count() == before

    asyncio.run(scenario())


def test_names_that_hang_leave_room_for_others(monkeypatch: pytest.MonkeyPatch) -> None:
    hang = threading.Event()

    def look(host: str, port: int, flags: int = 0) -> list[resolve.Found]:
        if flags:
            raise NO_SUCH_NAME
        if host == "silent.example":
            hang.wait(10)
        return [(socket.AF_INET, ("192.0.2.1", port))]

    monkeypatch.setattr(resolve, "_look", look)

    async def scenario() -> None:
        machine = Machine()
        silent = [asyncio.ensure_future(machine.ask("silent.example", n)) for n in range(20)]
        await asyncio.sleep(0)
        assert await machine.ask("b.example", 80)
        hang.set()
        await asyncio.gather(*silent)

    asyncio.run(scenario())


def test_a_name_that_no_resolver_takes_is_the_askers_failure() -> None:
    async def scenario() -> None:
        with pytest.raises(UnicodeError):
            await Machine().ask("a" * 70 + ".example", 80)

    asyncio.run(scenario())
