"""Who is told of an event, and why or why not. Pure.

An event passes the stages in the order of `STAGES`; each takes an event with what is known around
it and answers with the reason to drop it, or None to let it pass. What has passed goes to every
receiver whose route takes it, one notification per address. Every notification, sent or dropped,
carries the name of its reason, and the alerts page shows it.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from app.domain.alert import Event
from app.domain.rule import By, PlatformOutage, Rule, Severity, Silence, Threshold


class Reason(StrEnum):
    """Why a notification is sent, or not."""

    FIRST_WORD = "first_word"
    IT_IS_OVER = "it_is_over"
    NOBODY_TO_TELL = "nobody_to_tell"
    SILENCED = "silenced"
    EXPLAINED_BY_PLATFORM = "explained_by_platform"
    EXPLAINED_BY_MIDSPAN = "explained_by_midspan"
    NEVER_TOLD = "never_told"
    TOO_MANY = "too_many"


class Audience(StrEnum):
    """For whom a notification is written; each may see different things."""

    ECOSYSTEM = "ecosystem"
    PARTNER = "partner"


@dataclass(frozen=True, slots=True)
class Happened:
    """One event of one incident. `quiet`: it fired because something is missing; `told`: addresses
    that were told that it fired."""

    rule: str
    event: Event
    severity: Severity
    integration: str | None = None
    partner: str | None = None
    quiet: bool = False
    told: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Muted:
    """A silence that is in force. A field that is None matches everything."""

    rule: str | None = None
    integration: str | None = None
    partner: str | None = None

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
    quieter than that severity."""

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
    """What is known when events are passed on. `sent_lately` counts, by address, the firings
    told within `THROTTLE_US`; `platform_out`, `blind`: such an alert is open."""

    receivers: Sequence[Receiver] = ()
    muted: Sequence[Muted] = ()
    platform_out: bool = False
    blind: bool = False
    sent_lately: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Planned:
    """One notification: to be sent, or dropped."""

    receiver: Receiver
    reason: Reason
    dropped: bool


#: More firings than this within `THROTTLE_US` to one address are not read; the rest is on the page.
THROTTLE_US = 3600 * 1_000_000
MOST_AN_HOUR = 60

Stage = Callable[[Happened, Around], Reason | None]


def inhibit(happened: Happened, around: Around) -> Reason | None:
    """A platform that is down, or a Midspan that sees nothing, explains what is quiet."""
    if happened.event != Event.FIRED or not happened.quiet:
        return None
    if around.platform_out:
        return Reason.EXPLAINED_BY_PLATFORM
    return Reason.EXPLAINED_BY_MIDSPAN if around.blind else None


def silence(happened: Happened, around: Around) -> Reason | None:
    """Somebody asked not to be told."""
    muted = any(each.takes(happened) for each in around.muted)
    return Reason.SILENCED if muted and happened.event == Event.FIRED else None


STAGES: tuple[Stage, ...] = (inhibit, silence)


def plan(happened: Happened, around: Around) -> list[Planned]:
    """The notifications of one event; at least one, so that nothing passes without a reason."""
    wanting = [each for each in around.receivers if each.wants(happened)]
    if not wanting:
        return [Planned(NOBODY, Reason.NOBODY_TO_TELL, dropped=True)]
    for stage in STAGES:
        reason = stage(happened, around)
        if reason is not None:
            return [Planned(each, reason, dropped=True) for each in wanting]
    return [_to(each, happened, around) for each in wanting]


def _to(receiver: Receiver, happened: Happened, around: Around) -> Planned:
    if happened.event == Event.RESOLVED:
        told = receiver.address in happened.told
        return Planned(receiver, Reason.IT_IS_OVER if told else Reason.NEVER_TOLD, dropped=not told)
    count = around.sent_lately.get(receiver.address, 0)
    if count >= MOST_AN_HOUR and happened.severity > Severity.P1:
        return Planned(receiver, Reason.TOO_MANY, dropped=True)
    around.sent_lately[receiver.address] = count + 1
    return Planned(receiver, Reason.FIRST_WORD, dropped=False)


def is_quiet(rule: Rule) -> bool:
    """Whether it fires because something is missing, which a greater outage would explain."""
    condition = rule.condition
    below = isinstance(condition, Threshold) and condition.below is not None
    return rule.by != By.MIDSPAN and (isinstance(condition, Silence) or below)


def explains_quiet(rule: Rule) -> bool:
    """Whether it is about the outage that explains why others are quiet."""
    return isinstance(rule.condition, PlatformOutage)


NOBODY = Receiver("nobody", Audience.ECOSYSTEM, "none", "")
