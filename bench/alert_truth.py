"""Whether the rules out of the box find what is wrong, in time, once, and nothing else.

Thirty days of 36 integrations (`bench.truth_world`), evaluated at every minute, with 40 incidents:
outages, slow burns, one operation, silence, retry storms, flapping, and the platform's own outage.
Everything that would be told passes the stages of `alerts.stages`, as in the scheduler.

    python -m bench.alert_truth

`bench.alert_trace` shows single ones of them.
"""

import sys
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from alerts.changes import Change, Held, Key, changes
from alerts.evaluate import evaluate
from alerts.stages import Around, Audience, Happened, Receiver, meaning, plan
from app.domain.alert import Event, State
from app.domain.default_rules import DEFAULT_RULES
from app.domain.rule import WAKING, Severity
from app.domain.window import MINUTE_US
from bench.common import report
from bench.truth_world import ALLOWED, DAY, START_US, Incident, TruthWorld

DAYS, INTEGRATIONS = 30, 36
#: What is told so many minutes after an incident ended is still about it.
GRACE = 20
#: Of so many incidents what was drawn may come to burn later than what was planted.
_UNLUCKY = 0.1
_MEANT = meaning(DEFAULT_RULES)


def month(seed: int = 7) -> TruthWorld:
    """The thirty days."""
    random = np.random.default_rng(seed)
    rates = np.geomspace(0.08, 40, INTEGRATIONS).tolist()
    return TruthWorld(DAYS, rates, _forty(random), seed)


def _forty(random: np.random.Generator) -> list[Incident]:
    """40 incidents, those of one integration at least a day apart from each other, and none while
    the platform is out."""
    hour, planted = 60, []
    for number, start in enumerate((3 * DAY + 600, 11 * DAY + 900, 19 * DAY + 100)):
        planted.append(
            Incident("platform outage", None, start, 20 + 10 * number, 0.95, platform=True)
        )
    planted.append(Incident("platform outage", None, 26 * DAY + 780, 40, volume=0.0))
    wanted: list[tuple[str, int, dict[str, Any]]] = []
    for number in range(8):
        length = int(random.integers(20, 90))
        wanted.append(("hard outage", length, {"share": 1.0, "answered": number % 2 == 0}))
    for burn in (1.7, 2.0, 3.2, 3.6, 4.2, 4.8):
        wanted.append(("slow burn", int(4_400 / burn * 1.5), {"share": burn * ALLOWED}))
    for share in (0.06, 0.08, 0.1, 0.15, 0.2, 0.25, 0.3, 0.4):
        wanted.append(("one operation", int(10 / share * 2), {"share": share}))
    for length in (hour, 2 * hour, 3 * hour, 4 * hour, 90):
        wanted.append(("silence", length, {"volume": 0.0}))
    for length in (30, 40, 50, 60, 90):
        wanted.append(("retry storm", length, {"share": 0.4, "volume": 6.0}))
    for turn in (3, 5, 6, 7):
        wanted.append(("flapping", 2 * hour, {"share": 0.8, "turn": turn}))
    for kind, length, given in wanted:
        planted.append(_placed(random, kind, length, given, planted))
    return planted


