"""Each partner's behaviour over a real socket, at a time of our choosing."""

import asyncio
import json
import ssl
from collections.abc import Awaitable, Callable

import pytest

from app.domain.window import DAY_US, HOUR_US, MINUTE_US
from app.domain.words import Direction
from demo import names
from demo.cast import BY_SLUG, CAST
from demo.model import Model
from demo.services import CERTIFICATES, PLATFORM_SERVICE, Cast
from demo.wire import Answer, Caller, CallFailed, Listener, Request

MONDAY_US = 20_780 * DAY_US
ANCHOR_US = MONDAY_US + 12 * HOUR_US
MODEL = Model(7, ANCHOR_US)


class Clock:
    """A clock that stands where it is put."""

    def __init__(self) -> None:
        self.now_us = ANCHOR_US

    def __call__(self) -> int:
        return self.now_us


Scene = Callable[[Cast, Clock, dict[str, int]], Awaitable[None]]


def on_stage(scene: Scene) -> None:
    async def play() -> None:
        clock = Clock()
        cast = Cast(MODEL, clock)
        ports = await cast.open({})
        try:
            await scene(cast, clock, ports)
        finally:
            await cast.close()

    asyncio.run(play())


async def get(port: int, path: str, token: str = "", times: int = 1) -> list[int]:
    caller = Caller("127.0.0.1", port)
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    calls = (caller.call("GET", path, headers, b"", 5.0) for _ in range(times))
    answers = await asyncio.gather(*calls)
    caller.close()
    return [answer.status for answer in answers]


def test_every_service_has_a_port_of_its_own() -> None:
    async def scene(_cast: Cast, _clock: Clock, ports: dict[str, int]) -> None:
        assert set(ports) == {role.slug for role in CAST} | {PLATFORM_SERVICE}
        assert len(set(ports.values())) == len(ports)

    on_stage(scene)


def test_the_steady_one_answers_nearly_always() -> None:
    async def scene(_cast: Cast, _clock: Clock, ports: dict[str, int]) -> None:
        statuses = await get(ports["globex-issues"], "/v1/issues/7", times=60)
        assert statuses.count(200) >= 57

    on_stage(scene)


def test_the_slow_one_is_slower_at_noon_than_at_night() -> None:
    async def scene(_cast: Cast, clock: Clock, ports: dict[str, int]) -> None:
        loop, taken = asyncio.get_running_loop(), []
        for hour in (3, 13):
            clock.now_us = MONDAY_US + hour * HOUR_US
            begun = loop.time()
            await get(ports["hooli-sync"], "/v2/records", times=25)
            taken.append(loop.time() - begun)
        assert taken[1] > taken[0]

    on_stage(scene)


def test_the_flaky_one_breaks_in_its_bursts() -> None:
    async def scene(_cast: Cast, clock: Clock, ports: dict[str, int]) -> None:
        clock.now_us = ANCHOR_US + 5 * MINUTE_US
        statuses = await get(ports["umbrella-ci"], "/v1/builds/7", times=250)
        assert 2 <= statuses.count(500) <= 35

    on_stage(scene)


def test_the_one_in_an_outage_refuses_connections_and_comes_back_on_its_port() -> None:
    async def scene(cast: Cast, clock: Clock, ports: dict[str, int]) -> None:
        port, path = ports["stark-board"], "/api/boards/7"
        doors = asyncio.ensure_future(cast.mind_the_doors())
        assert await get(port, path)
        clock.now_us = ANCHOR_US + 9 * MINUTE_US
        async with asyncio.timeout(10):
            while cast.listeners["stark-board"].is_open:
                await asyncio.sleep(0.02)
            with pytest.raises(CallFailed, match="cannot connect"):
                await get(port, path)
            clock.now_us = ANCHOR_US + 19 * MINUTE_US
            while not cast.listeners["stark-board"].is_open:
                await asyncio.sleep(0.02)
            assert await get(port, path)
        doors.cancel()

    on_stage(scene)


