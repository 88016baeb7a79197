"""Where an installation stands: a state folded from what was told of it, in whatever order.

An install crosses two systems, so its events come late, twice and out of order. `Facts` is what a
set of events says: each of its fields is the least or the greatest over those events, by event time
and then by the sender's id, never by arrival. `fold` is therefore the same for every order and
number of repeats, and needs no event twice: facts and new events make new facts.

`standing` reads facts by the steps of an integration's funnel:

- a step counts from the first time it happened; the first of all steps is the entry;
- `uninstalled` removes, and only a later `reinstalled` brings back: a step that comes late, or
  happens after the removal, does not;
- `suspended` holds until a later `resumed` or `reinstalled`; `declined` (the customer said no)
  stands until a later step, and no longer once the goal is reached;
- the goal is the step `activated`, or the last one of a funnel without it;
- what has entered and is neither at its goal nor turned away awaits the step after the furthest
  one it reached, until that step's deadline after its newest step.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from app.domain.window import HOUR_US

STARTED, ACTIVATED = "started", "activated"
UNINSTALLED, REINSTALLED = "uninstalled", "reinstalled"
SUSPENDED, RESUMED, DECLINED = "suspended", "resumed", "declined"
#: What may be told of every installation, whatever the steps of its funnel.
STANDING_STEPS = frozenset({UNINSTALLED, SUSPENDED, RESUMED, REINSTALLED, DECLINED})
#: The funnel of an integration that names none, and how long a step may take.
DEFAULT_STEPS = (STARTED, "redirected", "authorized", "verified", ACTIVATED)
DEFAULT_DEADLINE_US = 24 * HOUR_US


class InstallationState(StrEnum):
    """Where an installation stands in its life."""

    INSTALLING = "installing"
    ACTIVE = "active"
    SUSPENDED = "suspended"
    DECLINED = "declined"
    UNINSTALLED = "uninstalled"


class LostCause(StrEnum):
    """Why an install never reached its next step: an exchange failed; nothing crossed any more;
    the customer said no; it took longer than allowed although exchanges succeeded."""

    FAILED = "failed"
    STUCK = "stuck"
    DECLINED = "declined"
    TIMED_OUT = "timed_out"


class Event(NamedTuple):
    """One thing that happened to an installation at `at_us`; `id` is the sender's. None: not
    told."""

    id: str
    step: str
    at_us: int
    customer: str | None = None
    plan: str | None = None
    source: str | None = None
    reason: str | None = None


class Told(NamedTuple):
    """What the deciding event said. The order of two is that of time, then of ids."""

    at_us: int
    id: str
    word: str
    reason: str | None = None


class Facts(NamedTuple):
    """What the events of one installation say. `steps` are the first times, in microseconds.

    The newest word on each of: `presence` (uninstalled, reinstalled), `hold` (suspended, resumed,
    reinstalled), `refusal` (declined), `customer`, `plan`; the oldest on `source`, where the
    customer came from. `newest_step` is the newest event that is a step.
    """

    steps: dict[str, int]
    newest_step: Told | None = None
    presence: Told | None = None
    hold: Told | None = None
    refusal: Told | None = None
    customer: Told | None = None
    plan: Told | None = None
    source: Told | None = None
    last_us: int = 0


NOTHING = Facts({})


@dataclass(frozen=True, slots=True)
class Funnel:
    """The steps of an integration, in order, and how long each may take after the one before."""

    steps: tuple[str, ...] = DEFAULT_STEPS
    deadlines_us: tuple[int, ...] = (DEFAULT_DEADLINE_US,) * len(DEFAULT_STEPS)

    @property
    def goal(self) -> str:
        """The step that makes an installation active."""
        return ACTIVATED if ACTIVATED in self.steps else self.steps[-1]

    def knows(self, step: str) -> bool:
        """Whether an event may name it."""
        return step in STANDING_STEPS or step in self.steps


class Standing(NamedTuple):
    """Facts as one funnel reads them. None: not reached, not removed, nothing awaited.

    `next_step` is what is awaited, or what was not reached any more; `due_us` when it is late;
    `lost` is set once the customer turned away. `reason` is why it was removed or refused.
    """

    state: InstallationState
    entered_us: int | None = None
    activated_us: int | None = None
    uninstalled_us: int | None = None
    next_step: str | None = None
    due_us: int | None = None
    lost: LostCause | None = None
    reason: str | None = None


#: The funnel of an integration that names neither steps nor deadlines.
USUAL = Funnel()


def funnel_of(steps: Iterable[str], deadlines_us: dict[str, int]) -> Funnel:
    """The funnel of an integration that names these steps (none: the usual ones) and deadlines."""
    named = tuple(steps) or DEFAULT_STEPS
    if named is DEFAULT_STEPS and not deadlines_us:
        return USUAL
    return Funnel(named, tuple(deadlines_us.get(step, DEFAULT_DEADLINE_US) for step in named))


def fold(facts: Facts, events: Iterable[Event]) -> Facts:
    """The facts of what was known and of these events together."""
    steps, last_us = dict(facts.steps), facts.last_us
    newest_step, presence, hold, refusal, customer, plan, source = facts[1:8]
    for event in events:
        own_id, step, at_us, its_customer, its_plan, its_source, reason = event
        last_us = max(last_us, at_us)
        if step not in STANDING_STEPS:
            steps[step] = min(steps.get(step, at_us), at_us)
            newest_step = _newer(newest_step, at_us, own_id, step, reason)
        elif step == DECLINED:
            refusal = _newer(refusal, at_us, own_id, step, reason)
        else:
            if step in _PRESENCE:
                presence = _newer(presence, at_us, own_id, step, reason)
            if step in _HOLD:
                hold = _newer(hold, at_us, own_id, step, reason)
        if its_customer is not None:
            customer = _newer(customer, at_us, own_id, its_customer)
        if its_plan is not None:
            plan = _newer(plan, at_us, own_id, its_plan)
        if its_source is not None:
            source = _older(source, at_us, own_id, its_source)
    return Facts(steps, newest_step, presence, hold, refusal, customer, plan, source, last_us)


def standing(facts: Facts, funnel: Funnel) -> Standing:
    """Where the installation stands."""
    reached = {at: facts.steps[step] for at, step in enumerate(funnel.steps) if step in facts.steps}
    entered_us = min(reached.values(), default=None)
    activated_us = facts.steps.get(funnel.goal)
    state = _state(facts, entered_us, activated_us)
    removed = facts.presence if state is InstallationState.UNINSTALLED else None
    told = facts.refusal if state is InstallationState.DECLINED else removed
    next_step = due_us = lost = None
    awaits = max(reached) + 1 if reached else len(funnel.steps)
    if activated_us is None and awaits < len(funnel.steps):
        next_step = funnel.steps[awaits]
        if told is not None:
            lost = LostCause.DECLINED
        else:
            newest_us = facts.newest_step.at_us if facts.newest_step else max(reached.values())
            due_us = newest_us + funnel.deadlines_us[awaits]
    return Standing(
        state,
        entered_us,
        activated_us,
        removed.at_us if removed else None,
        next_step,
        due_us,
        lost,
        told.reason if told else None,
    )


#: What decides whether an installation is there, and whether it is held.
_PRESENCE = frozenset({UNINSTALLED, REINSTALLED})
_HOLD = frozenset({SUSPENDED, RESUMED, REINSTALLED})


def _state(facts: Facts, entered_us: int | None, activated_us: int | None) -> InstallationState:
    if facts.presence is not None and facts.presence.word == UNINSTALLED:
        return InstallationState.UNINSTALLED
    if facts.hold is not None and facts.hold.word == SUSPENDED:
        return InstallationState.SUSPENDED
    if activated_us is not None:
        return InstallationState.ACTIVE
    if facts.refusal is not None and _is_newest(facts.refusal, facts.newest_step, facts.presence):
        return InstallationState.DECLINED
    # One that is told of without a step was there before Midspan was.
    return InstallationState.ACTIVE if entered_us is None else InstallationState.INSTALLING


def _is_newest(told: Told, *others: Told | None) -> bool:
    return all(other is None or told[:2] > other[:2] for other in others)


def _newer(
    kept: Told | None, at_us: int, own_id: str, word: str, reason: str | None = None
) -> Told:
    if kept is None or (at_us, own_id) > kept[:2]:
        return Told(at_us, own_id, word, reason)
    return kept


def _older(kept: Told | None, at_us: int, own_id: str, word: str) -> Told:
    return Told(at_us, own_id, word) if kept is None or (at_us, own_id) < kept[:2] else kept
