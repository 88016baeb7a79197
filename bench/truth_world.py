"""A month of traffic with everything planted that rules should find, and noise that they should
not.

Integrations from a few exchanges an hour to dozens a minute, with days and nights, weekends and a
holiday, errors that come and go below the objective, blips of a minute or three, hiccups of the
platform. Everything is drawn by the minute, and seen as `alerts.measures` would see it. An
incident has to be told at the first evaluation at which what was drawn burns too fast, counted here
apart from the product; how soon that is to be expected follows from what was planted, without the
noise.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from alerts.evaluate import Seen, asked, quiet_windows
from app.domain.health import wilson
from app.domain.route import Breaker
from app.domain.rule import BURN_WINDOWS, MIN_EVENTS, WAKING, CircuitNear, Rule
from app.domain.window import HOUR_US, MINUTE_US, Window
from app.queries.circuit_counts import CircuitCounts
from app.queries.counts import Counted, Counts, CountsView
from app.queries.results import IntegrationView, ObjectiveView

DAY, WEEK = 24 * 60, 7 * 24 * 60
#: Before the first evaluation: what silence is measured against.
PAST = 4 * WEEK
ALLOWED, WINDOW = 0.005, 28 * DAY
START_US = 1_764_547_200_000_000  # a Monday, 00:00 UTC
_OBJECTIVES = (
    ObjectiveView("availability", 1 - ALLOWED, "28d", None),
    ObjectiveView("latency", 0.95, "28d", 800),
)
_FACTORS = [
    (each.budget_ratio * WINDOW * MINUTE_US / each.long_us, each.long_us // MINUTE_US,
     each.short_us // MINUTE_US,
     0 if each.severity in WAKING else each.short_us // MINUTE_US // 4)
    for each in BURN_WINDOWS
]  # fmt: skip
#: Minutes for a silence, and for an outage of the platform: their windows, and three.
_OF_NOTHING = (15 + 3, 5 + 3)

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Incident:
    """Something planted: minutes since the first evaluation. `who` None: everybody. `share` of the
    exchanges fail, `volume` times as many as usual are tried, in turns of `turn` minutes on and off
    if that is set; `answered`: failures have an HTTP answer."""

    kind: str
    who: int | None
    start: int
    length: int
    share: float = 0.0
    volume: float = 1.0
    turn: int = 0
    answered: bool = True
    platform: bool = False

    @property
    def end(self) -> int:
        return self.start + self.length

    def minutes(self) -> Ints:
        """The minutes in which it is wrong."""
        all_of_them = np.arange(self.start, self.end)
        return all_of_them[(all_of_them - self.start) // self.turn % 2 == 0] if self.turn else (
            all_of_them
        )  # fmt: skip


@dataclass
class TruthWorld:
    """What crossed, by integration and minute from `PAST` minutes before the first evaluation.

    `watched`: the integrations that `see` shows, all without it; what crosses is the same.
    """

    days: int
    rates: Sequence[float]
    incidents: Sequence[Incident]
    seed: int = 20_261_127
    watched: Sequence[int] = ()
    usual: Floats = field(init=False)
    tried: Floats = field(init=False)
    fails: Floats = field(init=False)

    def __post_init__(self) -> None:
        self._random = np.random.default_rng(self.seed)
        self._expected_for: tuple[int, dict[tuple[str, int], float]] = (-1, {})
        self.views = [
            IntegrationView(
                f"integration-{n:02d}", f"I{n}", f"partner-{n // 2:02d}", f"P{n // 2}", "public",
                None, _OBJECTIVES,
            )
            for n in range(len(self.rates))
        ]  # fmt: skip
        self.watched = list(self.watched or range(len(self.rates)))
        self._draw_usual()
        self._draw()

    def see(self, rules: Iterable[Rule], now_us: int, own: object) -> Seen:
        """What `alerts.measures.Measures` would see at `now_us`."""
        end, wanted = (now_us - START_US) // MINUTE_US + PAST, list(rules)
        found = {each: self._counts(end, each.window_us) for each in asked(wanted)}
        return Seen(
            [self.views[row] for row in self.watched], found,
            self._expected(end, quiet_windows(wanted)),
            facts={
                each: self._circuits(end, each.window_us) if isinstance(each, CircuitNear) else {}
                for rule in wanted
                for each in rule.conditions
            },
        )  # fmt: skip

    def _circuits(self, end: int, window_us: int) -> dict[str, CircuitCounts]:
        """All that is bad fails by the partner's fault, of calls by the platform."""
        start = end - window_us // MINUTE_US
        return {
            self.views[row].slug: CircuitCounts(int(bad), int(good + bad), Breaker().error_ratio)
            for row in self.watched
            for good, bad in [[each[row, end] - each[row, start] for each in self._sums[:2]]]
            if good + bad
        }

    def planned(self, incident: Incident) -> float:
        """Minutes from its start within which it is to be expected: when the rules hold for what
        was planted, without noise, and a tenth and three minutes for that, a quarter of an hour
        more for a ticket."""
        if incident.who is None or incident.volume == 0:
            return _OF_NOTHING[incident.who is None]
        tried = self.tried[incident.who]
        bad = tried * self.fails[incident.who]
        sums = [np.concatenate([[0.0], each.cumsum()]) for each in (tried, bad)]
        start = incident.start + PAST
        for end in range(start + 1, incident.end + PAST + 1):
            for factor, long, short, waits in _FACTORS:
                if _burns(*sums, end, long, short, factor):
                    return (end - start) * 1.1 + 3 + min(waits, 15)
        raise AssertionError(f"{incident} is too small to be found")

    def promised(self, incident: Incident) -> float:
        """Minutes from its start at which it has to be told: at the first evaluation at which what
        was drawn burns too fast over both windows, for as long as a ticket waits. Whether few
        exchanges fail sooner or later than planned is chance; that it is told then is not."""
        if incident.who is None or incident.volume == 0:
            return _OF_NOTHING[incident.who is None]
        good, bad = (each[incident.who] for each in self._sums[:2])
        start, burnt = incident.start + PAST, [0] * len(_FACTORS)
        for end in range(start + 1, incident.end + PAST + 1):
            for place, (factor, long, short, waits) in enumerate(_FACTORS):
                burns = _burns(good + bad, bad, end, long, short, factor)
                burnt[place] = burnt[place] + 1 if burns else 0
                if burnt[place] > waits:
                    return end - start
        raise AssertionError(f"{incident} was never to be seen")

    def _draw_usual(self) -> None:
        minutes = self.days * DAY + PAST
        at = np.arange(minutes)
        self.usual = np.empty((len(self.rates), minutes))
        for row, rate in enumerate(self.rates):
            day = 1 + 0.7 * np.sin((at / DAY + row % 5 / 24 - 0.3) * 2 * np.pi)
            weekend = np.where(at // DAY % 7 >= 5, 0.45, 1.0)
            wobble = self._random.gamma(20, 1 / 20, -(-minutes // 60)).repeat(60)[:minutes]
            self.usual[row] = rate * day * weekend * wobble
        holiday = PAST + DAY * (self.days // 2)
        self.usual[:, holiday : holiday + DAY] *= 0.3

    def _draw(self) -> None:
        self.tried, shape = self.usual.copy(), self.usual.shape
        hours = -(-shape[1] // 60)
        low = self._random.uniform(0.0002, 0.0015, (shape[0], 1))
        wobble = self._random.gamma(4, 1 / 4, (shape[0], hours)).repeat(60, axis=1)
        self.fails = (low * wobble[:, : shape[1]]).clip(0, 1)
        platform, unanswered = np.zeros(shape), np.zeros(shape)
        self._plant(platform, unanswered)
        noisy = self._with_blips(platform)
        total = self._random.poisson(self.tried)
        outage = self._random.binomial(total, platform)
        customer = self._random.binomial(total - outage, 0.01)
        eligible = total - outage - customer
        bad = self._random.binomial(eligible, noisy)
        slow = self._random.binomial(eligible, self._random.uniform(0.005, 0.03, (shape[0], 1)))
        self._sums = [
            np.concatenate([np.zeros((shape[0], 1), dtype=np.int64), each.cumsum(axis=1)], axis=1)
            for each in (
                eligible - bad, bad, outage, customer, total - (bad * unanswered).astype(int), slow,
            )
        ]  # fmt: skip

    def _plant(self, platform: Floats, unanswered: Floats) -> None:
        for each in self.incidents:
            rows = slice(None) if each.who is None else slice(each.who, each.who + 1)
            for minute in each.minutes() + PAST:
                self.tried[rows, minute] *= each.volume
                if each.platform:
                    platform[rows, minute] = each.share
                elif each.share:
                    self.fails[rows, minute] = each.share
                    unanswered[rows, minute] = not each.answered

    def _with_blips(self, platform: Floats) -> Floats:
        """Bad minutes that wake nobody: one a day for each integration, three in a row a week, and
        a hiccup of the platform of two minutes a week."""
        noisy = self.fails.copy()
        for length, share, every in ((1, 0.3, DAY), (3, 0.5, WEEK)):
            for row in range(noisy.shape[0]):
                for first in range(0, noisy.shape[1] - every, every):
                    at = first + int(self._random.integers(every - length))
                    noisy[row, at : at + length] = np.maximum(noisy[row, at : at + length], share)
        for first in range(0, platform.shape[1] - WEEK, WEEK):
            at = first + int(self._random.integers(WEEK - 2))
            platform[:, at : at + 2] = np.maximum(platform[:, at : at + 2], 0.5)
        return noisy

    def _counts(self, end: int, window_us: int) -> CountsView:
        start = max(0, end - window_us // MINUTE_US)
        columns = [
            (each[self.watched, end] - each[self.watched, start]).tolist() for each in self._sums
        ]
        window = Window(START_US + (start - PAST) * MINUTE_US, START_US + (end - PAST) * MINUTE_US)
        return CountsView(
            window,
            {
                Counted(self.views[row].slug): Counts(
                    good=good, bad=bad, excluded=outage + customer, answered=answered,
                    timed=good + bad, above={800: slow},
                    bad_by_fault={"partner": bad} if bad else {},
                    excluded_by_fault={"platform": outage, "customer": customer},
                )
                for row, good, bad, outage, customer, answered, slow in zip(
                    self.watched, *columns, strict=True
                )
            },
        )  # fmt: skip

    def _expected(self, end: int, windows: Collection[int]) -> Mapping[tuple[str, int], float]:
        hour = end // 60 * 60
        if self._expected_for[0] != hour:
            starts = [hour - week * WEEK for week in range(1, 5)]
            past = [
                sum(each[:, start + 60] - each[:, start] for each in self._sums[:4])
                for start in starts
            ]
            median = np.median(np.array(past), axis=0)
            found = {
                (view.slug, window_us): float(median[row]) * window_us / HOUR_US
                for row, view in enumerate(self.views)
                for window_us in windows
            }
            self._expected_for = (hour, found)
        return self._expected_for[1]


def _burns(
    total: Floats | Ints, bad: Floats | Ints, end: int, long: int, short: int, factor: float
) -> bool:
    """Whether a budget burns faster than `factor` over the long window, surely, and the short one;
    `total` and `bad` are sums up to each minute."""
    of_long, of_short = (
        (float(total[end] - total[end - length]), float(bad[end] - bad[end - length]))
        for length in (long, short)
    )
    least, _ = wilson(round(of_long[1]), round(of_long[0])) or (0.0, 0.0)
    limit = factor * ALLOWED
    return of_long[0] >= MIN_EVENTS and least > limit and of_short[1] > limit * of_short[0]
