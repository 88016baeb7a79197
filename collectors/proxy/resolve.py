"""Looking names up: each name is asked for once at a time, and what is found is kept for a while.

A burst towards one integration asks once. The machine's resolver says nothing of how long an
answer is good for, so an answer is kept for a time of our own (`Keeping`), a failure for a shorter
one. While the resolver fails, or takes long, an answer that was good not long ago still serves; a
name that does not exist is believed at once. What is kept gains nobody anything: an address is
checked each time that it is dialled.

Each question waits in a thread of its own, a bounded number of them at a time: a name whose servers
say nothing holds up its own integration and no other.
"""

import asyncio
import socket
import threading
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from functools import partial
from typing import NamedTuple, cast

from collectors.proxy import errors
from collectors.proxy.routes import Origin

#: (family, socket address) as getaddrinfo gives them.
Address = tuple[str, int] | tuple[str, int, int, int]
Found = tuple[int, Address]
Ask = Callable[[str, int], Awaitable[list[Found]]]
_Name = tuple[str, int]

#: How long a question may take before an earlier answer serves in its place.
PATIENCE_S = 0.3
#: Questions that wait for the machine's resolver at a time.
_AT_A_TIME = 64
#: Names kept before the old ones are looked for; they come from the registry, so this is plenty.
_MOST_KEPT = 4096

_NOT_FOUND = frozenset({socket.EAI_NONAME, getattr(socket, "EAI_NODATA", socket.EAI_NONAME)})


class DialError(Exception):
    """A connection that was not made; `code` is one of `collectors.proxy.errors`."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(f"{code}: {detail}")
        self.code = code
        self.detail = detail


class Keeping(NamedTuple):
    """How long, in nanoseconds: an answer is used unasked; a failure is; and how old an answer may
    be that serves while the resolver fails."""

    found_ns: int = 10_000_000_000
    failed_ns: int = 1_000_000_000
    stale_ns: int = 300_000_000_000


class _Answer(NamedTuple):
    at_ns: int
    found: list[Found]


class _Failure(NamedTuple):
    at_ns: int
    code: str
    detail: str


class _Question(NamedTuple):
    at_ns: int
    task: asyncio.Task[list[Found]]


class Resolver:
    """Answers about names, for the life of one event loop. `stale` counts the answers that served
    in place of a failure."""

    def __init__(
        self,
        keeping: Keeping = Keeping(),  # noqa: B008 - immutable
        ask: Ask | None = None,
        clock_ns: Callable[[], int] = time.monotonic_ns,
    ) -> None:
        self._keeping = keeping
        self._ask = ask or Machine().ask
        self._clock_ns = clock_ns
        self._asking: dict[_Name, _Question] = {}
        self._answers: dict[_Name, _Answer] = {}
        self._failures: dict[_Name, _Failure] = {}
        self.stale = 0

    async def look_up(self, origin: Origin) -> list[Found]:
        """The addresses of the host, in the resolver's order, or `DialError`."""
        name = (origin.host, origin.port)
        now_ns, keeping = self._clock_ns(), self._keeping
        answer, failure = self._answers.get(name), self._failures.get(name)
        if answer and now_ns - answer.at_ns < keeping.found_ns:
            return answer.found
        spare = answer.found if answer and now_ns - answer.at_ns < keeping.stale_ns else None
        if failure and now_ns - failure.at_ns < keeping.failed_ns:
            if spare and failure.code == errors.DNS_FAILED:
                return self._serve(spare)
            raise DialError(failure.code, failure.detail)
        question = self._asking.get(name) or self._begin(name, now_ns)
        if spare and not await self._answers_soon(question):
            return self._serve(spare)
        # A caller that gives up leaves the question to the others.
        return await asyncio.shield(question.task)

    def _serve(self, spare: list[Found]) -> list[Found]:
        self.stale += 1
        return spare

    def _begin(self, name: _Name, now_ns: int) -> _Question:
        task = asyncio.get_running_loop().create_task(self._resolve(*name), name="look_up")
        question = self._asking[name] = _Question(now_ns, task)
        task.add_done_callback(partial(self._answered, name))
        return question

    async def _answers_soon(self, question: _Question) -> bool:
        """Whether the question is answered in time, be it that the name does not exist."""
        waited_s = (self._clock_ns() - question.at_ns) / 1e9
        done, _ = await asyncio.wait({question.task}, timeout=max(0.0, PATIENCE_S - waited_s))
        if not done or question.task.cancelled():
            return False
        error = question.task.exception()
        return not (isinstance(error, DialError) and error.code == errors.DNS_FAILED)

    def _answered(self, name: _Name, done: asyncio.Task[list[Found]]) -> None:
        del self._asking[name]
        if done.cancelled():
            return
        error, now_ns = done.exception(), self._clock_ns()
        if error is None:
            self._failures.pop(name, None)
            self._answers[name] = _Answer(now_ns, done.result())
        elif isinstance(error, DialError):
            self._failures[name] = _Failure(now_ns, error.code, error.detail)
            if error.code == errors.DNS_NOT_FOUND:
                self._answers.pop(name, None)
        if len(self._answers) + len(self._failures) > _MOST_KEPT:
            self._forget(now_ns - self._keeping.stale_ns)

    def _forget(self, before_ns: int) -> None:
        self._answers = {n: a for n, a in self._answers.items() if a.at_ns > before_ns}
        self._failures = {n: f for n, f in self._failures.items() if f.at_ns > before_ns}

    async def _resolve(self, host: str, port: int) -> list[Found]:
        try:
            return await self._ask(host, port)
        except socket.gaierror as error:
            code = errors.DNS_NOT_FOUND if error.errno in _NOT_FOUND else errors.DNS_FAILED
            raise DialError(code, f"{host}: {error.strerror}") from error
        except (OSError, UnicodeError) as error:
            raise DialError(errors.DNS_FAILED, f"{host}: {error}") from error


class Machine:
    """The machine's resolver. A look-up waits in a thread that ends with the process: one that
    hangs never holds up a stop."""

    def __init__(self) -> None:
        self._room = asyncio.Semaphore(_AT_A_TIME)

    async def ask(self, host: str, port: int) -> list[Found]:
        """The addresses of a host; at once if it is an address already, however it is spelt."""
        with suppress(socket.gaierror):
            return _look(host, port, socket.AI_NUMERICHOST)
        async with self._room:
            return await _in_thread(partial(_look, host, port))


def _look(host: str, port: int, flags: int = 0) -> list[Found]:
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=flags)
    return [(family, cast(Address, address)) for family, _, _, _, address in found]


async def _in_thread(work: Callable[[], list[Found]]) -> list[Found]:
    loop = asyncio.get_running_loop()
    waiting: asyncio.Future[list[Found]] = loop.create_future()

    def settle(found: list[Found] | BaseException) -> None:
        if waiting.done():
            return
        if isinstance(found, BaseException):
            waiting.set_exception(found)
        else:
            waiting.set_result(found)

    def run() -> None:
        found: list[Found] | BaseException
        try:
            found = work()
        except Exception as error:  # noqa: BLE001 - handed on to whoever waits
            found = error
        with suppress(RuntimeError):  # the loop is closed: nobody waits any more
            loop.call_soon_threadsafe(settle, found)

    threading.Thread(target=run, name="look_up", daemon=True).start()
    return await waiting
