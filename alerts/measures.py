"""What rules ask about, measured: this file and `alerts.facts` ask the queries.

Only complete minutes count: a window ends with the last minute that is over, so that a number does
not sink because a minute is young. What cannot be read is left out of `Seen`, which makes the rules
that need it find an error; the others are evaluated as ever.
"""

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from itertools import product
from pathlib import Path
from statistics import median

from alerts.conditions import Verdict
from alerts.evaluate import Asked, Seen, asked, compares_weeks, quiet_windows
from alerts.facts import Facts
from alerts.failing import Circuit
from app.auth.caller import own_scope
from app.domain.alert import Finding
from app.domain.gates import CLOSED, FILES, decode_gates, merged
from app.domain.phrases import count, percent, span
from app.domain.rule import Own, Rule
from app.domain.window import HOUR_US, MINUTE_US, SECOND_US, WEEK_US, ceil, floor
from app.errors import Unavailable
from app.logs import get as get_logger
from app.queries import Reading, list_integrations
from app.queries.counts import Counts, CountsView, counts

#: How many past weeks say what is to be expected.
_WEEKS = 4
_SHED_WINDOW_US = 5 * MINUTE_US
#: A loader that wrote no status for so long hangs or is gone.
_GONE_US = 30 * SECOND_US
#: So far behind, pages and alerts are about the past.
_BEHIND_BYTES = 32 * 1024 * 1024

Expected = dict[tuple[str, int], float]


class Measures:
    """Measures for one evaluation after another, and remembers what past weeks had: that changes
    once an hour."""

    def __init__(self, reading: Reading, home: Path) -> None:
        self._reading = reading
        self._status = home / "status"
        self._expected: Expected = {}
        self._expected_for: tuple[int, frozenset[int]] | None = None
        self._usual_hours: dict[str, list[Counts]] = {}
        self._usual_for: int | None = None
        self._facts = Facts(reading)
        self._log = get_logger("alerts")

    def see(self, rules: Iterable[Rule], now_us: int, own: Mapping[Own, Verdict]) -> Seen:
        """Everything that these rules ask about, at `now_us`. `own` is what the caller knows of
        Midspan itself; the rest of it is measured here."""
        wanted = list(rules)
        try:
            integrations = list_integrations(self._reading, own_scope())
        except Unavailable as error:
            self._log.warning("registry_unread", reason=str(error))
            return Seen((), own={**self._own(now_us, {}), **own}, readable=False)
        found = self._counts(asked(wanted) | {Asked(_SHED_WINDOW_US)}, now_us)
        return Seen(
            integrations,
            found,
            self._expect(quiet_windows(wanted), now_us),
            self._usual(now_us) if compares_weeks(wanted) else {},
            self._circuits(now_us),
            {**self._own(now_us, found), **own},
            self._facts.see(wanted, [each.slug for each in integrations], now_us),
        )

    def _counts(self, wanted: Iterable[Asked], now_us: int) -> dict[Asked, CountsView]:
        end_us = floor(now_us, MINUTE_US)
        lengths: dict[bool, set[int]] = defaultdict(set)
        for each in wanted:
            lengths[each.operations].add(each.window_us)
        found: dict[Asked, CountsView] = {}
        for operations, some in lengths.items():
            try:
                views = counts(self._reading, own_scope(), end_us, some, operations=operations)
            except Unavailable as error:
                self._log.warning("store_unread", reason=str(error))
            else:
                found |= {Asked(length_us, operations): view for length_us, view in views.items()}
        return found

    def _expect(self, windows: set[int], now_us: int) -> Expected:
        """By integration and window, how many exchanges the same hour of past weeks had, scaled
        to the window: the median, so that one odd week says nothing."""
        hour_us = floor(now_us, HOUR_US)
        if self._expected_for == (hour_us, frozenset(windows)):
            return self._expected
        past: dict[int, CountsView] = {}
        for week in range(1, _WEEKS + 1):
            end_us = hour_us - week * WEEK_US + HOUR_US
            try:
                past[week] = counts(self._reading, own_scope(), end_us, [HOUR_US])[HOUR_US]
            except Unavailable as error:
                self._log.warning("store_unread", reason=str(error))
                return self._expected
        names = {key.integration for view in past.values() for key in view.counts}
        self._expected = {
            (name, window_us): window_us
            * median(
                view.of(name).proxied / max(HOUR_US, view.window.length_us)
                for view in past.values()
            )
            for name in names
            for window_us in windows
        }
        self._expected_for = (hour_us, frozenset(windows))
        return self._expected

    def _usual(self, now_us: int) -> Mapping[str, Sequence[Counts]]:
        """By integration this hour of past weeks and the hours beside it, as far as hours are still
        kept."""
        hour_us = floor(now_us, HOUR_US)
        if self._usual_for == hour_us:
            return self._usual_hours
        found: dict[str, list[Counts]] = defaultdict(list)
        for week, beside in product(range(1, _WEEKS + 1), (-1, 0, 1)):
            end_us = hour_us - week * WEEK_US + (beside + 1) * HOUR_US
            try:
                view = counts(self._reading, own_scope(), end_us, [HOUR_US])[HOUR_US]
            except Unavailable as error:
                self._log.warning("store_unread", reason=str(error))
                return self._usual_hours
            if view.window.length_us == HOUR_US:
                for key, each in view.counts.items():
                    found[key.integration].append(each)
        self._usual_hours, self._usual_for = found, hour_us
        return found

    def _circuits(self, now_us: int) -> dict[str, Circuit]:
        states = []
        for path in self._status.glob(FILES):
            try:
                states += decode_gates(path.read_bytes(), now_us)
            except (OSError, ValueError) as error:
                self._log.warning("gates_unread", path=str(path), reason=str(error))
        return {
            state.integration: Circuit(
                state.since_us or now_us,
                f"{count(state.failed)} of {count(state.counted)} exchanges failed"
                f" ({percent(state.failed / state.counted) if state.counted else 'none'})",
            )
            for state in merged(states)
            if state.circuit != CLOSED
        }

    def _own(self, now_us: int, found: Mapping[Asked, CountsView]) -> dict[Own, Verdict]:
        own = self._loader(now_us)
        view = found.get(Asked(_SHED_WINDOW_US))
        shed = sum(each.shed for each in view.counts.values()) if view else 0
        if shed:
            own[Own.SHED] = Verdict(
                Finding.TRUE,
                f"{count(shed)} exchanges passed unrecorded in the last {span(_SHED_WINDOW_US)}",
                shed, 0,
            )  # fmt: skip
        return own

    def _loader(self, now_us: int) -> dict[Own, Verdict]:
        """What the loader's own status file says, or its absence."""
        try:
            status = json.loads((self._status / "loader.json").read_bytes())
            age_us = now_us - int(status["updated_us"])
            lag_bytes = int(status["lag_bytes"])
        except (OSError, ValueError, KeyError, TypeError):
            return {
                Own.LOADER_GONE: Verdict(Finding.TRUE, "The loader says nothing: is it running?")
            }
        if age_us > _GONE_US:
            ago = span(ceil(age_us, MINUTE_US))
            return {Own.LOADER_GONE: Verdict(Finding.TRUE, f"The loader last spoke {ago} ago")}
        if lag_bytes > _BEHIND_BYTES:
            lag = f"{count(lag_bytes // 1_048_576)} MiB"
            summary = f"The loader is {lag} of journal behind"
            return {Own.LOADER_BEHIND: Verdict(Finding.TRUE, summary, lag_bytes, _BEHIND_BYTES)}
        return {}
