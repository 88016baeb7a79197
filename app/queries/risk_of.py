"""What one error group, or one incident, puts at risk.

Of a group: those of the installations at risk that met one of its failures, as far as its newest
exchanges of the window are kept and looked at; what they met besides counts to judge them, not to
find them. Of an incident: the integration's, over the days on which it was on.
"""

from dataclasses import dataclass

from app.domain.scope import Scope
from app.domain.window import Window
from app.domain.words import Direction, Kind, Outcome
from app.errors import NotFound
from app.queries.alerts import incident
from app.queries.at_risk import RiskView, at_risk
from app.queries.error_groups import get_error_group
from app.queries.exchanges import list_exchanges
from app.queries.reading import Reading
from app.queries.registry import integration_within
from app.store.port import ExchangeFilter
from app.telemetry import timed_query

#: Exchanges of a group that are looked at, and how many are read at once.
MOST, _PAGE = 5_000, 500


@dataclass(frozen=True, slots=True)
class RiskOf:
    """`risk` None: nobody pays. `looked_at`: exchanges of the group; None where none was named."""

    window: Window
    risk: RiskView | None
    looked_at: int | None = None


@timed_query("at_risk_of_group")
def at_risk_of_group(
    reading: Reading,
    scope: Scope,
    slug: str,
    group: str,
    window: Window,
    *,
    currency: str | None = None,
) -> RiskOf:
    """One error group; `NotFound` outside the scope and for what is none of the integration's."""
    found = get_error_group(reading, scope, slug, group, window)
    wanted = ExchangeFilter(
        integrations=(slug,),
        window=window,
        direction=int(Direction.of(found.direction)),
        kind=int(Kind.of(found.kind)),
        outcomes=(int(Outcome.of(found.outcome)),),
        operation=found.operation,
        status=found.status,
        error=found.error or None,
    )
    names: set[str] = set()
    looked_at, cursor = 0, None
    while looked_at < MOST:
        page = list_exchanges(reading, scope, wanted, cursor, _PAGE)
        names.update(each.installation for each in page.items if each.installation)
        looked_at, cursor = looked_at + len(page.items), page.next
        if cursor is None:
            break
    risk = at_risk(reading, scope, slug, window, currency, among=names)
    return RiskOf(window, risk, looked_at)


@timed_query("at_risk_of_incident")
def at_risk_of_incident(
    reading: Reading, scope: Scope, slug: str, number: int, currency: str | None = None
) -> RiskOf:
    """One incident of the integration; `NotFound` outside the scope and for any other."""
    integration_within(reading, scope, slug)
    found = incident(reading, scope, number)
    if found.integration != slug:
        raise NotFound(f"no incident {number}")
    end_us = found.resolved_us or max(reading.clock(), found.fired_us + 1)
    window = Window(found.fired_us, max(end_us, found.fired_us + 1))
    return RiskOf(window, at_risk(reading, scope, slug, window, currency))