def test_the_expired_certificate_is_refused_for_being_expired() -> None:
    async def scene(_cast: Cast, _clock: Clock, ports: dict[str, int]) -> None:
        trusting = ssl.create_default_context(cafile=CERTIFICATES / "authority.pem")
        with pytest.raises(ssl.SSLCertVerificationError, match="certificate has expired"):
            await asyncio.open_connection("127.0.0.1", ports["tyrell-forms"], ssl=trusting)

    on_stage(scene)


def test_the_mute_one_takes_a_webhook_and_says_nothing() -> None:
    async def scene(_cast: Cast, _clock: Clock, ports: dict[str, int]) -> None:
        caller = Caller("127.0.0.1", ports["wayne-alerts"])
        with pytest.raises(CallFailed, match="no answer"):
            await caller.call("POST", "/hooks/acme", {}, b"{}", 0.3)

    on_stage(scene)


def test_a_revoked_customer_gets_401_and_the_others_do_not() -> None:
    async def scene(_cast: Cast, _clock: Clock, ports: dict[str, int]) -> None:
        role, port = BY_SLUG["soylent-crm"], ports["soylent-crm"]
        revoked = await get(port, "/v3/contacts/7", names.grant(role, 2))
        fine = await get(port, "/v3/contacts/7", names.grant(role, 3), times=20)
        assert revoked == [401]
        assert 401 not in fine

    on_stage(scene)


def test_webhooks_are_taken_with_202() -> None:
    async def scene(_cast: Cast, clock: Clock, ports: dict[str, int]) -> None:
        clock.now_us = ANCHOR_US + 3 * MINUTE_US
        caller = Caller("127.0.0.1", ports["initech-chat"])
        answers = [await caller.call("POST", "/hooks/acme", {}, b"{}") for _ in range(5)]
        caller.close()
        assert 202 in {answer.status for answer in answers}

    on_stage(scene)


def test_the_platform_knows_its_integrations_and_refuses_strangers() -> None:
    async def scene(_cast: Cast, _clock: Clock, ports: dict[str, int]) -> None:
        port = ports[PLATFORM_SERVICE]
        callers = [r for r in CAST if any(f.direction is Direction.INBOUND for f in r.flows)]
        for role in callers:
            token = names.inbound_token(MODEL.seed, role)
            assert 200 in await get(port, "/v1/members", token, times=3)
        assert await get(port, "/v1/members", "nobody") == [401]

    on_stage(scene)


def test_a_listener_reads_any_framing_and_keeps_the_connection() -> None:
    async def echo(asked: Request) -> Answer:
        return Answer(200, json.dumps([asked.method, asked.body.decode()]).encode())

    async def scene() -> list[bytes]:
        listener = Listener(echo)
        reader, writer = await asyncio.open_connection("127.0.0.1", await listener.open())
        answers = []
        for framing in ("Content-Length: 3\r\n\r\nabc", "Transfer-Encoding: chunked\r\n\r\n"):
            writer.write(f"POST /x HTTP/1.1\r\nHost: a\r\n{framing}".encode())
            if "chunked" in framing:
                writer.write(b"1\r\na\r\n2\r\nbc\r\n0\r\n\r\n")
            head = await reader.readuntil(b"\r\n\r\n")
            assert head.startswith(b"HTTP/1.1 200")
            answers.append(await reader.readexactly(len(b'["POST", "abc"]')))
        writer.close()
        await listener.close()
        return answers

    assert asyncio.run(scene()) == [b'["POST", "abc"]'] * 2


def test_a_caller_tries_again_when_its_kept_connection_has_died() -> None:
    async def fine(_asked: Request) -> Answer:
        return Answer(200, b"{}")

    async def scene() -> int:
        listener = Listener(fine)
        caller = Caller("127.0.0.1", await listener.open())
        await caller.call("GET", "/", {})
        await listener.close()
        await listener.open()
        status = (await caller.call("GET", "/", {})).status
        caller.close()
        await listener.close()
        return status

    assert asyncio.run(scene()) == 200


def test_tokens_are_the_seeds_own() -> None:
    role = BY_SLUG["globex-issues"]
    assert names.inbound_token(7, role) == names.inbound_token(7, role)
    assert names.inbound_token(7, role) != names.inbound_token(8, role)
