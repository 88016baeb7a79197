"""Whatever arrives in whatever order, folded and expired at any moment: rollups equal a recount."""

from dataclasses import dataclass, field

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.domain.ids import exchange_id
from app.domain.window import DAY_US, HOUR_US, MINUTE_US, WEEK_US, Window
from app.domain.words import Fault, Outcome, Verdict
from app.store.port import MetricsStore, Retention, Rollups, StoredExchange
from tests.contract.conftest import Database
from tests.contract.worlds import NOW_US, assert_agrees, batch_of, everything, exchange

pytestmark = pytest.mark.slow

#: Raw rows stay, so that there is something to recount; rollups go soon.
RETENTION = Retention(1000 * DAY_US, 1000 * DAY_US, minutes_us=5 * HOUR_US, hours_us=3 * DAY_US)
STEPS = (None, MINUTE_US, 7 * MINUTE_US, HOUR_US, 90 * MINUTE_US, DAY_US, WEEK_US)

#: Minutes before now: often within the hour, sometimes days or months ago, sometimes ahead.
ages = st.one_of(
    st.integers(-5, 90), st.integers(0, 12 * 60), st.integers(0, 6 * 1440), st.integers(0, 144_000)
)
facts = st.fixed_dictionaries(
    {
        "integration": st.sampled_from(["globex", "initech", "unattributed"]),
        "operation": st.sampled_from(["GET /a", "POST /b", "other"]),
        "direction": st.integers(0, 1),
        "kind": st.integers(0, 1),
        "outcome": st.sampled_from([int(each) for each in Outcome]),
        "fault": st.sampled_from([int(each) for each in Fault]),
        "verdict": st.sampled_from([int(each) for each in Verdict]),
        "total_us": st.one_of(st.integers(0, 100), st.integers(0, 2**42)),
        "request_bytes": st.integers(0, 2**40),
        "response_bytes": st.integers(0, 2**40),
    }
)
spans = st.tuples(ages, ages).map(
    lambda pair: Window(NOW_US - max(pair) * MINUTE_US, NOW_US - (min(pair) - 1) * MINUTE_US)
)


@dataclass
class Append:
    rows: list[tuple[int, dict[str, object]]]


@dataclass
class Fold:
    age: int


@dataclass
class Expire:
    age: int


@dataclass
class Ask:
    window: Window
    step_us: int | None


moves = st.lists(
    st.one_of(
        st.builds(Append, st.lists(st.tuples(ages, facts), min_size=1, max_size=12)),
        st.builds(Append, st.lists(st.tuples(ages, facts), min_size=1, max_size=12)),
        st.builds(Fold, ages),
        st.builds(Expire, ages),
        st.builds(Ask, spans, st.sampled_from(STEPS)),
    ),
    min_size=3,
    max_size=14,
)


@dataclass
class Run:
    store: MetricsStore
    rows: list[StoredExchange] = field(default_factory=list)

    def do(self, move: object) -> None:
        match move:
            case Append(rows):
                new = [self._exchange(place, *row) for place, row in enumerate(rows)]
                self.store.append(batch_of(new))
                self.rows += new
            case Fold(age):
                self.store.fold(NOW_US - age * MINUTE_US)
            case Expire(age):
                self.store.expire(NOW_US - age * MINUTE_US, RETENTION, limit=5)
            case Ask(window, step_us):
                self.ask(window, step_us)

    def ask(self, window: Window, step_us: int | None) -> None:
        answer = self.store.rollups(window, step_us=step_us)
        assert_agrees(self.store, self.rows, window, step_us if _fits(answer, step_us) else None)

    def _exchange(self, place: int, age: int, fields: dict[str, object]) -> StoredExchange:
        started_us = NOW_US - age * MINUTE_US + place * 1000
        number = len(self.rows) + place
        return exchange(started_us, id=exchange_id(started_us, 9, number), **fields)


def _fits(answer: Rollups, step_us: int | None) -> bool:
    """Whether no row crosses the step's grid: longer ones stand where no shorter ones are kept."""
    if step_us is None:
        return False
    last_us = answer.t_us + answer.steps_us - 1
    return bool((answer.t_us // step_us == last_us // step_us).all())


@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(moves=moves, last=spans)
def test_rollups_equal_the_recount_at_every_step(
    database: Database, moves: list[object], last: Window
) -> None:
    url = database.new_url()
    store = database.open(url)
    run = Run(store)
    try:
        for move in moves:
            run.do(move)
            run.ask(Window(NOW_US - 2 * HOUR_US, NOW_US), None)
        for step_us in STEPS:
            run.ask(last, step_us)
        run.ask(Window(NOW_US - 101 * DAY_US, NOW_US + HOUR_US), None)
        assert everything(store) == sorted(run.rows, key=lambda row: row.id)
    finally:
        database.close()
        database.drop(url)
