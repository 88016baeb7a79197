"""The parent of workers: starts them, starts a dead one again, replaces them, ends them together.

It holds no connection and no journal, but a copy of every listening socket, so that no caller is
lost while a worker is replaced. Told to reload, it reads the settings anew, starts a new worker
for each, and lets the old ones end their exchanges once all new ones serve; if one of them cannot
begin, the old ones stay. What is started anew gets a journal that no living worker writes.
"""

import errno
import math
import os
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass

from app import logs
from app.errors import MidspanError
from app.settings import Settings
from collectors.proxy.child import CANNOT_BEGIN, Child
from collectors.proxy.listening import Listeners, check_ports, open_listeners
from collectors.proxy.metrics import boards_folder, forget_boards

_WATCHED = {signal.SIGCHLD, signal.SIGTERM, signal.SIGINT, signal.SIGHUP}
_POLL_S = 0.1
#: A worker that lived this long starts again at once.
_STEADY_S = 10.0
_LONGEST_DELAY_S = 10.0
#: Beyond its time to drain, before a worker is killed; and before a new one must serve.
_PATIENCE_S, _BEGIN_S = 5.0, 60.0


@dataclass(slots=True)
class _Post:
    """A place for a worker, and who holds it; None while it waits to be started again.

    `began` is whether a worker has ever served here, `deaths` how many in a row died young.
    """

    index: int
    listeners: Listeners
    child: Child | None = None
    due: float = 0.0
    deaths: int = 0
    began: bool = False


@dataclass(slots=True)
class _Generation:
    """Workers that were started together, under the same settings."""

    settings: Settings
    posts: list[_Post]

    @property
    def listeners(self) -> list[Listeners]:
        return [post.listeners for post in self.posts]


def restart_delay_s(deaths: int) -> float:
    """How long to wait before starting a worker again that died young `deaths` times in a row."""
    return 0.0 if deaths == 0 else min(_LONGEST_DELAY_S, 0.25 * 2.0 ** (deaths - 1))


