"""Name look-ups: shared while they last, and told apart when they fail."""

import asyncio
import socket

import pytest

from collectors.proxy.errors import DNS_FAILED, DNS_NOT_FOUND
from collectors.proxy.resolve import DialError, Resolver
from collectors.proxy.routes import Origin


class SlowNames(asyncio.SelectorEventLoop):
    """A loop whose resolver answers when it is told to, and remembers what it was asked."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[str] = []
        self.release = asyncio.Event()
        self.failure: OSError | None = None

    async def getaddrinfo(self, host, port, **_):  # type: ignore[no-untyped-def, override]
        self.asked.append(host)
        await self.release.wait()
        if self.failure:
            raise self.failure
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("192.0.2.1", port))]


def origin(host: str) -> Origin:
    return Origin(host=host, port=80, tls=False, private=False)


def run(loop: SlowNames, scenario) -> None:  # type: ignore[no-untyped-def]
    try:
        loop.run_until_complete(scenario())
    finally:
        loop.close()


def test_a_burst_towards_one_name_asks_once() -> None:
    loop = SlowNames()

    async def scenario() -> None:
        resolver = Resolver()
        waiting = [asyncio.ensure_future(resolver.look_up(origin("a.example"))) for _ in range(30)]
        waiting.append(asyncio.ensure_future(resolver.look_up(origin("b.example"))))
        await asyncio.sleep(0)
        loop.release.set()
        answers = await asyncio.gather(*waiting)
        assert loop.asked == ["a.example", "b.example"]
        assert {answer[0][1][0] for answer in answers} == {"192.0.2.1"}
        await resolver.look_up(origin("a.example"))
        assert loop.asked == ["a.example", "b.example", "a.example"]

    run(loop, scenario)


def test_one_that_gives_up_waiting_leaves_the_answer_to_the_others() -> None:
    loop = SlowNames()

    async def scenario() -> None:
        resolver = Resolver()
        first, second = (
            asyncio.ensure_future(resolver.look_up(origin("a.example"))) for _ in range(2)
        )
        await asyncio.sleep(0)
        first.cancel()
        loop.release.set()
        assert await second
        assert first.cancelled()

    run(loop, scenario)


@pytest.mark.parametrize(
    ("failure", "code"),
    [
        (socket.gaierror(socket.EAI_NONAME, "no such name"), DNS_NOT_FOUND),
        (socket.gaierror(socket.EAI_AGAIN, "try again"), DNS_FAILED),
        (OSError("out of descriptors"), DNS_FAILED),
    ],
)
def test_a_failed_look_up_fails_for_all_who_wait(failure: OSError, code: str) -> None:
    loop = SlowNames()
    loop.failure = failure

    async def scenario() -> None:
        loop.release.set()
        resolver = Resolver()
        waiting = (resolver.look_up(origin("a.example")) for _ in range(3))
        for error in await asyncio.gather(*waiting, return_exceptions=True):
            assert isinstance(error, DialError)
            assert error.code == code

    run(loop, scenario)
