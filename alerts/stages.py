"""Who is told that something fires, and why or why not. Pure.

What fires passes the stages in the order of `STAGES`; each takes it with what is known around it
and answers with the reason to drop it, or None to let it pass. What has passed goes to every
receiver whose route takes it, one notification per address and step. Every notification, sent or
dropped, carries the name of its reason, and the alerts page shows it. Who is told that it is over
follows from who was told that it began (`app.commands.telling`).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum

from app.commands.partner_rules import OwnRule
from app.domain.alert_route import NO_ROUTES, About, Destination, Directory
from app.domain.rule import (
    Anomaly,
    BurnRate,
    By,
    CircuitNear,
    CircuitOpen,
    FreshErrors,
    Measure,
    PlatformOutage,
    Rule,
    Severity,
    Side,
    Silence,
    Threshold,
)

#: How receivers of the house are called; none of a file has a space in its name.
ECOSYSTEM_TEAM = "ecosystem team"


class Reason(StrEnum):
    """Why a notification is sent, or not."""

    FIRST_WORD = "first_word"
    NOBODY_TOOK_IT = "nobody_took_it"
    NOBODY_TO_TELL = "nobody_to_tell"
    SILENCED = "silenced"
    EXPLAINED_BY_PLATFORM = "explained_by_platform"
    EXPLAINED_BY_MIDSPAN = "explained_by_midspan"
    EXPLAINED_NO_MORE = "explained_no_more"
    PART_OF_INCIDENT = "part_of_incident"
    TOO_MANY = "too_many"


class Audience(StrEnum):
    """For whom a notification is written; each may see different things."""

    ON_CALL = "on_call"
    ECOSYSTEM = "ecosystem"
    PARTNER = "partner"


@dataclass(frozen=True, slots=True)
class Happened:
    """An incident that begins. `quiet`: because something is missing; `failing`: because an
    integration fails; `fault`: who has to act, None where that cannot be said; `own`: whom a rule
    of a partner's own tells, and nobody else."""

    rule: str
    severity: Severity
    integration: str | None = None
    partner: str | None = None
    quiet: bool = False
    failing: bool = False
    fault: str | None = None
    category: str | None = None
    own: tuple["Receiver", ...] = ()


@dataclass(frozen=True, slots=True)
class Muted:
    """A silence that is in force. A field that is None matches everything. `partners_only`: a
    partner made it, and whoever the platform tells is told all the same."""

    rule: str | None = None
    integration: str | None = None
    partner: str | None = None
    partners_only: bool = False

    def takes(self, happened: Happened) -> bool:
        """Whether it is about this event."""
        return (
            self.rule in (None, happened.rule)
            and self.integration in (None, happened.integration)
            and self.partner in (None, happened.partner)
        )


@dataclass(frozen=True, slots=True)
class Receiver:
    """Somebody to be told. `partner`: only of that partner's own; `floor`: not of anything
    quieter than that severity. Of hooks `address` is the name."""

    name: str
    audience: Audience
    channel: str
    address: str
    partner: str | None = None
    floor: Severity = Severity.P4

    def wants(self, happened: Happened) -> bool:
        """Whether its route takes the event."""
        if happened.severity > self.floor:
            return False
        if self.audience == Audience.PARTNER:
            return self.partner is not None and happened.partner == self.partner
        return True


@dataclass(frozen=True, slots=True)
class Around:
    """What is known when events are passed on. `receivers` are told of what no route of the
    `directory` takes, partners of their own whatever the routes say; `sent_lately` counts, by
    address, the firings told within `THROTTLE_US`; `platform_out`, `blind`: such an alert is open.
    `failing` are the integrations of which people know that they fail, and how loudly they heard.
    """

    receivers: Sequence[Receiver] = ()
    directory: Directory = NO_ROUTES
    now_us: int = 0
    muted: Sequence[Muted] = ()
    platform_out: bool = False
    blind: bool = False
    failing: dict[str, Severity] = field(default_factory=dict)
    sent_lately: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Planned:
    """One notification: to be sent, or dropped. `level` is the step of the escalation that it is,
    `after_us` how long it waits for somebody to take the incident."""

    receiver: Receiver
    reason: Reason
    dropped: bool
    level: int = 0
    after_us: int = 0


#: More firings than this within `THROTTLE_US` to one address are not read; the rest is on the page.
THROTTLE_US = 3600 * 1_000_000
MOST_AN_HOUR = 60

Stage = Callable[[Happened, Around], Reason | None]


def inhibit(happened: Happened, around: Around) -> Reason | None:
    """A platform that is down, or a Midspan that sees nothing, explains what is quiet."""
    if not happened.quiet:
        return None
    if around.platform_out:
        return Reason.EXPLAINED_BY_PLATFORM
    return Reason.EXPLAINED_BY_MIDSPAN if around.blind else None


def silence(happened: Happened, around: Around) -> Reason | None:
    """Somebody asked not to be told."""
    muted = any(each.takes(happened) for each in around.muted if not each.partners_only)
    return Reason.SILENCED if muted else None


def muted_by_partner(happened: Happened, around: Around) -> bool:
    """Whether the partner it is about wants not to be told."""
    return any(each.takes(happened) for each in around.muted if each.partners_only)


def belong(happened: Happened, around: Around) -> Reason | None:
    """An integration that fails is told of once, whichever rule saw it first; louder ones pass."""
    if not happened.failing or happened.integration is None:
        return None
    known = around.failing.get(happened.integration)
    return Reason.PART_OF_INCIDENT if known is not None and known <= happened.severity else None