def _placed(
    random: np.random.Generator, kind: str, length: int, given: dict[str, Any],
    planted: Sequence[Incident],
) -> Incident:  # fmt: skip
    least = 24 if kind in ("silence", "slow burn") else 18 if kind == "one operation" else 12
    while True:
        who = int(random.integers(least, INTEGRATIONS))
        day = int(random.integers(DAYS - 1 - length // DAY))
        start = day * DAY + int(random.integers(8 * 60, 14 * 60))  # by day: enough is expected
        one = Incident(kind, who, start, length, **given)
        if all(_apart(one, other) for other in planted):
            return one


def _apart(one: Incident, other: Incident) -> bool:
    if other.who not in (None, one.who):
        return True
    gap = 2 * 60 if other.who is None else DAY
    return one.start > other.end + gap or one.end + gap < other.start


class Mail(NamedTuple):
    """One message: minutes since the first evaluation."""

    at: int
    event: Event
    address: str
    key: Key
    severity: Severity
    integration: str | None


@dataclass(slots=True)
class _Open:
    change: Change
    told: list[str]


class Post:
    """Evaluates a world minute by minute and passes on what changes, as the scheduler does."""

    def __init__(self, world: TruthWorld) -> None:
        self._world = world
        self._receivers = [Receiver("ecosystem", Audience.ECOSYSTEM, "mail", "eco@acme.example")]
        self._receivers += [
            Receiver(slug, Audience.PARTNER, "mail", f"oncall@{slug}.example", slug)
            for slug in sorted({view.partner_slug for view in world.views})
        ]
        self._held: dict[Key, Held] = {}
        self._open: dict[Key, _Open] = {}
        self.mails: list[Mail] = []
        self.dropped = Counter[str]()

    def run(self, minutes: Iterable[int] | None = None) -> None:
        """These minutes of the world, all without."""
        for minute in range(self._world.days * DAY) if minutes is None else minutes:
            now_us = START_US + minute * MINUTE_US
            found = evaluate(DEFAULT_RULES, self._world.see(DEFAULT_RULES, now_us, {}))
            made = changes(self._held, found, now_us)
            for change in sorted(made, key=lambda each: each.severity):
                self._held[change.key] = Held(
                    0, 0, change.standing, change.subject, change.severity
                )
                self._pass_on(minute, change)
            self._release(minute)

    def _pass_on(self, minute: int, change: Change) -> None:
        if change.event == Event.RESOLVED:
            self._tell(minute, Event.RESOLVED, change, self._open.pop(change.key).told)
        elif change.event == Event.FIRED:
            planned = plan(self._happened(change), self._around(change))
            told = [each.receiver.address for each in planned if not each.dropped]
            self.dropped.update(each.reason.value for each in planned if each.dropped)
            self._open[change.key] = _Open(change, told)
            self._tell(minute, Event.FIRED, change, told)

    def _release(self, minute: int) -> None:
        for key, waiting in self._open.items():
            if waiting.told or self._held[key].standing.state != State.FIRING:
                continue
            planned = plan(self._happened(waiting.change), self._around(waiting.change))
            waiting.told = [each.receiver.address for each in planned if not each.dropped]
            self._tell(minute, Event.FIRED, waiting.change, waiting.told)

    def _tell(self, minute: int, event: Event, change: Change, told: Sequence[str]) -> None:
        self.mails += [
            Mail(minute, event, address, change.key, change.severity, change.subject.integration)
            for address in told
        ]

    def _happened(self, change: Change) -> Happened:
        rule, subject = change.key.rule, change.subject
        return Happened(
            rule, change.severity, subject.integration, subject.partner,
            quiet=rule in _MEANT.quiet, failing=rule in _MEANT.failing,
        )  # fmt: skip

    def _around(self, change: Change) -> Around:
        rules = {key.rule for key in self._open} | {change.key.rule}
        failing: dict[str, Severity] = {}
        for key, each in self._open.items():
            slug = each.change.subject.integration
            if each.told and slug is not None and key.rule in _MEANT.failing:
                known = failing.get(slug, each.change.severity)
                failing[slug] = min(known, each.change.severity)
        return Around(
            self._receivers, platform_out=bool(rules & _MEANT.explaining), failing=failing
        )


@dataclass(slots=True)
class Truth:
    """What became of each incident, and what nobody planted."""

    found: list[dict[str, Any]]
    false: list[Mail]


def judge(world: TruthWorld, mails: Sequence[Mail]) -> Truth:
    """Every mail given to the incident it is about."""
    ends = _ends(mails)
    left, rows = [mail for mail in mails if mail.event == Event.FIRED], []
    for each in sorted(world.incidents, key=lambda it: (it.kind, it.start)):
        own = [mail for mail in left if _about(world, each, mail)]
        left = [mail for mail in left if mail not in own]
        over = [ends[mail] for mail in own if mail in ends]
        per = Counter(mail.address for mail in own)
        audiences = 1 if each.who is None else 2
        rows.append(
            {
                "incident": each.kind,
                "rule": own[0].key.rule if own else "-",
                "severity": own[0].severity.value if own else "-",
                "found after min": own[0].at - each.start if own else -1,
                "promised min": world.promised(each),
                "planned min": round(world.planned(each), 1),
                "over after min": max(over, default=each.end - 1) - each.end,
                "mails": len(own),
                "once": len(per) == audiences
                and set(per.values()) == {1}
                and len(over) == len(own),
            }
        )
    return Truth(rows, left)


def _ends(mails: Sequence[Mail]) -> dict[Mail, int]:
    """When each mail that something fires was followed by the one that it is over."""
    found: dict[Mail, int] = {}
    waiting: dict[tuple[Key, str], Mail] = {}
    for mail in mails:
        if mail.event == Event.FIRED:
            waiting[mail.key, mail.address] = mail
        elif (mail.key, mail.address) in waiting:
            found[waiting.pop((mail.key, mail.address))] = mail.at
    return found


def _about(world: TruthWorld, incident: Incident, mail: Mail) -> bool:
    if mail.event != Event.FIRED or not incident.start <= mail.at <= incident.end + GRACE:
        return False
    if incident.who is None:
        return mail.key.rule == "platform-outage"
    return mail.integration == world.views[incident.who].slug


def main() -> None:
    world = month()
    post = Post(world)
    post.run()
    truth = judge(world, post.mails)
    late = [row for row in truth.found if not 0 <= row["found after min"] <= row["promised min"]]
    unlucky = [row for row in truth.found if row["found after min"] > row["planned min"]]
    waking = [mail for mail in truth.false if mail.severity in WAKING]
    facts = {
        "incidents found in time": len(truth.found) - len(late),
        "of them by chance later than planned": len(unlucky),
        "of them told once, and that it is over": sum(row["once"] for row in truth.found),
        "called over before they were": sum(row["over after min"] < 0 for row in truth.found),
        "false pages": len({(mail.key, mail.at) for mail in waking}),
        "false tickets": len({(mail.key, mail.at) for mail in truth.false})
        - len({(mail.key, mail.at) for mail in waking}),
        "weeks": round(world.days / 7, 1),
        "dropped": dict(post.dropped),
    }
    report("alert_truth", truth.found, facts)
    for mail in truth.false:
        print("nobody planted:", mail)
    told = all(row["once"] for row in truth.found) and facts["false pages"] <= world.days / 7
    if late or not told or len(unlucky) > _UNLUCKY * len(truth.found):
        sys.exit(1)


if __name__ == "__main__":
    main()
