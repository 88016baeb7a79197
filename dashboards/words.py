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

DEFINITIONS: dict[str, str] = {
    "exchanges": "Exchanges that crossed the proxy: recorded + shed.",
    "error_ratio": "bad / (good + bad), and the Wilson 95 % score interval of it.",
    "p50": "Half of the timed exchanges took no longer: from the request's head read to just "
    "before the last byte handed on.",
    "p95": "95 of 100 timed exchanges took no longer: from the request's head read to just "
    "before the last byte handed on.",
    "p99": "99 of 100 timed exchanges took no longer: from the request's head read to just "
    "before the last byte handed on.",
    "excluded": "Exchanges that failed by the platform's or a customer's fault; they count neither "
    "way and are always shown.",
    "shed": "Exchanges that passed while recording was impossible; known by count only.",
    "budget_left": "1 - error ratio / (1 - target); negative when overspent.",
    "needs_person": "Integrations that are failing, silent, slow or degraded.",
    "fault": "Recorded exchanges that somebody has to act on, by who; excluded ones too.",
    "total_ms": "From the request's head read to just before the last byte handed on.",
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
