"""Happy eyeballs (RFC 8305): of several addresses, the first to take a connection.

The families take turns, beginning with the one the resolver put first. An address that does not
answer for `STAGGER_S` is not waited for alone: the next one is tried beside it. The first
connection wins; the others are given up, and closed if they came after all.
"""

import asyncio
import socket
from collections.abc import Callable, Coroutine, Iterator
from typing import Any

from collectors.proxy.errors import ADDRESS_DENIED, ADDRESS_OWN, CONNECT_UNREACHABLE
from collectors.proxy.resolve import DialError, Found

#: RFC 8305, section 8: Connection Attempt Delay.
STAGGER_S = 0.25
#: Addresses tried for one connection: a name must not make a port scanner of the proxy.
MOST_TRIED = 8

#: From the one that says least.
_LEAST_TELLING = (ADDRESS_DENIED, ADDRESS_OWN, CONNECT_UNREACHABLE)

Attempt = Callable[[Found], Coroutine[Any, Any, socket.socket]]


def in_turns(found: list[Found]) -> list[Found]:
    """The addresses to try, families in turns, each family in the resolver's order. Pure."""
    first = [each for each in found if each[0] == found[0][0]]
    others = [each for each in found if each[0] != found[0][0]]
    turns: list[Found] = []
    while (first or others) and len(turns) < MOST_TRIED:
        for family in (first, others):
            if family:
                turns.append(family.pop(0))
    return turns[:MOST_TRIED]


def most_telling(failures: list[DialError]) -> DialError:
    """Of several failures the one to report: an address that was not dialled, or led nowhere, says
    less than one that answered badly. The earlier one if they say the same. Pure."""
    return max(failures, key=_says)


async def race(found: list[Found], attempt: Attempt) -> socket.socket:
    """The first connection that `attempt` makes; `DialError` once all have failed.

    `found` has at least one address.
    """
    waiting = iter(in_turns(found))
    running: set[asyncio.Task[socket.socket]] = set()
    failures: list[DialError] = []
    try:
        more = _start(waiting, attempt, running)
        while running:
            done, _ = await asyncio.wait(
                running, timeout=STAGGER_S if more else None, return_when=asyncio.FIRST_COMPLETED
            )
            for task in done:
                running.discard(task)
                try:
                    return task.result()
                except DialError as error:
                    failures.append(error)
            if more:
                more = _start(waiting, attempt, running)
    finally:
        for task in running:
            task.add_done_callback(_close)
            task.cancel()
    raise most_telling(failures)


def _start(
    waiting: Iterator[Found], attempt: Attempt, running: set[asyncio.Task[socket.socket]]
) -> bool:
    """Begin with the next address; whether there was one."""
    found = next(waiting, None)
    if found is None:
        return False
    running.add(asyncio.get_running_loop().create_task(attempt(found), name="connect"))
    return True


def _close(task: asyncio.Task[socket.socket]) -> None:
    if not task.cancelled() and task.exception() is None:
        task.result().close()


def _says(failure: DialError) -> int:
    codes = _LEAST_TELLING
    return codes.index(failure.code) if failure.code in codes else len(codes)
