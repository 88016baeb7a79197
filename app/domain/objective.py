"""Objectives, their budget and how fast it burns.

The words and formulae are those of *The Site Reliability Workbook* (Beyer et al., 2018), chapter 2
"Implementing SLOs" and chapter 5 "Alerting on SLOs". An objective is a good ratio over a window.
Good and bad exchanges are eligible; excluded ones (somebody else's failure, see
`app.domain.outcome`) count neither way and are shown beside.

For an availability objective good and bad are the verdicts. For a latency objective the eligible
exchanges are the timed ones (`app.domain.outcome.TIMED_OUTCOMES`), and bad is slower than the
threshold.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Objective:
    """`target` in (0, 1) over `window_us`. `threshold_us` None: availability, else latency."""

    name: str
    target: float
    window_us: int
    threshold_us: int | None = None


@dataclass(frozen=True, slots=True)
class Standing:
    """Where an objective stands after `good` and `bad` eligible exchanges.

    `budget` is how many bad ones were allowed, `remaining_ratio` the share of it that is left
    (negative when overspent). `error_ratio`, `burn_rate` and `remaining_ratio` are None when
    nothing was eligible.
    """

    good: int
    bad: int
    budget: float
    error_ratio: float | None
    burn_rate: float | None
    remaining_ratio: float | None


def error_ratio(good: int, bad: int) -> float | None:
    """bad / (good + bad); None when nothing was eligible."""
    eligible = good + bad
    return bad / eligible if eligible else None


def allowed_ratio(target: float) -> float:
    """The error budget as a ratio: 1 - target (chapter 2). Rounded to 12 digits, so that 0.995
    allows 0.005 and not 0.0050000000000000044."""
    return round(1.0 - target, 12)


def burn_rate(errors_ratio: float, target: float) -> float:
    """How many times faster than allowed the budget is spent: error ratio / (1 - target).

    1 spends exactly the budget over the objective's window (chapter 5).
    """
    return errors_ratio / allowed_ratio(target)


def burn_threshold(budget_share: float, objective_window_us: int, alert_window_us: int) -> float:
    """The burn rate that spends `budget_share` of the budget within the alert window (chapter 5).

    2 % of a 30-day budget in one hour is 14.4; of a 28-day budget 13.44.
    """
    return budget_share * objective_window_us / alert_window_us


def standing(target: float, good: int, bad: int) -> Standing:
    """Budget and burn of an objective over the window that `good` and `bad` were counted in."""
    ratio = error_ratio(good, bad)
    budget = allowed_ratio(target) * (good + bad)
    if ratio is None:
        return Standing(good, bad, budget, None, None, None)
    burn = burn_rate(ratio, target)
    return Standing(good, bad, budget, ratio, burn, 1.0 - burn)
