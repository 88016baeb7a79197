"""Who uses an integration, in words: versions, concentration, and the sentence a page opens with.

Counts come from rollups and from what each installation did on each day; nothing here looks at an
exchange. An installation is active on a day on which an exchange named it.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from app.domain.phrases import count, percent

#: Rolling spans in days: active in the last day, week, month.
DAY, WEEK, MONTH = 1, 7, 28
#: How far before a window one looks to tell a new installation from one that came back.
LOOKBACK_DAYS = 84
#: Weeks of first activity that are followed.
COHORTS = 8
#: How many customers a concentration is about.
TOPS = (1, 5, 10)
#: Below so many exchanges in the time before, an operation did not stop: it was hardly used.
LEAST_TO_STOP = 20
#: Below so many installations a change of their number is not worth a sentence.
_LEAST_TO_COMPARE = 5
_VERSION = re.compile(r"[vV]\d{1,3}(?:\.\d{1,3}){0,2}|\d{4}-\d{2}(?:-\d{2})?")
_PLACES = 3


def version_of(operation: str) -> str | None:
    """The version of an API in the first segments of an operation's path: `v1` of
    `GET /v1/issues`, `2024-07` of `GET /admin/api/2024-07/orders`; None where there is none."""
    _, space, path = operation.partition(" ")
    if not space or not path.startswith("/"):
        return None
    for segment in path.split("/")[1 : 1 + _PLACES]:
        if _VERSION.fullmatch(segment):
            return segment.lower()
    return None


def topic_of(operation: str) -> str | None:
    """The topic of a webhook's operation; None for a request."""
    word, space, topic = operation.partition(" ")
    return topic if space and word == "webhook" else None


def concentration(counts: Sequence[int]) -> dict[int, tuple[int, int]]:
    """For each of `TOPS`, how much of everything the greatest so many have: both terms."""
    ordered = sorted(counts, reverse=True)
    total = sum(ordered)
    return {top: (sum(ordered[:top]), total) for top in TOPS}


@dataclass(frozen=True, slots=True)
class Facts:
    """What the sentence is made of: active installations now and in the equal time before, new
    and lapsed ones, exchanges, the share of the greatest customer, deprecated operations called."""

    days: int
    active: int
    before: int
    new: int
    lapsed: int
    exchanges: int
    greatest_ratio: float | None = None
    customers: int = 0
    deprecated: int = 0


def sentence(facts: Facts) -> str:
    """One or two sentences: how many use it, whether that grows, on whom it hangs."""
    if facts.exchanges == 0:
        return "Nobody used it in this time."
    if facts.active == 0:
        said = "call names" if facts.exchanges == 1 else "calls name"
        return f"{count(facts.exchanges)} {said} no installation, so nobody knows who uses it."
    noun = "installation" if facts.active == 1 else "installations"
    first = f"{count(facts.active)} {noun} used it in {_time(facts.days)}{_change(facts)}."
    return " ".join(filter(None, (first, _hangs(facts), _deprecated(facts))))


def _time(days: int) -> str:
    return "one day" if days == 1 else f"{count(days)} days"


def _change(facts: Facts) -> str:
    if facts.before < _LEAST_TO_COMPARE:
        return f", {count(facts.new)} of them new" if facts.new else ""
    difference = facts.active - facts.before
    if difference == 0:
        return ", as many as before"
    word = "more" if difference > 0 else "fewer"
    moved = f"{count(facts.new)} came, {count(facts.lapsed)} fell silent"
    return f", {count(abs(difference))} {word} than before: {moved}"


def _hangs(facts: Facts) -> str:
    ratio = facts.greatest_ratio
    if ratio is None or facts.customers < _LEAST_TO_COMPARE or ratio < 0.25:
        return ""
    return f"One customer of {count(facts.customers)} makes {percent(ratio)} of the exchanges."


def _deprecated(facts: Facts) -> str:
    if not facts.deprecated:
        return ""
    noun = "operation is" if facts.deprecated == 1 else "operations are"
    return f"{count(facts.deprecated)} deprecated {noun} still called."
