"""The receiver file, `<home>/receivers.yaml`: who is told of alerts; every problem with its line.

It is taken entry by entry: one with a problem is left out and reported, the others stand. No
problem repeats an address of a hook, a key or a secret.

    receivers:
      - {name: heads, kind: mail, addresses: [ann@acme.example]}
      - {name: ops, kind: slack, url: https://hooks.slack.com/services/...}
      - {name: pager, kind: pagerduty, routing_key: ...}
      - {name: tickets, kind: webhook, url: https://tickets.example/in, secret: whsec_...}
      - {name: first-line, kind: on_call, schedule: primary}
      - {name: everybody, kind: group, members: [heads, ops], money: true}
    schedules:
      - name: primary
        zone: Europe/Berlin
        people: [ann@acme.example, bob@acme.example]
        first: 2026-11-02        # the first day of the first person's turn
        at: 09:00                # when they hand over
        every: 7d
        overrides:
          - {from: 2026-12-24T08:00:00Z, until: 2026-12-27T08:00:00Z, who: bob@acme.example}
    routes:                      # the first that takes an alert ends the search
      - name: nights
        when:                    # also rules, integrations, partners and categories
          severities: [P1, P2]
          faults: [platform, network]
          hours: {zone: Europe/Berlin, days: [mon, tue, wed, thu, fri], from: 18:00, until: 08:00}
        to: [first-line, ops]
        escalate:                # while nobody takes it
          - {after: 15m, to: [heads]}
        go_on: true              # ask the routes below, too
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

from app.commands import receiver_checks as check
from app.commands import registry_checks
from app.commands.registry_fields import Fields, Problems
from app.commands.yaml_tree import Mapping, Node, YamlProblem, read_tree
from app.domain.alert_route import Directory, Group, Hours, OnCall, Route, Step, When
from app.domain.on_call import Override, Schedule
from app.domain.receiver import PAGERDUTY_URL, MailBox, PagerDuty, Slack, Target, Webhook
from app.domain.rule import Severity
from app.domain.words import Fault

NAME = "receivers.yaml"
_OF_KIND: dict[str, tuple[str, ...]] = {
    "mail": ("addresses",),
    "slack": ("url", "allow_private_addresses"),
    "pagerduty": ("routing_key", "url", "allow_private_addresses"),
    "webhook": ("url", "secret", "allow_private_addresses"),
    "on_call": ("schedule",),
    "group": ("members",),
}
_WHEN = ("rules", "severities", "faults", "integrations", "partners", "categories", "hours")
_MAX_BYTES = 1024 * 1024
_MOST = 200
_AFTER = registry_checks.seconds(60, 7 * 86_400)
_SEVERITIES = check.one_of(tuple(each.value for each in Severity))
_FAULTS = check.one_of(tuple(each.name.lower() for each in Fault))

Entry = Target | Group | OnCall


@dataclass(frozen=True, slots=True)
class ReceiverFile:
    """What can be used of a file, and what is wrong with the rest: `file:line: message`."""

    directory: Directory
    problems: tuple[str, ...] = ()

    @classmethod
    def empty(cls) -> "ReceiverFile":
        """A file that is not there."""
        return cls(Directory())


def read_file(path: Path) -> ReceiverFile:
    """The file at `path`; one that is not there holds nothing."""
    try:
        with path.open("rb") as file:
            content = file.read(_MAX_BYTES + 1)
    except FileNotFoundError:
        return ReceiverFile(Directory())
    except OSError as error:
        return ReceiverFile(Directory(), (f"{path.name}: cannot be read: {error.strerror}",))
    if len(content) > _MAX_BYTES:
        return ReceiverFile(Directory(), (f"{path.name}: longer than {_MAX_BYTES:,} bytes",))
    return parse(content, path.name)


def parse(content: bytes, name: str = NAME) -> ReceiverFile:
    """What `content` says; `name` stands before each line number."""
    try:
        tree = read_tree(content.decode("utf-8-sig"))
    except YamlProblem as problem:
        return ReceiverFile(Directory(), (f"{name}:{problem.line}: {problem.message}",))
    except UnicodeDecodeError:
        return ReceiverFile(Directory(), (f"{name}:1: not UTF-8: save it as UTF-8",))
    if tree is None:
        return ReceiverFile(Directory())
    reading = _Reading(Problems())
    directory = reading.whole(tree)
    found = reading.problems.sorted()
    return ReceiverFile(directory, tuple(f"{name}:{line}: {said}" for line, said in found))


class _Reading:
    """One file being read. `_left_out` are names that stand in it, with a problem of their own."""

    def __init__(self, problems: Problems) -> None:
        self.problems = problems
        self._left_out: set[tuple[str, str]] = set()

    def whole(self, tree: Node) -> Directory:
        top = Fields(tree, "the file", ("receivers", "schedules", "routes"), self.problems)
        schedules = dict(self._each(top, "schedules", "schedule", _SCHEDULE, _schedule))
        lines: dict[str, int] = {}
        receivers: dict[str, Entry] = {}
        money = set()
        found = self._each(top, "receivers", "receiver", _RECEIVER, _receiver)
        for name, (entry, line, hears) in found:
            receivers[name], lines[name] = entry, line
            money |= {name} if hears else set()
        self._keep_known(receivers, lines, schedules)
        self._break_circles(receivers, lines)
        routes = [self._known_route(*each, receivers) for _, each in self._routes(top)]
        known = tuple(each for each in routes if each is not None)
        return Directory(receivers, schedules, known, frozenset(money))

    def _routes(self, top: Fields) -> Iterator[tuple[str, tuple[Route, int]]]:
        return self._each(top, "routes", "route", _ROUTE, lambda f, p: (_route(f, p), f.line))

    def _each(
        self,
        top: Fields,
        key: str,
        what: str,
        known: tuple[str, ...],
        read: Callable[[Fields, Problems], Any],
    ) -> Iterator[tuple[str, Any]]:
        """The entries of a list that have no problem, by name."""
        taken: set[str] = set()
        for node in top.nodes(key):
            if not isinstance(node, Mapping):
                self.problems.add(node.line, f"each of {key!r} must be keys with values")
                continue
            inner = Problems()
            fields = Fields(node, what, known, inner, "name")
            name = fields.needed("name", registry_checks.slug, "")
            found = read(fields, inner)
            if name in taken:
                inner.add(node.line, f"{what} {name!r} is there already")
            taken.add(name)
            for line, message in inner.sorted():
                self.problems.add(line, message)
            if inner.sorted():
                self._left_out.add((what, name))
            else:
                yield name, found

    def _keep_known(
        self, receivers: dict[str, Entry], lines: dict[str, int], schedules: dict[str, Schedule]
    ) -> None:
        for name, entry in list(receivers.items()):
            if isinstance(entry, OnCall) and entry.schedule not in schedules:
                self._unknown("schedule", entry.schedule, schedules, lines[name], name)
                del receivers[name]
                self._left_out.add(("receiver", name))
        for name, entry in list(receivers.items()):
            if isinstance(entry, Group):
                known = self._known(entry.members, receivers, lines[name], f"group {name!r}")
                receivers[name] = Group(known)

    def _known_route(self, route: Route, line: int, receivers: dict[str, Entry]) -> Route | None:
        """The route to the receivers that there are; None when there are none to tell at once."""
        of = f"route {route.name!r}"
        to = self._known(route.to, receivers, line, of)
        steps = [
            Step(each.after_us, self._known(each.to, receivers, line, of)) for each in route.steps
        ]
        kept = tuple(each for each in steps if each.to)
        return Route(route.name, route.when, to, kept, route.go_on) if to else None

    def _known(
        self, names: tuple[str, ...], receivers: dict[str, Entry], line: int, of: str
    ) -> tuple[str, ...]:
        for name in names:
            if name not in receivers:
                self._unknown("receiver", name, receivers, line, of)
        return tuple(name for name in names if name in receivers)

    def _unknown(self, what: str, name: str, known: dict[str, Any], line: int, of: str) -> None:
        if (what, name) not in self._left_out:
            self.problems.add(line, f"{of}: there is no {what} {name!r}{check.meant(name, known)}")

    def _break_circles(self, receivers: dict[str, Entry], lines: dict[str, int]) -> None:
        """Leave out each group that leads back to itself."""
        for name in _unending(receivers):
            circle = _circle(receivers, name)
            if circle:
                way = " → ".join(circle)
                self.problems.add(lines[name], f"group {name!r} leads back to itself: {way}")
                del receivers[name]
                self._left_out.add(("receiver", name))
        for name, entry in list(receivers.items()):
            if isinstance(entry, Group):
                receivers[name] = Group(tuple(each for each in entry.members if each in receivers))


def _unending(receivers: dict[str, Entry]) -> list[str]:
    """The groups of which some way never ends, in their order: what is left when groups of ended
    ones are taken away, again and again."""
    open_ways = {
        name: {each for each in entry.members if isinstance(receivers.get(each), Group)}
        for name, entry in receivers.items()
        if isinstance(entry, Group)
    }
    within: dict[str, list[str]] = {}
    for name, members in open_ways.items():
        for member in members:
            within.setdefault(member, []).append(name)
    ended = [name for name, members in open_ways.items() if not members]
    while ended:
        member = ended.pop()
        del open_ways[member]
        for name in within.get(member, ()):
            open_ways[name].discard(member)
            if not open_ways[name]:
                ended.append(name)
    return list(open_ways)


def _circle(receivers: dict[str, Entry], start: str) -> tuple[str, ...]:
    """The way from a group back to itself; empty when there is none."""
    came_from: dict[str, str] = {}
    waiting = [start]
    while waiting:
        at = waiting.pop(0)
        entry = receivers.get(at)
        for member in entry.members if isinstance(entry, Group) else ():
            if member == start:
                way = [start]
                while at != start:
                    way.append(at)
                    at = came_from[at]
                return (start, *reversed(way))
            if member not in came_from:
                came_from[member] = at
                waiting.append(member)
    return ()


_OF_ANY = ("name", "kind", "money")
_RECEIVER = (*_OF_ANY, *dict.fromkeys(key for keys in _OF_KIND.values() for key in keys))
_SCHEDULE = ("name", "zone", "people", "first", "at", "every", "overrides")
_ROUTE = ("name", "when", "to", "escalate", "go_on")


def _receiver(fields: Fields, problems: Problems) -> tuple[Entry, int, bool]:
    kind = fields.needed("kind", check.one_of(tuple(_OF_KIND)), "")
    if not kind:
        return Group(()), fields.line, False
    for key in _RECEIVER:
        if fields.has(key) and key not in (*_OF_ANY, *_OF_KIND[kind]):
            problems.add(fields.line_of(key), f"a receiver of kind {kind!r} has no {key!r}")
    hears = fields.value("money", registry_checks.flag, False)
    return _entry(kind, fields, problems), fields.line, hears


def _entry(kind: str, fields: Fields, problems: Problems) -> Entry:
    private = fields.value("allow_private_addresses", registry_checks.flag, False)
    url = check.hook_url(private)
    match kind:
        case "mail":
            return MailBox(_several(fields, "addresses", registry_checks.mail, problems))
        case "slack":
            return Slack(fields.needed("url", url, ""), private)
        case "pagerduty":
            key = fields.needed("routing_key", check.routing_key, "")
            return PagerDuty(key, fields.value("url", url, PAGERDUTY_URL), private)
        case "webhook":
            secret = fields.needed("secret", check.hook_secret, b"")
            return Webhook(fields.needed("url", url, ""), secret, private)
        case "on_call":
            return OnCall(fields.needed("schedule", registry_checks.slug, ""))
        case _:
            return Group(_several(fields, "members", registry_checks.slug, problems))


def _several(
    fields: Fields, key: str, one: Callable[[str], str], problems: Problems
) -> tuple[str, ...]:
    """A list that must have something in it."""
    fields.require(key)
    found = fields.texts(key, one, _MOST)
    if fields.has(key) and not found:
        problems.add(fields.line_of(key), f"{key!r} is empty")
    return found


def _schedule(fields: Fields, problems: Problems) -> Schedule:
    return Schedule(
        name=fields.value("name", registry_checks.slug, ""),
        zone=fields.needed("zone", check.zone, check.UTC_ZONE),
        people=_several(fields, "people", registry_checks.mail, problems) or ("x",),
        first=fields.needed("first", check.day, check.FIRST_DAY),
        at=fields.needed("at", check.time_of_day, check.MIDNIGHT),
        days=fields.value("every", check.days, 7),
        overrides=tuple(_override(node, problems) for node in fields.nodes("overrides")),
    )


def _override(node: Node, problems: Problems) -> Override:
    fields = Fields(node, "override", ("from", "until", "who"), problems)
    starts_us = fields.needed("from", registry_checks.moment, 0)
    ends_us = fields.needed("until", registry_checks.moment, 1)
    if fields.has("from") and fields.has("until") and ends_us <= starts_us:
        problems.add(fields.line, "an override ends after it begins")
    return Override(starts_us, ends_us, fields.needed("who", registry_checks.mail, ""))


def _route(fields: Fields, problems: Problems) -> Route:
    steps = [_step(node, problems) for node in fields.nodes("escalate")]
    if any(later.after_us <= step.after_us for step, later in pairwise(steps)):
        problems.add(fields.line_of("escalate"), "each step comes after the one before it")
    return Route(
        name=fields.value("name", registry_checks.slug, ""),
        when=_when(fields, problems),
        to=_several(fields, "to", registry_checks.slug, problems),
        steps=tuple(steps),
        go_on=fields.value("go_on", registry_checks.flag, False),
    )


def _step(node: Node, problems: Problems) -> Step:
    fields = Fields(node, "step", ("after", "to"), problems)
    after_us = fields.needed("after", _AFTER, 0)
    return Step(after_us, _several(fields, "to", registry_checks.slug, problems))


def _when(fields: Fields, problems: Problems) -> When:
    when = fields.inner("when", _WHEN)
    return When(
        rules=frozenset(when.texts("rules", registry_checks.slug, _MOST)),
        severities=frozenset(when.texts("severities", _SEVERITIES, _MOST)),
        faults=frozenset(when.texts("faults", _FAULTS, _MOST)),
        integrations=frozenset(when.texts("integrations", registry_checks.slug, _MOST)),
        partners=frozenset(when.texts("partners", registry_checks.slug, _MOST)),
        categories=frozenset(when.texts("categories", registry_checks.category, _MOST)),
        hours=_hours(when, problems) if when.has("hours") else None,
    )


def _hours(when: Fields, problems: Problems) -> Hours:
    fields = when.inner("hours", ("zone", "days", "from", "until"))
    days = fields.texts("days", check.one_of(check.DAYS), len(check.DAYS)) or check.DAYS
    begins = fields.needed("from", check.minute_of_day, 0)
    ends = fields.needed("until", check.minute_of_day, 1)
    if begins == ends:
        problems.add(fields.line, "hours that end when they begin are none")
    return Hours(
        fields.needed("zone", check.zone, check.UTC_ZONE),
        frozenset(check.DAYS.index(day) for day in days),
        begins,
        ends,
    )
