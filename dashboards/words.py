"""The words pages use for statuses, outcomes, faults and numbers.

`DEFINITIONS` are the hover texts of numbers, in the words of docs/numbers.md.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from dashboards.definitions import definition


@dataclass(frozen=True, slots=True)
class StatusWord:
    """How one status is shown. `tone` names its colours; icon and word come before colour."""

    icon: str
    word: str
    tone: str
    needs_person: bool = False

    @property
    def text(self) -> str:
        """Icon and word."""
        return f"{self.icon} {self.word}"


STATUSES: dict[str, StatusWord] = {
    "failing": StatusWord("■", "Failing", "bad", True),
    "silent": StatusWord("■", "Silent", "bad", True),
    "slow": StatusWord("▲", "Slow", "warn", True),
    "degraded": StatusWord("▲", "Degraded", "warn", True),
    "healthy": StatusWord("●", "Healthy", "ok"),
    "idle": StatusWord("○", "Idle", "quiet"),
    "not_enough_data": StatusWord("○", "Not enough data", "quiet"),
    "paused": StatusWord("‖", "Paused", "quiet"),
}

OUTCOMES: dict[str, str] = {
    "ok": "answered",
    "client_error": "4xx answer",
    "server_error": "5xx answer",
    "timeout": "timeout",
    "connect_error": "no connection",
    "dns_error": "name not found",
    "tls_error": "TLS failure",
    "protocol_error": "broken answer",
    "aborted": "caller went away",
    "rejected": "refused by the proxy",
}

FAULTS: dict[str, str] = {
    "partner": "partner",
    "platform": "platform",
    "network": "network",
    "customer": "customer",
    "none": "nobody",
}

#: What a label on a page means; the number it names in docs/numbers.md.
DEFINITIONS: dict[str, str] = {
    key: definition(name)
    for key, name in {
        "exchanges": "proxied",
        "error_ratio": "error_ratio",
        "p50": "p50",
        "p95": "p95",
        "p99": "p99",
        "excluded": "excluded",
        "shed": "shed",
        "refused": "refused",
        "budget_left": "budget left",
        "burn_rate": "burn rate",
        "needs_person": "needs a person",
        "fault": "by_fault",
        "total_ms": "total_ms",
        "status": "status",
        "traffic": "traffic",
        "trouble": "trouble",
        "heat": "heat map",
        "active": "active",
        "installations": "new, kept and returning installations",
        "lapsed": "lapsed installations",
        "stickiness": "stickiness",
        "customers_active": "customers_active",
        "concentration": "concentration",
        "exchanges_before": "exchanges_before",
        "used_ratio": "used_ratio",
        "waited_seconds": "waited_seconds",
        "change": "change",
        "cohorts": "cohorts",
        "callers": "callers",
        "entered": "entered",
        "activated": "activated",
        "reached": "reached",
        "lost": "lost",
        "waiting": "waiting",
        "seconds": "median_seconds",
        "uninstalled": "uninstalled",
        "paid_for": "paid_for",
        "own": "own",
        "quartiles": "lower",
        **{
            name: name
            for name in (
                "mrr",
                "customers",
                "grr",
                "nrr",
                "logo_churn",
                "revenue_churn",
                "trial_conversion",
                "unmatched_subscriptions",
                "rate_date",
            )
        },
        **{
            name: f"{name}_minor"
            for name in (
                "arpa",
                "ltv",
                "at_risk",
                "paid",
                "refunded",
                "failed",
                "usage",
                "platform_share",
                "net_payout",
            )
        },
    }.items()
}

#: What one integration, and what several, are to whom.
_TO_MEND = {
    "partner": ("for its partner to mend", "for their partners to mend"),
    "platform": ("for the platform to mend", "for the platform to mend"),
    "network": ("the network between", "the network between"),
    "customer": ("for its customers to mend", "for their customers to mend"),
}
_NUMBERS = ("No", "One", "Two", "Three", "Four", "Five", "Six", "Seven", "Eight", "Nine", "Ten")


def status(word: str) -> StatusWord:
    """How to show a status; one that is new to the pages is shown by its own word."""
    return STATUSES.get(word) or StatusWord("○", word.replace("_", " ").capitalize(), "quiet")


def main_of(by_fault: Mapping[str, int]) -> str:
    """Who has to act on most of what was counted; "none" when nobody has to."""
    return max(by_fault, key=lambda fault: by_fault[fault], default="none")


def whose(faults: Sequence[str]) -> str:
    """Who has to act, from the main fault of each integration in trouble:
    `Two are for their partners to mend, one is the network between.`"""
    counted = {fault: list(faults).count(fault) for fault in _TO_MEND if fault in faults}
    if not counted:
        return ""
    if len(counted) == 1 and len(faults) == counted[next(iter(counted))] > 1:
        both = "Both" if len(faults) == 2 else "All"
        return f"{both} are {_TO_MEND[next(iter(counted))][1]}."
    ordered = sorted(counted, key=lambda fault: -counted[fault])
    parts = []
    for place, fault in enumerate(ordered):
        number = counted[fault]
        word = _number(number) if place == 0 else _number(number).lower()
        parts.append(f"{word} {'is' if number == 1 else 'are'} {_TO_MEND[fault][number > 1]}")
    return f"{', '.join(parts)}."


def opening(in_trouble: int, integrations: int) -> str:
    """The sentence that opens the overview."""
    if integrations == 0:
        return "There is no integration here yet"
    if in_trouble == 0:
        return "No integration needs a person"
    if in_trouble == 1:
        return "One integration needs a person"
    return f"{_number(in_trouble)} integrations need a person"


def _number(value: int) -> str:
    return _NUMBERS[value] if value < len(_NUMBERS) else f"{value:,}"
