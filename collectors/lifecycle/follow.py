"""Following the exchanges: a turn reads what is new, tells the registry, and counts its days."""

from collections.abc import Callable, Iterable, Mapping

from sqlalchemy import Engine

from app import logs
from app.commands import funnel_days, wire_steps
from app.commands.lifecycle_event import Sent
from app.commands.wire_steps import Cursor, Entered
from app.db import reading, registry_engine, transaction
from app.domain.funnel import ACTIVATED, Funnel
from app.domain.ids import id_floor
from app.domain.window import HOUR_US, SECOND_US, Window
from app.domain.words import Verdict
from app.errors import Unavailable
from app.models import InferenceRule
from app.store.port import ExchangeFilter, MetricsStore, StoredExchange
from collectors.lifecycle.meaning import ACTIVATES_US, Reader, Rule, is_use, sent, step_of

#: An exchange is read when it is so old: what started before it is loaded by then.
SETTLE_US = 65 * SECOND_US
#: The first time, so far back.
BACK_US = HOUR_US
PAGE = 5_000
#: Installations a turn looks up in older exchanges (more than one call can fold at the same
#: moment), and how many of these for each.
LOOKED_UP, _FIRST = 2_000, 20
#: Days counted anew in one transaction, and how many of these a turn has.
DAYS, SLICES = 200, 20

Readers = Mapping[str, Reader]


class Follower:
    """One for each metrics store. `count(reason)` counts turns that could not be made."""

    def __init__(
        self, store: MetricsStore, registry_url: str, count: Callable[[str], None]
    ) -> None:
        self._store = store
        self._engine: Engine = registry_engine(registry_url)
        self._count = count
        self._away = False
        self._log = logs.get("lifecycle")

    def turn(self, now_us: int) -> int:
        """Read what is new; how many events that made. With a database away nothing is done, and
        it is done by a later turn."""
        try:
            found = self._follow(now_us)
            self._count_days(now_us)
        except Unavailable as error:
            self._count("lifecycle_postponed")
            if not self._away:
                self._log.warning("lifecycle_postponed", reason=str(error))
            self._away = True
            return 0
        if self._away:
            self._log.info("lifecycle_goes_on")
        self._away = False
        return found

    def _follow(self, now_us: int) -> int:
        newest_us = self._store.newest_us()
        if newest_us is None:
            return 0
        until = id_floor(max(min(now_us, newest_us) - SETTLE_US, 0))
        with reading(self._engine) as session:
            at = wire_steps.cursor(session)
            readers = _readers(wire_steps.readers(session))
        at = at or Cursor(id_floor(max(now_us - BACK_US, 0)), now_us)
        at, made = self._look_up(at, readers, now_us)
        while page := self._page(at, until):
            at = Cursor(page[-1].id, at.folded_us)
            made += self._tell(self._meant(page, readers), at, now_us)
            if len(page) < PAGE:
                break
        return made

    def _page(self, at: Cursor, until: bytes) -> list[StoredExchange]:
        return self._store.find(
            ExchangeFilter(), after=at.exchange, before=until, limit=PAGE, oldest_first=True
        )

    def _meant(self, page: Iterable[StoredExchange], readers: Readers) -> list[Sent]:
        """The steps that exchanges mean, and the first use of installations that await it."""
        found: list[Sent] = []
        used: dict[tuple[str, str], list[StoredExchange]] = {}
        for each in page:
            reader = readers.get(each.integration)
            if reader is None or not each.installation:
                continue
            step = step_of(each, reader.rules)
            if step is not None:
                found.append(sent(each, step))
            elif is_use(each, reader):
                used.setdefault((each.integration, each.installation), []).append(each)
        if used:
            with reading(self._engine) as session:
                awaited = wire_steps.entered(session, {name for _slug, name in used})
            for key, entered_us in awaited.items():
                found += _first_use(used.get(key, ()), entered_us)
        return found

    def _look_up(self, at: Cursor, readers: Readers, now_us: int) -> tuple[Cursor, int]:
        """Installations told of after their exchanges were read: their first use, if it is kept."""
        with reading(self._engine) as session:
            oldest_us = now_us - 8 * ACTIVATES_US
            late = wire_steps.folded_since(session, at.folded_us, oldest_us, LOOKED_UP)
        if not late:
            return at, 0
        found = [event for each in late for event in self._used(each, at, readers)]
        until_us = late[-1].folded_us + 1 if len(late) < LOOKED_UP else late[-1].folded_us
        at = Cursor(at.exchange, max(until_us, at.folded_us + 1))
        return at, self._tell(found, at, now_us)

    def _used(self, late: Entered, at: Cursor, readers: Readers) -> list[Sent]:
        reader = readers.get(late.integration)
        if reader is None:
            return []
        where = ExchangeFilter(
            integrations=(late.integration,),
            installation=late.installation,
            verdict=Verdict.GOOD,
            window=Window(late.entered_us, late.entered_us + ACTIVATES_US + 1),
        )
        behind = at.exchange + b"\0"  # the newest one read has been read, too
        first = self._store.find(where, before=behind, limit=_FIRST, oldest_first=True)
        return _first_use([each for each in first if is_use(each, reader)], late.entered_us)

    def _tell(self, found: list[Sent], at: Cursor, now_us: int) -> int:
        with transaction(self._engine) as session:
            return wire_steps.take(session, found, at, now_us=now_us)

    def _count_days(self, now_us: int) -> None:
        for _ in range(SLICES):
            with transaction(self._engine) as session:
                if funnel_days.refresh(session, now_us=now_us, limit=DAYS) < DAYS:
                    return


def _first_use(used: Iterable[StoredExchange], entered_us: int) -> list[Sent]:
    """Its activation: the first use within a day of the entry."""
    for each in used:
        if entered_us <= each.started_us <= entered_us + ACTIVATES_US:
            return [sent(each, ACTIVATED)]
    return []


def _readers(found: Mapping[str, tuple[Funnel, list[InferenceRule]]]) -> Readers:
    return {
        slug: Reader(funnel, tuple(Rule(
            each.step, each.direction, each.operation, each.topic, each.status_from,
            each.status_to,
        ) for each in rules))
        for slug, (funnel, rules) in found.items()
    }  # fmt: skip
