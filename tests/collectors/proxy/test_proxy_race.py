"""Happy eyeballs: the order of addresses, who wins, what becomes of the others."""

import asyncio
import socket
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from collectors.proxy import errors, race
from collectors.proxy.race import MOST_TRIED, in_turns, most_telling
from collectors.proxy.resolve import DialError, Found

V4, V6 = socket.AF_INET, socket.AF_INET6


def four(number: int) -> Found:
    return V4, (f"192.0.2.{number}", 80)


def six(number: int) -> Found:
    return V6, (f"2001:db8::{number}", 80, 0, 0)


@pytest.mark.parametrize(
    ("found", "order"),
    [
        ([four(1)], [four(1)]),
        ([four(1), four(2)], [four(1), four(2)]),
        ([six(1), six(2), four(1), four(2)], [six(1), four(1), six(2), four(2)]),
        ([four(1), four(2), six(1)], [four(1), six(1), four(2)]),
        ([six(1), four(1), four(2), four(3)], [six(1), four(1), four(2), four(3)]),
        ([four(n) for n in range(99)], [four(n) for n in range(MOST_TRIED)]),
    ],
)
def test_families_take_turns_beginning_with_the_resolvers_first(
    found: list[Found], order: list[Found]
) -> None:
    assert in_turns(found) == order


@pytest.mark.parametrize(
    ("codes", "told"),
    [
        ([errors.CONNECT_UNREACHABLE, errors.CONNECT_REFUSED], errors.CONNECT_REFUSED),
        ([errors.CONNECT_RESET, errors.CONNECT_REFUSED], errors.CONNECT_RESET),
        ([errors.ADDRESS_DENIED, errors.CONNECT_UNREACHABLE], errors.CONNECT_UNREACHABLE),
        ([errors.ADDRESS_DENIED, errors.ADDRESS_DENIED], errors.ADDRESS_DENIED),
    ],
)
def test_the_failure_that_says_most_is_told(codes: list[str], told: str) -> None:
    assert most_telling([DialError(code, "") for code in codes]).code == told


class Wire:
    """Addresses that connect, refuse or hang, as told; remembers who was tried and given up."""

    def __init__(self, **behaviour: str) -> None:
        self.behaviour = behaviour
        self.tried: list[str] = []
        self.given_up: list[str] = []
        self.made: dict[str, socket.socket] = {}

    async def attempt(self, found: Found) -> socket.socket:
        name = found[1][0][-1]
        self.tried.append(name)
        how = self.behaviour["n" + name]
        if how == "hangs":
            try:
                await asyncio.Event().wait()
            finally:
                self.given_up.append(name)
        if how == "refuses":
            raise DialError(errors.CONNECT_REFUSED, name)
        self.made[name] = socket.socket()
        return self.made[name]


def play(scenario: Callable[[], Coroutine[Any, Any, None]]) -> None:
    asyncio.run(asyncio.wait_for(scenario(), 10))


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(race, "STAGGER_S", 0.01)


def test_the_first_to_answer_is_the_only_one_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(race, "STAGGER_S", 10)
    wire = Wire(n1="connects", n2="connects")

    async def scenario() -> None:
        assert await race.race([four(1), four(2)], wire.attempt) is wire.made["1"]
        assert wire.tried == ["1"]

    play(scenario)
    wire.made["1"].close()


def test_one_that_refuses_is_followed_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(race, "STAGGER_S", 10)
    wire = Wire(n1="refuses", n2="refuses", n3="connects")

    async def scenario() -> None:
        found = [four(1), four(2), four(3)]
        assert await race.race(found, wire.attempt) is wire.made["3"]

    play(scenario)
    wire.made["3"].close()


def test_one_that_hangs_is_not_waited_for_and_given_up_in_the_end() -> None:
    wire = Wire(n1="hangs", n2="connects")

    async def scenario() -> None:
        assert await race.race([six(1), four(2)], wire.attempt) is wire.made["2"]
        await asyncio.sleep(0)
        assert wire.given_up == ["1"]

    play(scenario)
    wire.made["2"].close()


def test_of_two_that_answer_at_once_the_other_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(race, "STAGGER_S", 0)
    wire = Wire(n1="connects", n2="connects")
    both = asyncio.Event()

    async def attempt(found: Found) -> socket.socket:
        if found == four(2):
            both.set()
        await both.wait()
        return await wire.attempt(found)

    async def scenario() -> None:
        won = await race.race([four(1), four(2)], attempt)
        await asyncio.sleep(0)
        lost = next(made for made in wire.made.values() if made is not won)
        assert (won.fileno() >= 0, lost.fileno()) == (True, -1)
        won.close()

    play(scenario)


def test_all_that_fail_are_one_failure() -> None:
    wire = Wire(n1="refuses", n2="refuses")

    async def scenario() -> None:
        with pytest.raises(DialError) as failed:
            await race.race([four(1), four(2)], wire.attempt)
        assert failed.value.detail == "1"

    play(scenario)


def test_one_that_gives_up_the_race_gives_up_every_attempt() -> None:
    wire = Wire(n1="hangs", n2="hangs")

    async def scenario() -> None:
        racing = asyncio.ensure_future(race.race([four(1), four(2)], wire.attempt))
        while len(wire.tried) < 2:
            await asyncio.sleep(0.001)
        racing.cancel()
        await asyncio.wait({racing})
        await asyncio.sleep(0)
        assert sorted(wire.given_up) == ["1", "2"]

    play(scenario)
