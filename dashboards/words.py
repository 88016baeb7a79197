"""The words pages use for statuses, outcomes, faults and numbers.

`DEFINITIONS` are the hover texts of numbers; docs/numbers.md says the same at length.
"""

from dataclasses import dataclass


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

DIRECTIONS: dict[str, str] = {
    "outbound": "platform to partner",
    "inbound": "partner to platform",
}

DEFINITIONS: dict[str, str] = {
    "exchanges": "HTTP requests that crossed the proxy, each with its answer or its failure.",
    "error_ratio": "Bad exchanges divided by good and bad ones. Excluded exchanges do not count. "
    "The interval holds the true ratio 95 times in 100 (Wilson).",
    "p50": "Half of all timed exchanges were answered within this time.",
    "p95": "95 of 100 timed exchanges were answered within this time. Merged from histograms, "
    "never averaged.",
    "p99": "99 of 100 timed exchanges were answered within this time. Merged from histograms, "
    "never averaged.",
    "excluded": "Exchanges that failed through the platform or the customer, and so do not count "
    "for or against the partner.",
    "shed": "Exchanges that passed while Midspan could not record them. They are missing from "
    "every other number here.",
    "budget_left": "The share of failures an objective allows over its window that is not yet "
    "used up. Below zero the objective is missed.",
    "needs_person": "Integrations that are failing, silent, slow or degraded.",
    "fault": "Who has to act on the failures: partner, platform, network or customer.",
    "total_ms": "From the request's head read to just before the answer's last byte was passed on.",
}

_NUMBERS = ("No", "One", "Two", "Three", "Four", "Five", "Six", "Seven", "Eight", "Nine", "Ten")


def status(word: str) -> StatusWord:
    """How to show a status; one that is new to the pages is shown by its own word."""
    return STATUSES.get(word) or StatusWord("○", word.replace("_", " ").capitalize(), "quiet")


def opening(in_trouble: int, integrations: int) -> str:
    """The sentence that opens the overview."""
    if integrations == 0:
        return "There is no integration here yet"
    if in_trouble == 0:
        return "No integration needs a person"
    number = _NUMBERS[in_trouble] if in_trouble < len(_NUMBERS) else f"{in_trouble:,}"
    if in_trouble == 1:
        return "One integration needs a person"
    return f"{number} integrations need a person"
