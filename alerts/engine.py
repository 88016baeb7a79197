"""One evaluation after another: measure, decide, freeze the evidence, record.

Nothing here waits or keeps time: `round` is called by whoever does, and returns what it did. Rules
come from the defaults and the rule files, which are read again when they change; a file with a
problem is itself a finding.
"""

import json
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from alerts.changes import changes
from alerts.conditions import Verdict
from alerts.evaluate import evaluate
from alerts.evidence import freeze
from alerts.later import pay_owed, release
from alerts.measures import Measures
from alerts.outbox import Outbox
from alerts.stages import meaning
from alerts.store import AlertStore
from app.commands.partner_rules import every_partner_rule
from app.commands.receivers import Receivers
from app.commands.rules import standing_rules
from app.domain.alert import Event, Finding
from app.domain.default_rules import DEFAULT_RULES
from app.domain.rule import Own
from app.logs import get as get_logger
from app.queries import Reading

#: How often everything is evaluated.
INTERVAL_S = 15.0
FILE = Path("status") / "alerts.json"


@dataclass(frozen=True, slots=True)
class Report:
    """What one round did; `status/alerts.json` is the newest. `gap_s`: since the one before, 0 for
    the first."""

    evaluated_us: int
    took_ms: float
    gap_s: float
    rules: int
    instances: int
    changed: int
    lost: int
    planned: int
    broken: tuple[str, ...]


class Engine:
    """See the module. `host` stands behind the @ of message ids."""

    def __init__(self, reading: Reading, home: Path, host: str) -> None:
        self._reading = reading
        self._home = home
        self._measures = Measures(reading, home)
        self._store = AlertStore(reading.engine, host)
        self._outbox = Outbox(reading.engine)
        self._receivers = Receivers(home)
        self._last_s: float | None = None
        self._log = get_logger("alerts")

    def round(self) -> Report:
        """Evaluate every rule once. Raises `Unavailable` when the registry cannot be written."""
        begun_s, now_us = time.monotonic(), self._reading.clock()
        gap_s = begun_s - self._last_s if self._last_s is not None else 0.0
        self._last_s = begun_s
        rules, problems = standing_rules(self._home, DEFAULT_RULES)
        receivers = self._receivers.read()
        theirs, unread = every_partner_rule(self._reading.engine)
        problems += (*receivers.problems, *unread)
        every = (*rules, *(each.standing for each in theirs))
        seen = self._measures.see(every, now_us, self._own(problems, gap_s, now_us))
        found = evaluate(every, seen)
        made = changes(self._store.held(), found, now_us)
        fired = [each for each in made if each.event == Event.FIRED]
        runbooks = {rule.name: rule.runbook for rule in every if rule.runbook}
        evidence = freeze(self._reading, fired, now_us, runbooks)
        meant = meaning(rules, theirs)
        recorded = self._store.record(made, evidence, now_us, meant, receivers.directory)
        release(self._reading.engine, now_us, meant)
        if not fired:
            pay_owed(self._reading, now_us)
        report = Report(
            now_us,
            round_ms(time.monotonic() - begun_s),
            gap_s,
            len(every),
            len(found.evaluations),
            recorded.changed,
            recorded.lost,
            recorded.planned,
            problems,
        )
        self._publish(report)
        return report

    def _own(self, problems: tuple[str, ...], gap_s: float, now_us: int) -> dict[Own, Verdict]:
        own: dict[Own, Verdict] = {}
        if problems:
            more = f" and {len(problems) - 1} more" if len(problems) > 1 else ""
            own[Own.RULE_BROKEN] = Verdict(Finding.TRUE, f"{problems[0]}{more}")
        if gap_s > 2 * INTERVAL_S:
            summary = f"Nothing was evaluated for {gap_s:.0f} s"
            own[Own.EVALUATION_LATE] = Verdict(Finding.TRUE, summary, gap_s, 2 * INTERVAL_S)
        failed = self._outbox.undelivered(now_us)
        if failed:
            summary = f"{failed} notifications cannot be delivered"
            own[Own.CHANNEL_BROKEN] = Verdict(Finding.TRUE, summary, failed, 0)
        return own

    def _publish(self, report: Report) -> None:
        """Swap the status file; one that cannot be written is logged, and seen by its age."""
        path = self._home / FILE
        try:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            fresh = path.with_suffix(".new")
            fresh.write_text(json.dumps(asdict(report), indent=1))
            fresh.replace(path)
        except OSError as error:
            self._log.warning("status_unwritten", path=str(path), reason=str(error))


def round_ms(seconds: float) -> float:
    """Milliseconds with one digit."""
    return round(seconds * 1000, 1)
