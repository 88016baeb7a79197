"""What a subscription is and was: folded from its events, in whatever order they came.

`fold` reads all events of one subscription, by when they happened. Of two that say the same thing
of the same moment (type and `occurred_us`), the one received last stands: that is how a sender
corrects one. At one moment a cancellation has the last word.

A trial is worth nothing. A change is worth what it says from then on, and what it leaves out stays
as it was; one that comes after a cancellation changes nothing. A subscription that ends by itself
(`ends_us`) has expired then, unless a later event said otherwise. What nobody started but somebody
changed, paused or resumed was there before.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple, TypeVar

from app.domain.billing import MOST_MINOR, BillingType
from app.domain.money import Interval, monthly

T = TypeVar("T")


class Status(StrEnum):
    """Where a subscription stands on the billing track."""

    TRIALING = "trialing"
    ACTIVE = "active"
    PAUSED = "paused"
    CANCELLED = "cancelled"
    EXPIRED = "expired"


_RUNNING = frozenset({Status.TRIALING, Status.ACTIVE, Status.PAUSED})


class Said(NamedTuple):
    """One event of a subscription. `number`: in the order of arrival. None: not said."""

    number: int
    type: BillingType
    at_us: int
    installation: str
    customer: str | None = None
    plan: str | None = None
    interval: Interval | None = None
    every: int | None = None
    quantity: int | None = None
    amount_minor: int | None = None
    currency: str | None = None
    discount_ppm: int | None = None
    share_ppm: int | None = None
    ends_us: int | None = None


class Terms(NamedTuple):
    """What is agreed: `amount_minor` for one of `quantity`, each `every` intervals."""

    plan: str | None = None
    interval: Interval = Interval.MONTH
    every: int = 1
    quantity: int = 1
    amount_minor: int = 0
    currency: str | None = None
    discount_ppm: int = 0
    share_ppm: int | None = None

    @property
    def monthly_minor(self) -> int:
        """What it is worth a month while it is active."""
        worth = monthly(
            self.amount_minor, self.quantity, self.interval, self.every, self.discount_ppm
        )
        return min(worth, MOST_MINOR)


class Stretch(NamedTuple):
    """From `at_us` on it stood so; `anchor_us` is from when on its periods run."""

    at_us: int
    status: Status
    terms: Terms
    anchor_us: int


@dataclass(frozen=True, slots=True)
class Subscription:
    """One subscription: where it stands, and every stretch of its past, oldest first.

    `trial_us`: its first trial began; `started_us`: it was first active; `paid_us`: it was first
    active and worth something; `ended_us`: it was cancelled or expired and has not come back.
    """

    installation: str
    customer: str | None
    status: Status
    terms: Terms
    anchor_us: int
    ends_us: int | None
    trial_us: int | None
    started_us: int | None
    paid_us: int | None
    ended_us: int | None
    last_us: int
    stretches: Sequence[Stretch]


_RANK = {
    BillingType.TRIAL_STARTED: 0,
    BillingType.SUBSCRIPTION_STARTED: 1,
    BillingType.SUBSCRIPTION_CHANGED: 2,
    BillingType.SUBSCRIPTION_PAUSED: 3,
    BillingType.SUBSCRIPTION_RESUMED: 4,
    BillingType.SUBSCRIPTION_CANCELLED: 5,
}


def fold(events: Iterable[Said], now_us: int) -> Subscription | None:
    """The subscription that these events are about, as of `now_us`; None without events."""
    standing: dict[tuple[BillingType, int], Said] = {}
    for event in events:
        known = standing.get((event.type, event.at_us))
        if known is None or known.number < event.number:
            standing[event.type, event.at_us] = event
    ordered = sorted(standing.values(), key=lambda it: (it.at_us, _RANK[it.type]))
    if not ordered:
        return None
    life = _Life()
    for event in ordered:
        life.expire(event.at_us - 1)
        life.take(event)
    life.expire(now_us)
    return life.subscription(ordered)


class _Life:
    """A subscription while its events are read, oldest first."""

    def __init__(self) -> None:
        self.status: Status | None = None
        self.terms = Terms()
        self.anchor_us = 0
        self.ends_us: int | None = None
        self.before_pause = Status.ACTIVE
        self.stretches: list[Stretch] = []

    def expire(self, until_us: int) -> None:
        """Let it end by itself, if it did so up to `until_us`."""
        if self.ends_us is None or self.ends_us > until_us or self.status not in _RUNNING:
            return
        self.status = Status.EXPIRED
        self.stretches.append(Stretch(self.ends_us, Status.EXPIRED, self.terms, self.anchor_us))
        self.ends_us = None

    def take(self, event: Said) -> None:
        """What one event makes of it."""
        _TAKE[event.type](self, event)
        status = self.status or Status.ACTIVE
        self.status = status
        stretch = Stretch(event.at_us, status, self.terms, self.anchor_us)
        if self.stretches and self.stretches[-1].at_us == event.at_us:
            self.stretches[-1] = stretch
        elif not self.stretches or self.stretches[-1][1:] != stretch[1:]:
            self.stretches.append(stretch)

    def begin(self, event: Said, status: Status) -> None:
        """A trial or the subscription itself: terms anew, what is not said as it was in the
        trial."""
        old = self.terms
        self.status, self.anchor_us, self.ends_us = status, event.at_us, event.ends_us
        self.terms = Terms(
            plan=_either(event.plan, old.plan),
            interval=_either(event.interval, old.interval),
            every=event.every or 1,
            quantity=_either(event.quantity, 1),
            amount_minor=_either(event.amount_minor, old.amount_minor),
            currency=_either(event.currency, old.currency),
            discount_ppm=event.discount_ppm or 0,
            share_ppm=_either(event.share_ppm, old.share_ppm),
        )

    def trial(self, event: Said) -> None:
        """A trial; of what is paid for already it is none."""
        if self.status not in {Status.ACTIVE, Status.PAUSED}:
            self.begin(event, Status.TRIALING)

    def start(self, event: Said) -> None:
        """It is active, on the terms of the event."""
        self.begin(event, Status.ACTIVE)

    def change(self, event: Said) -> None:
        """Other terms, where it has not been cancelled."""
        if self.status is Status.CANCELLED:
            return
        if self.status is None:
            self.start(event)
            return
        old = self.terms
        self.terms = Terms(
            plan=_either(event.plan, old.plan),
            interval=_either(event.interval, old.interval),
            every=_either(event.every, old.every),
            quantity=_either(event.quantity, old.quantity),
            amount_minor=_either(event.amount_minor, old.amount_minor),
            currency=_either(event.currency, old.currency),
            discount_ppm=_either(event.discount_ppm, old.discount_ppm),
            share_ppm=_either(event.share_ppm, old.share_ppm),
        )
        if (old.interval, old.every) != (self.terms.interval, self.terms.every):
            self.anchor_us = event.at_us
        if event.ends_us is not None:
            self.ends_us = event.ends_us
            if self.status is Status.EXPIRED:
                self.status, self.anchor_us = Status.ACTIVE, event.at_us

    def pause(self, event: Said) -> None:
        """It is paused, if it runs."""
        if self.status is None:
            self.start(event)
        if self.status in {Status.TRIALING, Status.ACTIVE}:
            self.before_pause, self.status = self.status or Status.ACTIVE, Status.PAUSED

    def resume(self, event: Said) -> None:
        """It goes on as before its pause, or is active again after its end."""
        if self.status is None:
            self.start(event)
        elif self.status is Status.PAUSED:
            self.status = self.before_pause
        elif self.status not in _RUNNING:
            self.status, self.anchor_us = Status.ACTIVE, event.at_us
        if event.ends_us is not None:
            self.ends_us = event.ends_us

    def cancel(self, event: Said) -> None:
        """It is over."""
        if self.status is None:
            self.begin(event, Status.CANCELLED)
        self.status, self.ends_us = Status.CANCELLED, None

    def subscription(self, ordered: Sequence[Said]) -> Subscription:
        """What all events together say."""
        status = self.status or Status.ACTIVE
        told = [event.customer for event in ordered if event.customer is not None]
        active = [each for each in self.stretches if each.status is Status.ACTIVE]
        paid = (each.at_us for each in active if each.terms.monthly_minor)
        trials = (each.at_us for each in self.stretches if each.status is Status.TRIALING)
        over = status not in _RUNNING
        return Subscription(
            installation=ordered[-1].installation,
            customer=told[-1] if told else None,
            status=status,
            terms=self.terms,
            anchor_us=self.anchor_us,
            ends_us=self.ends_us,
            trial_us=next(trials, None),
            started_us=active[0].at_us if active else None,
            paid_us=next(paid, None),
            ended_us=self.stretches[-1].at_us if over else None,
            last_us=ordered[-1].at_us,
            stretches=self.stretches,
        )


def _either(new: T | None, known: T) -> T:
    return known if new is None else new


_TAKE: dict[BillingType, Callable[[_Life, Said], None]] = {
    BillingType.TRIAL_STARTED: _Life.trial,
    BillingType.SUBSCRIPTION_STARTED: _Life.start,
    BillingType.SUBSCRIPTION_CHANGED: _Life.change,
    BillingType.SUBSCRIPTION_PAUSED: _Life.pause,
    BillingType.SUBSCRIPTION_RESUMED: _Life.resume,
    BillingType.SUBSCRIPTION_CANCELLED: _Life.cancel,
}
#: Types that change a subscription.
STATES = frozenset(_TAKE)
