"""What failures put at risk: the MRR of installations that met more of them than allowed.

Counts are those of the whole UTC days that a window touches (daily activity marks); MRR is that of
now. All integrations of a scope are read at once, and of money only what belongs to installations
that met a failure.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import NamedTuple

import numpy as np
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.db import reading as registry_session
from app.domain.health import USUAL_TARGET
from app.domain.money import Conversion
from app.domain.risk import is_at_risk, is_unsure
from app.domain.scope import Scope
from app.domain.window import DAY_US, Window, ceil, floor
from app.domain.words import Fault
from app.errors import BadQuery
from app.models import Integration, Subscription
from app.queries import revenue_rows
from app.queries.reading import Reading
from app.queries.registry import integration_within, integrations_within
from app.queries.results import IntegrationView
from app.telemetry import timed_query

#: What is said where nobody pays.
_NO_CURRENCY = "USD"
#: Installations that one statement asks for.
_CHUNK = 500
_SLUGS = select(Integration.slug, Integration.id)
_PAYERS = (
    select(Subscription.integration_id, Subscription.currency, func.count())
    .where(Subscription.mrr_minor > 0)
    .group_by(Subscription.integration_id, Subscription.currency)
)


@dataclass(frozen=True, slots=True)
class RiskView:
    """One integration; amounts in minor units of `currency`. `by_fault` adds up to
    `at_risk_minor`: each installation under who caused most of its failures. `unsure`:
    installations that met a failure among too few exchanges, and what they pay. `unconverted`:
    currencies without a rate, whose amounts are in none of these."""

    integration: str
    currency: str
    at_risk_minor: int = 0
    installations: int = 0
    by_fault: Mapping[str, int] = field(default_factory=dict)
    unsure_minor: int = 0
    unsure: int = 0
    unconverted: tuple[str, ...] = ()


class _Met(NamedTuple):
    """What an installation met in the window; `fault` caused most of its failures."""

    at_risk: bool
    fault: str


_Mets = dict[str, dict[str, _Met]]
_Paid = dict[str, dict[str, dict[str, int]]]


@timed_query("at_risk")
def at_risk(
    reading: Reading, scope: Scope, slug: str, window: Window, currency: str | None = None
) -> RiskView | None:
    """One integration; None where nobody pays. `NotFound` outside the
    scope. Without a `currency`, in what most of its subscriptions pay in."""
    view = integration_within(reading, scope, slug)
    return _risks(reading, [view], window, currency).get(slug)


@timed_query("at_risk_of_all")
def at_risk_of_all(
    reading: Reading, scope: Scope, window: Window, currency: str | None = None
) -> dict[str, RiskView]:
    """Every integration of the scope that anybody pays for, all in one currency: the one given,
    else what most subscriptions of these pay in."""
    return _risks(reading, integrations_within(reading, scope), window, currency)


def _risks(
    reading: Reading, views: Sequence[IntegrationView], window: Window, currency: str | None
) -> dict[str, RiskView]:
    if window.length_us <= 0:
        raise BadQuery("from", "a window ends after it starts")
    with registry_session(reading.engine) as session:
        known = dict(_numbers(session))
        one = known.get(views[0].slug) if len(views) == 1 else None
        payers = _payers(session, one)
        numbers = {slug: number for slug, number in known.items() if number in payers}
    earning = {view.slug: view for view in views
               if view.visibility != "internal" and view.slug in numbers}  # fmt: skip
    into = currency or _usual(payers[numbers[slug]] for slug in earning)
    met = _met(reading, window, earning) if earning else {}
    with registry_session(reading.engine) as session:
        paid = {slug: _paid(session, numbers[slug], sorted(met[slug]))
                for slug in met}  # fmt: skip
        names = {name for its in paid.values() for amounts in its.values() for name in amounts}
        rates = revenue_rows.rates(session, into, names, reading.clock() // DAY_US)
    return {slug: _view(slug, met.get(slug, {}), paid.get(slug, {}), rates) for slug in earning}


def _met(reading: Reading, window: Window, views: Mapping[str, IntegrationView]) -> _Mets:
    """The installations that met a failure and are at risk or unsure, by integration."""
    days = Window(floor(window.start_us, DAY_US), ceil(window.end_us, DAY_US))
    activity = reading.store.activity(days, integrations=sorted(views))
    size = len(activity.installations)
    columns = activity.good, activity.bad, activity.partner_faults, activity.network_faults
    sums = [np.bincount(activity.who, weights=each, minlength=size) for each in columns]
    targets = [target_of(views[slug]) for slug in activity.integrations]
    found: _Mets = defaultdict(dict)
    for it in np.flatnonzero(sums[1]).tolist():
        good, bad, partner, network = (int(each[it]) for each in sums)
        owner = int(activity.owner[it])
        risky = is_at_risk(good, bad, targets[owner])
        if risky or is_unsure(good, bad):
            fault = Fault.PARTNER if partner >= network else Fault.NETWORK
            known = found[activity.integrations[owner]]
            known[activity.installations[it]] = _Met(risky, fault.word)
    return found


def target_of(view: IntegrationView) -> float:
    """The strictest availability target of an integration."""
    targets = (each.target for each in view.objectives if each.threshold_ms is None)
    return max(targets, default=USUAL_TARGET)


def _numbers(session: Session) -> list[tuple[str, int]]:
    return [(slug, number) for slug, number in session.execute(_SLUGS)]


def _payers(session: Session, one: int | None) -> dict[int, dict[str, int]]:
    """Subscriptions that are worth something now, by integration and currency; `one`: of that
    integration alone."""
    found: dict[int, dict[str, int]] = defaultdict(dict)
    statement = _PAYERS if one is None else _PAYERS.where(Subscription.integration_id == one)
    for number, currency, subscriptions in session.execute(statement):
        found[number][currency or ""] = subscriptions
    return found


def _usual(payers: Iterable[Mapping[str, int]]) -> str:
    """The currency that most of these subscriptions pay in."""
    counts: Counter[str] = Counter()
    for its in payers:
        counts.update(its)
    return min(counts, key=lambda name: (-counts[name], name), default=_NO_CURRENCY)


def _paid(session: Session, number: int, installations: Sequence[str]) -> dict[str, dict[str, int]]:
    """What these installations are worth a month now, by currency."""
    found: dict[str, dict[str, int]] = defaultdict(dict)
    for some in _chunks(installations):
        rows = session.execute(
            select(
                Subscription.installation, Subscription.currency, func.sum(Subscription.mrr_minor)
            )
            .where(
                Subscription.integration_id == number,
                Subscription.installation.in_(some),
                Subscription.mrr_minor > 0,
            )
            .group_by(Subscription.installation, Subscription.currency)
        )
        for installation, currency, amount in rows:
            found[installation][currency or ""] = int(amount)
    return found


def _chunks(names: Sequence[str]) -> Iterator[list[str]]:
    rest = iter(names)
    while some := list(islice(rest, _CHUNK)):
        yield some


def _view(
    slug: str, met: Mapping[str, _Met], paid: Mapping[str, Mapping[str, int]], rates: Conversion
) -> RiskView:
    """Rounded once for each number, so that the parts by fault are rounded from the whole: what
    rounding leaves goes to the greater part."""
    exact: Counter[str] = Counter()
    people: Counter[bool] = Counter()
    lacking: set[str] = set()
    for installation, amounts in paid.items():
        each = met[installation]
        people[each.at_risk] += 1
        lacking |= amounts.keys() - rates.weights.keys()
        parts = sum(rates.exact(name, amount) for name, amount in amounts.items())
        exact[each.fault if each.at_risk else ""] += parts
    unsure = exact.pop("", 0)
    whole = rates.minor(exact.total())
    by_fault = {fault: rates.minor(parts) for fault, parts in sorted(exact.items()) if parts}
    if by_fault:
        greatest = max(by_fault, key=lambda fault: by_fault[fault])
        by_fault[greatest] += whole - sum(by_fault.values())
    return RiskView(
        integration=slug,
        currency=rates.into,
        at_risk_minor=whole,
        installations=people[True],
        by_fault=by_fault,
        unsure_minor=rates.minor(unsure),
        unsure=people[False],
        unconverted=tuple(sorted(lacking)),
    )
