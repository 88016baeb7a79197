"""What a message about an incident says, for one audience. Pure: a letter in, words out.

The same words stand in the plain text and in the HTML. A partner reads of its own integration only;
an incident that is about Midspan itself goes to no partner (`alerts.stages`).
"""

import json
import re
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from alerts.outbox import Letter
from app.domain.alert import Event
from app.domain.foreign import plain
from app.domain.phrases import THIN, count, span
from app.domain.units import money as amount_of
from app.domain.units import ms, ratio

#: What a headline can do without: the rule and the page say it.
_ASIDE = re.compile(r" in the last (?:[0-9.,]+ )?[a-z]+|; burning .*")
_LONGEST = 160


@dataclass(frozen=True, slots=True)
class Figure:
    """One row of the table: now, the equal time before, and what the objective asks for."""

    name: str
    now: str
    before: str
    objective: str

    @property
    def beside(self) -> str:
        """What stands in brackets behind the value where there are no columns."""
        parts = (("before", self.before), ("objective", self.objective))
        said = ", ".join(f"{name}: {text}" for name, text in parts if text)
        return f" ({said})" if said else ""


@dataclass(frozen=True, slots=True)
class Sample:
    """One failed exchange, what it said if it said anything, and where to read it."""

    line: str
    said: str
    url: str


@dataclass(frozen=True, slots=True)
class Links:
    """Paths of the links in a letter to one reader, who is known by them. `resolve`: None for whom
    it is not to say that it is over."""

    acknowledge: str
    silence: str
    resolve: str | None


@dataclass(frozen=True, slots=True)
class Words:
    """A message. The links that do something are None when it is over, and where several read it;
    `chart` is the frozen chart of the evidence, None where there is none."""

    base_url: str
    subject: str
    kicker: str
    headline: str
    lead: str
    incident_url: str
    acknowledge_url: str | None
    silence_url: str | None
    resolve_url: str | None
    period: str
    figures: tuple[Figure, ...]
    operations: tuple[str, ...]
    samples: tuple[Sample, ...]
    runbook_url: str | None
    footer: str
    chart: dict[str, Any] | None


def words(
    letter: Letter,
    base_url: str,
    platform: str,
    links: Links | None = None,
    *,
    money: bool = False,
) -> Words:
    """What to say in `letter`. Links lead to `base_url`; `links` are those of its one reader.
    `money`: the reader may know what an integration earns."""
    letter = replace(
        letter,
        summary=_line(letter.summary),
        rule=_line(letter.rule),
        receiver=_line(letter.receiver),
        integration=_line(letter.integration),
        partner=_line(letter.partner),
    )
    evidence = _evidence(letter.evidence)
    subject_of = letter.integration or letter.partner or "Midspan"
    over = letter.event == Event.RESOLVED
    doing = None if over else links
    state = "resolved" if over else letter.severity.value
    costs = _costs(evidence) if money else None
    at_stake = f", {costs[0]}" if costs and not over else ""
    return Words(
        base_url=base_url,
        subject=f"[{state}] {subject_of}: {_short(letter.summary)}{at_stake}",
        kicker=f"Midspan · {platform or 'your platform'} · incident {letter.incident}"
        f" · {letter.severity.value}",
        headline=f"{subject_of}: {'over' if over else _short(letter.summary)}",
        lead=_lead(letter, evidence, costs[1] if costs else ""),
        incident_url=f"{base_url}/alerts?incident={letter.incident}",
        acknowledge_url=f"{base_url}{doing.acknowledge}" if doing else None,
        silence_url=f"{base_url}{doing.silence}" if doing else None,
        resolve_url=f"{base_url}{doing.resolve}" if doing and doing.resolve else None,
        period=span(int(evidence.get("window_us", 0))) if evidence.get("window_us") else "",
        figures=_figures(evidence),
        operations=tuple(_operation(each) for each in evidence.get("operations", ())),
        samples=tuple(_sample(each, base_url) for each in evidence.get("samples", ())),
        runbook_url=evidence.get("runbook"),
        footer=_footer(letter),
        chart=None if over else evidence.get("chart"),
    )


def _evidence(text: str) -> dict[str, Any]:
    found = json.loads(text)
    return found if isinstance(found, dict) else {}


def _short(summary: str) -> str:
    """What fits a subject."""
    said = _ASIDE.sub("", summary)
    return said if len(said) <= 120 else f"{said[:119]}\N{HORIZONTAL ELLIPSIS}"