STAGES: tuple[Stage, ...] = (inhibit, silence, belong)
#: What was dropped for one of these is told after all when it goes on and the reason does not.
PASSING = frozenset(
    {
        Reason.SILENCED,
        Reason.EXPLAINED_BY_PLATFORM,
        Reason.EXPLAINED_BY_MIDSPAN,
        Reason.PART_OF_INCIDENT,
    }
)


def objection(happened: Happened, around: Around) -> Reason | None:
    """Why nobody is told, by the first stage that objects; None: people are."""
    reasons = (stage(happened, around) for stage in STAGES)
    return next((reason for reason in reasons if reason is not None), None)


def plan(happened: Happened, around: Around) -> list[Planned]:
    """The notifications of one firing; at least one, so that nothing passes without a reason."""
    steps = _steps(happened, around)
    at_once = _once([each for each in steps if each.level == 0])
    if not at_once:
        return [Planned(NOBODY, Reason.NOBODY_TO_TELL, dropped=True)]
    reason = objection(happened, around)
    if reason is not None:
        return [replace(each, reason=reason, dropped=True) for each in at_once]
    if happened.failing and happened.integration is not None:
        around.failing[happened.integration] = happened.severity
    quiet = muted_by_partner(happened, around)
    return [
        replace(each, reason=Reason.SILENCED, dropped=True)
        if quiet and each.receiver.audience == Audience.PARTNER
        else _throttled(each, happened, around)
        for each in at_once
    ] + [each for each in steps if each.level > 0]


def _steps(happened: Happened, around: Around) -> list[Planned]:
    """Whom the routes tell, else whoever is told by default, and the partner."""
    if happened.own:
        return [Planned(each, Reason.FIRST_WORD, dropped=False) for each in happened.own]
    about = About(
        happened.rule,
        happened.severity,
        happened.fault,
        happened.integration,
        happened.partner,
        happened.category,
    )
    routed = [_routed(each) for each in around.directory.tells(about, around.now_us)]
    default = [
        Planned(each, Reason.FIRST_WORD, dropped=False)
        for each in around.receivers
        if each.wants(happened) and (not routed or each.audience == Audience.PARTNER)
    ]
    return [*routed, *default]


def _routed(found: Destination) -> Planned:
    audience = Audience.ON_CALL if found.on_call else Audience.ECOSYSTEM
    receiver = Receiver(found.receiver, audience, found.channel, found.address)
    reason = Reason.NOBODY_TOOK_IT if found.level else Reason.FIRST_WORD
    return Planned(receiver, reason, False, found.level, found.after_us)


def _once(planned: Sequence[Planned]) -> list[Planned]:
    """Each address once: the first that stands for it."""
    found: dict[tuple[str, str], Planned] = {}
    for each in planned:
        found.setdefault((each.receiver.channel, each.receiver.address), each)
    return list(found.values())


def _throttled(planned: Planned, happened: Happened, around: Around) -> Planned:
    receiver = planned.receiver
    count = around.sent_lately.get(receiver.address, 0)
    if count >= MOST_AN_HOUR and happened.severity > Severity.P1:
        return replace(planned, reason=Reason.TOO_MANY, dropped=True)
    around.sent_lately[receiver.address] = count + 1
    return planned


def is_quiet(rule: Rule) -> bool:
    """Whether it fires because something is missing, which a greater outage would explain."""
    condition = rule.condition
    below = isinstance(condition, Threshold) and condition.below is not None
    below = below or (isinstance(condition, Anomaly) and condition.side == Side.BELOW)
    return rule.by != By.MIDSPAN and (isinstance(condition, Silence) or below)


def is_failing(rule: Rule) -> bool:
    """Whether it fires because an integration fails, as others that see the same do."""
    condition = rule.condition
    if isinstance(condition, Threshold | Anomaly):
        return condition.measure in (Measure.BAD, Measure.ERROR_RATIO)
    return isinstance(condition, BurnRate | Silence | CircuitOpen | CircuitNear | FreshErrors)


def explains_quiet(rule: Rule) -> bool:
    """Whether it is about the outage that explains why others are quiet."""
    return isinstance(rule.condition, PlatformOutage)


@dataclass(frozen=True, slots=True)
class Meaning:
    """Names of rules, by what it means that they fire; `own`: whom those of partners tell."""

    explaining: frozenset[str] = frozenset()
    quiet: frozenset[str] = frozenset()
    failing: frozenset[str] = frozenset()
    own: Mapping[str, tuple[Receiver, ...]] = field(default_factory=dict)


def meaning(rules: Sequence[Rule], own: Sequence[OwnRule] = ()) -> Meaning:
    """What these rules of the house mean, and those of partners: they tell whom they name, and
    explain nothing of what the house finds."""
    return Meaning(
        frozenset(rule.name for rule in rules if explains_quiet(rule)),
        frozenset(rule.name for rule in rules if is_quiet(rule)),
        frozenset(rule.name for rule in rules if is_failing(rule)),
        {
            each.standing.name: tuple(
                Receiver(f"own rule of {each.partner}", Audience.PARTNER, "mail", to, each.partner)
                for to in each.to
            )
            for each in own
        },
    )


NOBODY = Receiver("nobody", Audience.ECOSYSTEM, "none", "")
