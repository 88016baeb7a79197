"""What an exchange means for its installation. Pure."""

from collections.abc import Iterable
from typing import NamedTuple

from app.commands.lifecycle_event import WIRE, Sent
from app.domain.funnel import ACTIVATED, Event, Funnel
from app.domain.ids import format_id
from app.domain.window import HOUR_US
from app.domain.words import Verdict
from app.store.port import StoredExchange

#: So soon after the first step the first good exchange activates.
ACTIVATES_US = 24 * HOUR_US


class Rule(NamedTuple):
    """An exchange that means `step`; what is None may be anything."""

    step: str
    direction: int | None
    operation: str | None
    topic: str | None
    status_from: int
    status_to: int


class Reader(NamedTuple):
    """How the exchanges of one integration are read."""

    funnel: Funnel
    rules: tuple[Rule, ...] = ()


def step_of(exchange: StoredExchange, rules: Iterable[Rule]) -> str | None:
    """The step that the first fitting rule names."""
    return next((rule.step for rule in rules if _fits(exchange, rule)), None)


def is_use(exchange: StoredExchange, reader: Reader) -> bool:
    """Whether it shows that the installation works: it is good, and none of a rule's."""
    return (
        exchange.verdict == Verdict.GOOD
        and ACTIVATED in reader.funnel.steps
        and step_of(exchange, reader.rules) is None
    )


def sent(exchange: StoredExchange, step: str) -> Sent:
    """The event that an exchange is."""
    own_id = WIRE + format_id(exchange.id)
    event = Event(own_id, step, exchange.started_us, exchange.customer or None)
    return Sent(exchange.integration, exchange.installation, event)


def _fits(exchange: StoredExchange, rule: Rule) -> bool:
    return (
        rule.status_from <= exchange.status <= rule.status_to
        and rule.direction in {None, exchange.direction}
        and rule.operation in {None, exchange.operation}
        and rule.topic in {None, exchange.topic}
    )