def _line(text: str | None, most: int = 4_000) -> str:
    """Foreign text as one line of plain characters; the thin space before a unit stays."""
    parts = re.sub(r"[^\S\u202f]+", " ", text or "").split(THIN)
    return THIN.join(plain(each, most) for each in parts)


def _costs(evidence: dict[str, Any]) -> tuple[str, str] | None:
    """What failures put at risk, as a title and as a sentence; None: nothing, or it is unknown."""
    found = evidence.get("at_risk")
    if not found or not found["amount_minor"]:
        return None
    title = f"{amount_of(found['amount_minor'], found['currency'])} MRR at risk"
    number = found["installations"]
    installations = "1 installation" if number == 1 else f"{count(number)} installations"
    return title, f" {title}: {installations} met more failures than allowed that day."


def _lead(letter: Letter, evidence: dict[str, Any], costs: str) -> str:
    begun = clock(letter.fired_us)
    if letter.event == Event.RESOLVED and letter.resolved_us is not None:
        lasted = span(max(60_000_000, letter.resolved_us - letter.fired_us))
        return (
            f"Began at {begun}, over at {clock(letter.resolved_us)} ({lasted})."
            f" It was: {letter.summary}.{costs}"
        )
    sentence = _line(evidence.get("now", {}).get("sentence", "").replace("`", ""))
    untaken = " Nobody has taken it yet." if letter.level else ""
    return f"{sentence or f'{letter.summary}.'} Since {begun}.{costs}{untaken}"


def _figures(evidence: dict[str, Any]) -> tuple[Figure, ...]:
    now, before = evidence.get("now"), evidence.get("before")
    if not now or not before:
        return ()
    budgets = evidence.get("budgets", ())
    errors = [each["allowed_ratio"] for each in budgets if each["threshold_ms"] is None]
    slowest = [each["threshold_ms"] for each in budgets if each["threshold_ms"] is not None]
    p95_ms, p95_before_ms = now["latency_ms"]["p95"], before["latency_ms"]["p95"]
    return (
        Figure(
            "Errors", ratio(now["error_ratio"]), ratio(before["error_ratio"]),
            ratio(min(errors)) if errors else "",
        ),
        Figure("p95", ms(p95_ms), ms(p95_before_ms), ms(min(slowest)) if slowest else ""),
        Figure("Exchanges", count(now["proxied"]), count(before["proxied"]), ""),
        Figure("Excluded", count(now["excluded"]), count(before["excluded"]), ""),
        *(_budget(each) for each in budgets),
    )  # fmt: skip


def _budget(found: dict[str, Any]) -> Figure:
    name = f"Budget left, {found['name']}, {found['window']}"
    return Figure(name, ratio(found["remaining_ratio"]), "", "")


def _operation(found: dict[str, Any]) -> str:
    bad = f"{count(found['bad'])} of {count(found['exchanges'])} bad"
    fault = f", {found['fault']}" if found["fault"] else ""
    name = _line(found["operation"], _LONGEST)
    return f"{name}: {bad} ({ratio(found['error_ratio'])}){fault}"


def _sample(found: dict[str, Any], base_url: str) -> Sample:
    answer = found["status"] or found["error"] or found["outcome"]
    took = f" in {ms(found['total_ms'])}" if found["total_ms"] is not None else ""
    name = _line(found["operation"], _LONGEST)
    line = f"{clock(found['started_us'])} {name} → {answer}{took}"
    said = _line(found.get("error_detail"), _LONGEST)
    return Sample(line, said, f"{base_url}/exchanges/{found['id']}")


def _footer(letter: Letter) -> str:
    """Why the reader got it, who else did, and who is next."""
    parts = [f"Rule {letter.rule}: {letter.summary}.", f"You are told as {letter.receiver}."]
    if letter.audience != "partner":
        if letter.others:
            parts.append(f"Also told: {', '.join(letter.others)}.")
        if letter.next_step and letter.event == Event.FIRED:
            due_us, receiver = letter.next_step
            parts.append(f"Next: {receiver} at {clock(due_us)}, if nobody takes it.")
    return " ".join(parts)


def clock(at_us: int) -> str:
    """`10:14 UTC`, with the day in front for readers of tomorrow."""
    return datetime.fromtimestamp(at_us // 1_000_000, UTC).strftime("%d %b %H:%M UTC")