class Supervisor:
    """See the module. `load` reads the settings anew."""

    def __init__(self, settings: Settings, load: Callable[[], Settings]) -> None:
        self._load = load
        self._serving = _Generation(settings, [])
        self._coming: _Generation | None = None
        self._leaving: list[tuple[Child, float]] = []
        self._own_index: int | None = None
        self._again = self._ending = False
        self._fresh = True  # an earlier life's figures may still lie about
        self._log = logs.get("supervisor")

    # The beginning: either all workers are children, or the first one is this process itself.

    def begin(self) -> None:
        """Start the first workers; `MidspanError` if they have nowhere to listen."""
        settings = self._serving.settings
        for index in range(settings.proxy_workers):
            self._serving.posts.append(_Post(index, open_listeners(settings)))

    def begin_alone(self) -> Listeners:
        """Leave the first worker to this process: its sockets."""
        settings = self._serving.settings
        self._own_index, self._fresh = 0, False
        post = _Post(0, open_listeners(settings), due=math.inf)
        self._serving.posts.append(post)
        return post.listeners.copies()

    @property
    def relieved(self) -> bool:
        """Whether children serve in place of this process, if it was a worker itself."""
        return self._own_index is None or any(post.child for post in self._serving.posts)

    def release(self) -> None:
        """This process ends as the worker it is: nobody will follow."""
        self._ending = True
        self._give_up_coming()
        for post in self._serving.posts:
            post.listeners.close()

    # What happens.

    def run(self) -> int:
        """Tend the workers until told to stop; the exit code."""
        self._own_index = None
        signal.pthread_sigmask(signal.SIG_BLOCK, _WATCHED)
        try:
            while self.tend():
                arrived = signal.sigtimedwait(_WATCHED, _POLL_S)
                # Stopped and continued, Python tells of a signal that there never was.
                number = arrived.si_signo if arrived else 0
                if number == signal.SIGHUP:
                    self.reload()
                elif number in (signal.SIGTERM, signal.SIGINT):
                    return 0
            return 1
        finally:
            self.end()

    def reload(self) -> None:
        """Begin to replace the workers; what stands stays until the new ones serve."""
        if self._ending:
            return
        if self._coming is not None or len(self._leaving) >= 2 * len(self._serving.posts):
            self._again = True
            return
        self._again = False
        try:
            self._coming = self._summon()
        except (MidspanError, OSError) as error:
            self._log.error("reload_failed", error=str(error))

    def tend(self) -> bool:
        """Notice what happened to the workers and act on it. False: they cannot begin at all."""
        now = time.monotonic()
        self._see_off(now)
        for post in self._serving.posts:
            if not self._mind(post, now):
                return False
        if self._fresh and all(post.began for post in self._serving.posts):
            self._fresh = False
            settings = self._serving.settings
            forget_boards(boards_folder(settings.home), settings.proxy_workers)
        if self._coming is not None:
            self._welcome(self._coming, now)
        elif self._again:
            self.reload()
        return True

    def end(self) -> None:
        """Let every worker end what is under way, and kill those that do not."""
        self._ending = True
        self._give_up_coming()
        self._retire(self._serving, [])
        while self._leaving:
            signal.sigtimedwait({signal.SIGCHLD}, _POLL_S)
            self._see_off(time.monotonic())

    # Inside.

    def _mind(self, post: _Post, now: float) -> bool:
        """Start the worker of a post if it is due. False: it cannot begin, and has said why."""
        if post.child is not None:
            code = post.child.look()
            post.began |= post.child.ready
            if code is None:
                return True
            if code == CANNOT_BEGIN and not post.began:
                return False
            self._plan_restart(post, code, now - post.child.began)
        if post.due <= now:
            self._start(post)
        return True

    def _plan_restart(self, post: _Post, code: int, lived_s: float) -> None:
        post.child = None
        post.deaths = 0 if lived_s > _STEADY_S else post.deaths + 1
        delay_s = restart_delay_s(post.deaths)
        post.due = time.monotonic() + delay_s
        self._log.error("worker_died", worker=post.index, code=code, restart_in_s=delay_s)
        if post.deaths > 1:  # callers need not wait: other workers take them, or they are refused
            post.listeners.close()

    def _start(self, post: _Post) -> None:
        """A new worker at a post; if the machine has no room for one, later."""
        try:
            if post.listeners.closed:
                post.listeners = open_listeners(self._serving.settings)
            post.child = Child(post.index, post.listeners)
        except (MidspanError, OSError) as error:
            post.due = time.monotonic() + _LONGEST_DELAY_S
            self._log.error("worker_not_started", worker=post.index, error=str(error))
        else:
            self._log.info("worker_started", worker=post.index, pid=post.child.pid)

    def _summon(self) -> _Generation:
        """The next generation, started; `MidspanError` or `OSError` if it has nowhere to be."""
        settings, former = self._load(), self._serving
        check_ports(settings, former.settings)
        check_home(settings)
        coming = _Generation(settings, [])
        try:
            for number, index in enumerate(self._free(settings.proxy_workers)):
                old = former.posts[number] if number < len(former.posts) else None
                known = (
                    (former.settings, old.listeners) if old and not old.listeners.closed else None
                )
                coming.posts.append(_Post(index, open_listeners(settings, known)))
        except (MidspanError, OSError):
            self._retire(coming, former.listeners)
            raise
        for post in coming.posts:
            self._start(post)
        return coming

    def _free(self, count: int) -> list[int]:
        """The lowest numbers that no living worker has."""
        taken = {post.index for post in self._serving.posts}
        taken |= {child.index for child, _ in self._leaving}
        if self._own_index is not None:
            taken.add(self._own_index)
        return [n for n in range(count + len(taken)) if n not in taken][:count]

    def _welcome(self, coming: _Generation, now: float) -> None:
        """Let the new ones serve alone once all are ready, or give them up if one is not."""
        children = [post.child for post in coming.posts if post.child is not None]
        if len(children) < len(coming.posts) or any(c.look() is not None for c in children):
            failed = "a new worker did not begin"
        elif all(child.ready for child in children):
            self._coming = None
            self._retire(self._serving, coming.listeners)
            self._serving = coming
            self._log.info("reloaded", workers=len(children))
            return
        elif any(now - child.began > _BEGIN_S for child in children):
            failed = f"a new worker did not serve within {_BEGIN_S:g} s"
        else:
            return
        self._log.error("reload_failed", error=failed)
        self._give_up_coming()

    def _give_up_coming(self) -> None:
        if self._coming is not None:
            self._retire(self._coming, self._serving.listeners)
            self._coming = None

    def _retire(self, generation: _Generation, others: list[Listeners]) -> None:
        """Let go of a generation's sockets and let its workers end; `others` still serve theirs."""
        give_up = time.monotonic() + generation.settings.drain_us / 1e6 + _PATIENCE_S
        for post in generation.posts:
            if not post.listeners.closed:
                post.listeners.refuse(but=others)
                post.listeners.close()
            if post.child is not None:
                post.child.tell(signal.SIGTERM)
                self._leaving.append((post.child, give_up))
        generation.posts.clear()

    def _see_off(self, now: float) -> None:
        """Forget those that have ended, and kill those that take too long."""
        self._leaving = [(child, until) for child, until in self._leaving if child.look() is None]
        for child, until in self._leaving:
            if now > until:
                child.tell(signal.SIGKILL)


def check_home(settings: Settings) -> None:
    """`MidspanError` if no worker could keep a journal: said once, not by each of them."""
    folder = settings.journal_dir
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not os.access(folder, os.W_OK | os.X_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
    except OSError as error:
        raise MidspanError(
            f"cannot write {folder}: {error.strerror}; make it writable or set MIDSPAN_HOME"
        ) from error
