"""Which receivers an alert goes to, at once and while nobody takes it. Pure.

Routes are asked in their order; the first that takes the alert ends the search, unless it says
`go_on`. A name in a route stands for one receiver, for several (a group), or for whoever is on call
at the time of the message. When no route takes an alert, whoever is told by default is told.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from app.domain.on_call import Schedule, on_call
from app.domain.receiver import Channel, MailBox, Target
from app.domain.rule import Severity
from app.domain.window import SECOND_US

_ONE_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Hours:
    """Times of the week in a zone: on `days` (0 is Monday) from one minute of the day until before
    another. One that ends before it begins runs over midnight and belongs to the day it began."""

    zone: ZoneInfo
    days: frozenset[int]
    begins_min: int
    ends_min: int

    def hold(self, at_us: int) -> bool:
        """Whether a moment lies in them."""
        local = datetime.fromtimestamp(at_us // SECOND_US, UTC).astimezone(self.zone)
        minute, today = local.hour * 60 + local.minute, local.weekday()
        if self.begins_min < self.ends_min:
            return today in self.days and self.begins_min <= minute < self.ends_min
        yesterday = (local - _ONE_DAY).weekday()
        return (today in self.days and minute >= self.begins_min) or (
            yesterday in self.days and minute < self.ends_min
        )


@dataclass(frozen=True, slots=True)
class About:
    """What routes look at."""

    rule: str
    severity: Severity
    fault: str | None = None
    integration: str | None = None
    partner: str | None = None
    category: str | None = None


@dataclass(frozen=True, slots=True)
class When:
    """Which alerts, and at which hours. An empty field takes all; several take what fits each."""

    rules: frozenset[str] = frozenset()
    severities: frozenset[str] = frozenset()
    faults: frozenset[str] = frozenset()
    integrations: frozenset[str] = frozenset()
    partners: frozenset[str] = frozenset()
    categories: frozenset[str] = frozenset()
    hours: Hours | None = None

    def takes(self, about: About, at_us: int) -> bool:
        """Whether an alert that fires then is meant."""
        pairs = (
            (self.rules, about.rule),
            (self.severities, about.severity),
            (self.faults, about.fault),
            (self.integrations, about.integration),
            (self.partners, about.partner),
            (self.categories, about.category),
        )
        fits = all(not wanted or value in wanted for wanted, value in pairs)
        return fits and (self.hours is None or self.hours.hold(at_us))


@dataclass(frozen=True, slots=True)
class Step:
    """Whom to tell when nobody took the alert `after_us` from its beginning."""

    after_us: int
    to: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Route:
    """Whom to tell of which alerts."""

    name: str
    when: When
    to: tuple[str, ...]
    steps: tuple[Step, ...] = ()
    go_on: bool = False


@dataclass(frozen=True, slots=True)
class Group:
    """Several receivers under one name."""

    members: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class OnCall:
    """Whoever is on call by a schedule, by mail."""

    schedule: str


@dataclass(frozen=True, slots=True)
class Destination:
    """One address to be told: at once (`level` 0), or as a step of the escalation."""

    receiver: str
    channel: str
    address: str
    level: int = 0
    after_us: int = 0
    on_call: bool = False


@dataclass(frozen=True, slots=True)
class Directory:
    """Everything that a receiver file holds. Groups lead to no circle and names are known: whoever
    reads the file sees to it. `money`: the receivers that may hear what an integration earns."""

    receivers: Mapping[str, Target | Group | OnCall] = field(default_factory=dict)
    schedules: Mapping[str, Schedule] = field(default_factory=dict)
    routes: tuple[Route, ...] = ()
    money: frozenset[str] = frozenset()

    def targets(self) -> dict[str, Target]:
        """The receivers that are one address or hook, by name."""
        return {
            name: each
            for name, each in self.receivers.items()
            if not isinstance(each, Group | OnCall)
        }

    def tells(self, about: About, at_us: int) -> list[Destination]:
        """Whom to tell of an alert that fires then, each address once a step; empty when no route
        takes it."""
        found: dict[tuple[str, str, int], Destination] = {}
        for route in self._taking(about, at_us):
            for level, step in enumerate((Step(0, route.to), *route.steps)):
                for each in self._reached(step, level, at_us):
                    found.setdefault((each.channel, each.address, each.level), each)
        return list(found.values())

    def _taking(self, about: About, at_us: int) -> Iterator[Route]:
        for route in self.routes:
            if route.when.takes(about, at_us):
                yield route
                if not route.go_on:
                    return

    def _reached(self, step: Step, level: int, at_us: int) -> Iterator[Destination]:
        for name in step.to:
            for channel, address, shift in self.addresses(name, at_us + step.after_us):
                yield Destination(name, channel, address, level, step.after_us, shift)

    def addresses(self, name: str, at_us: int) -> Iterator[tuple[str, str, bool]]:
        """What a receiver stands for at a moment: channel, address, and whether somebody is on
        call there. What several groups have in common is there once."""
        waiting, seen = [name], set[str]()
        while waiting:
            each = waiting.pop()
            entry = None if each in seen else self.receivers.get(each)
            seen.add(each)
            if isinstance(entry, Group):
                waiting += reversed(entry.members)
            elif entry is not None:
                yield from self._of(each, entry, at_us)

    def _of(self, name: str, entry: Target | OnCall, at_us: int) -> Iterator[tuple[str, str, bool]]:
        match entry:
            case OnCall(schedule):
                yield Channel.MAIL.value, on_call(self.schedules[schedule], at_us), True
            case MailBox(addresses):
                for address in addresses:
                    yield Channel.MAIL.value, address, False
            case target:
                yield target.channel.value, name, False


#: A file that is not there.
NO_ROUTES = Directory()
