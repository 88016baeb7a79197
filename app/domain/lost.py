"""Why an install never reached its next step, and how many of them for the same reason. Pure.

An install that is late is judged once, from what crossed between the step it reached and its
deadline: something failed and did not succeed afterwards; or exchanges crossed, all well, and it
still took longer than allowed; or nothing crossed any more.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from app.domain.funnel import LostCause
from app.domain.phrases import count
from app.domain.window import MINUTE_US

#: A failure belongs to a step if it crossed at most so long before that step was told of: what
#: fails is often what the step set off, and clocks differ.
BEFORE_US = 5 * MINUTE_US


class Crossed(NamedTuple):
    """One failed exchange of an install: where and how it ended. `ended` is its status, or its
    outcome where there was no answer."""

    exchange: bytes
    started_us: int
    what: str
    webhook: bool
    ended: str
    fault: str


class Late(NamedTuple):
    """What is known of an install that is late: the step it reached last happened at `step_us`, the
    next one was due at `due_us`; the newest exchange of it at all and the newest good one of each
    operation or topic (by `what`)."""

    step_us: int
    due_us: int
    last_us: int
    good_us: dict[str, int]
    failures: tuple[Crossed, ...] = ()


class Lost(NamedTuple):
    """Why, and at which exchange."""

    cause: LostCause
    failure: Crossed | None = None


class Reason(NamedTuple):
    """How many installs were lost at `step` in the same way: `what` and `ended` "" unless an
    exchange failed."""

    step: str
    cause: LostCause
    installs: int
    what: str = ""
    webhook: bool = False
    ended: str = ""


def judge(late: Late) -> Lost:
    """Why it did not go on."""
    unmended = [
        each
        for each in late.failures
        if late.step_us - BEFORE_US <= each.started_us <= late.due_us
        and late.good_us.get(each.what, 0) < each.started_us
    ]
    if unmended:
        return Lost(LostCause.FAILED, max(unmended, key=lambda each: each.started_us))
    crossed = late.last_us > late.step_us
    return Lost(LostCause.TIMED_OUT if crossed else LostCause.STUCK)


def reasons(lost: Iterable[tuple[str, LostCause, Crossed | None]]) -> list[Reason]:
    """Lost installs (step, cause, failed exchange) counted by what happened, most first."""
    counted = Counter(
        (step, cause, *((failed.what, failed.webhook, failed.ended) if failed else ("", False, "")))
        for step, cause, failed in lost
    )
    found = [
        Reason(step, cause, number, what, webhook, ended)
        for (step, cause, what, webhook, ended), number in counted.items()
    ]
    return sorted(found, key=lambda each: (-each.installs, each.step, each.cause, each.what))


def sentence(step: str, found: Sequence[Reason]) -> str:
    """What to say of the installs lost at `step`, or "" when there are none."""
    mine = [each for each in found if each.step == step]
    total = sum(each.installs for each in mine)
    if not mine:
        return ""
    first = max(mine, key=lambda each: (each.cause is LostCause.FAILED, each.installs))
    share = f"{count(first.installs)} of {count(total)}" if first.installs < total else (
        f"All {count(total)}" if total > 1 else "The one"
    )  # fmt: skip
    return f"{share} lost at {step} {how(first)}."


def how(reason: Reason) -> str:
    """What became of them: `had their webhook answered 500`."""
    one = reason.installs == 1
    if reason.cause is LostCause.FAILED:
        what = f"`{reason.what}` webhook" if reason.webhook else f"`{reason.what}`"
        return f"had {'its' if one else 'their'} {what} {_ended(reason.ended)}"
    were = "was" if one else "were"
    return {
        LostCause.STUCK: f"{were} never heard of again: nothing crossed",
        LostCause.TIMED_OUT: "took longer than the step may take, with exchanges that succeeded",
        LostCause.DECLINED: f"{were} turned down by the customer",
    }[reason.cause]


def _ended(ended: str) -> str:
    return f"answered {ended}" if ended.isdigit() else f"end in {ended.replace('_', ' ')}"


def advice(cause: LostCause | None, failure: Crossed | None, next_step: str) -> str:
    """What to do about an install that is stuck before `next_step`."""
    if failure is not None:
        side = {"partner": "The partner", "platform": "The platform", "customer": "The customer"}
        who = side.get(failure.fault, "Somebody")
        what = f"`{failure.what}` webhook" if failure.webhook else f"`{failure.what}`"
        again = "send it again" if failure.webhook else "let it be tried again"
        return f"{who} has to mend what ended the {what} ({failure.ended}); then {again}."
    if cause is LostCause.TIMED_OUT:
        return f"Exchanges succeed: ask the partner what {next_step} waits for."
    return (
        f"Nothing crossed since: ask the customer to go on, or look at the page before {next_step}."
    )
