"""What an answer means, whose fault a failure is, and what it counts as.

`judge` reads one table, `_RULES`: the first row that matches direction, outcome, status and error
code gives fault and verdict. The principle behind the rows: a failure the partner or the network
caused is bad; one the platform or the customer caused is excluded from the partner's objective
(and its count is always shown), because a page that blames a partner for somebody else's outage
is not believed twice.
"""

from typing import NamedTuple

from app.domain.words import Direction, Fault, Kind, Outcome, Verdict

# Error codes that change who has to act. Every code and its meaning: docs/errors.md.
WEBHOOK_REFUSED = "webhook_refused"
WEBHOOK_REDIRECTED = "webhook_redirected"
CIRCUIT_OPEN = "circuit_open"
RETRY_AFTER_HOLD = "retry_after_hold"
PAUSED = "paused"
REQUEST_TIMEOUT = "request_timeout"
CONNECT_TIMEOUT = "connect_timeout"
CONNECT_REFUSED = "connect_refused"
CONNECT_EXHAUSTED = "connect_exhausted"
DNS_NOT_FOUND = "dns_not_found"
ADDRESS_DENIED = "address_denied"
ADDRESS_OWN = "address_own"
TLS_CLIENT_CERT_REQUIRED = "tls_client_cert_required"
TLS_CLIENT_CERT_REFUSED = "tls_client_cert_refused"
TLS_FILES = "tls_files"
TUNNEL_IDLE = "tunnel_idle"


class Judgement(NamedTuple):
    """Who has to act, and what the exchange counts as."""

    fault: Fault
    verdict: Verdict


class _Rule(NamedTuple):
    """One row; a field that is None matches everything."""

    direction: Direction | None
    outcome: Outcome
    statuses: frozenset[int] | None
    error: str | None
    judgement: Judgement


_GOOD = Judgement(Fault.NONE, Verdict.GOOD)
_PARTNER = Judgement(Fault.PARTNER, Verdict.BAD)
_NETWORK = Judgement(Fault.NETWORK, Verdict.BAD)
_PLATFORM = Judgement(Fault.PLATFORM, Verdict.EXCLUDED)
_CUSTOMER = Judgement(Fault.CUSTOMER, Verdict.EXCLUDED)
_PARTNER_EXCLUDED = Judgement(Fault.PARTNER, Verdict.EXCLUDED)

_FINE = Outcome.OK, ""

_OUT, _IN = Direction.OUTBOUND, Direction.INBOUND
_REVOKED = frozenset({401, 403})
_NOT_THERE = frozenset({404, 409, 410, 412})

_RULES: tuple[_Rule, ...] = (
    _Rule(None, Outcome.OK, None, None, _GOOD),
    # A WebSocket that was open and then silent has served its purpose.
    _Rule(None, Outcome.TIMEOUT, None, TUNNEL_IDLE, _GOOD),
    # The platform calls: a 4xx says that the call was wrong, unless it is the partner's own door.
    _Rule(_OUT, Outcome.CLIENT_ERROR, None, WEBHOOK_REFUSED, _PARTNER),
    _Rule(_OUT, Outcome.CLIENT_ERROR, _REVOKED, None, _CUSTOMER),
    _Rule(_OUT, Outcome.CLIENT_ERROR, frozenset({408}), None, _PARTNER),
    _Rule(_OUT, Outcome.CLIENT_ERROR, None, None, _PLATFORM),
    _Rule(_OUT, Outcome.SERVER_ERROR, None, None, _PARTNER),
    _Rule(_OUT, Outcome.TIMEOUT, None, CONNECT_TIMEOUT, _NETWORK),
    _Rule(_OUT, Outcome.TIMEOUT, None, REQUEST_TIMEOUT, _PLATFORM),
    _Rule(_OUT, Outcome.TIMEOUT, None, None, _PARTNER),
    _Rule(_OUT, Outcome.CONNECT_ERROR, None, CONNECT_REFUSED, _PARTNER),
    _Rule(_OUT, Outcome.CONNECT_ERROR, None, ADDRESS_DENIED, _PLATFORM),
    _Rule(_OUT, Outcome.CONNECT_ERROR, None, ADDRESS_OWN, _PLATFORM),
    _Rule(_OUT, Outcome.CONNECT_ERROR, None, CONNECT_EXHAUSTED, _PLATFORM),
    _Rule(_OUT, Outcome.CONNECT_ERROR, None, None, _NETWORK),
    _Rule(_OUT, Outcome.DNS_ERROR, None, DNS_NOT_FOUND, _PARTNER),
    _Rule(_OUT, Outcome.DNS_ERROR, None, None, _NETWORK),
    # What the proxy shows as its own is the platform's to keep in order.
    _Rule(_OUT, Outcome.TLS_ERROR, None, TLS_CLIENT_CERT_REQUIRED, _PLATFORM),
    _Rule(_OUT, Outcome.TLS_ERROR, None, TLS_CLIENT_CERT_REFUSED, _PLATFORM),
    _Rule(_OUT, Outcome.TLS_ERROR, None, TLS_FILES, _PLATFORM),
    _Rule(_OUT, Outcome.TLS_ERROR, None, None, _PARTNER),
    _Rule(_OUT, Outcome.PROTOCOL_ERROR, None, None, _PARTNER),
    _Rule(_OUT, Outcome.ABORTED, None, None, _PLATFORM),
    # Refused for what the partner did before: time with an open circuit is bad time. What the
    # platform sends too much of, and what the registry pauses, is not the partner's doing.
    _Rule(_OUT, Outcome.REJECTED, None, CIRCUIT_OPEN, _PARTNER),
    _Rule(_OUT, Outcome.REJECTED, None, RETRY_AFTER_HOLD, _PARTNER),
    _Rule(_OUT, Outcome.REJECTED, None, None, _PLATFORM),
    # The partner calls: a 4xx is the partner's to mend, everything past the proxy the platform's.
    _Rule(_IN, Outcome.CLIENT_ERROR, _REVOKED, None, _CUSTOMER),
    _Rule(_IN, Outcome.CLIENT_ERROR, _NOT_THERE, None, _PARTNER_EXCLUDED),
    _Rule(_IN, Outcome.CLIENT_ERROR, None, None, _PARTNER),
    _Rule(_IN, Outcome.SERVER_ERROR, None, None, _PLATFORM),
    _Rule(_IN, Outcome.TIMEOUT, None, REQUEST_TIMEOUT, _PARTNER),
    _Rule(_IN, Outcome.TIMEOUT, None, None, _PLATFORM),
    _Rule(_IN, Outcome.CONNECT_ERROR, None, None, _PLATFORM),
    _Rule(_IN, Outcome.DNS_ERROR, None, None, _PLATFORM),
    _Rule(_IN, Outcome.TLS_ERROR, None, None, _PLATFORM),
    _Rule(_IN, Outcome.PROTOCOL_ERROR, None, None, _PLATFORM),
    _Rule(_IN, Outcome.ABORTED, None, None, _PARTNER_EXCLUDED),
    _Rule(_IN, Outcome.REJECTED, None, CIRCUIT_OPEN, _PLATFORM),
    _Rule(_IN, Outcome.REJECTED, None, RETRY_AFTER_HOLD, _PLATFORM),
    _Rule(_IN, Outcome.REJECTED, None, PAUSED, _PLATFORM),
    _Rule(_IN, Outcome.REJECTED, None, None, _PARTNER),
)


def judge(direction: Direction, outcome: Outcome, status: int, error: str) -> Judgement:
    """Fault and verdict of one exchange. `status` is 0 when no answer came."""
    for rule in _RULES:
        if (
            rule.outcome == outcome
            and (rule.direction is None or rule.direction == direction)
            and (rule.statuses is None or status in rule.statuses)
            and (rule.error is None or rule.error == error)
        ):
            return rule.judgement
    raise AssertionError(f"no rule for {direction!r} {outcome!r} {status} {error!r}")


def outcome_of_status(kind: Kind, status: int) -> tuple[Outcome, str]:
    """What a complete answer with `status` (100..599) means, with an error code or "".

    A webhook counts as taken on 2xx only (Standard Webhooks 1.0): a redirect is not followed, and
    a 4xx other than 410 (stop sending) and 429 (send slower) is the endpoint refusing its event.
    """
    if status < 300:
        return _FINE  # asked for every exchange: looking up a member of an enum costs
    if status >= 500:
        return Outcome.SERVER_ERROR, ""
    if status >= 400:
        refused = kind == Kind.WEBHOOK and status not in (410, 429)
        return Outcome.CLIENT_ERROR, WEBHOOK_REFUSED if refused else ""
    if kind == Kind.WEBHOOK:
        return Outcome.PROTOCOL_ERROR, WEBHOOK_REDIRECTED
    return _FINE


#: Outcomes whose `total_us` is a response time: an answer came, or the wait for one ran out.
#: A refused connection or a rejection is fast and says nothing about how fast answers are.
TIMED_OUTCOMES = frozenset(
    {Outcome.OK, Outcome.CLIENT_ERROR, Outcome.SERVER_ERROR, Outcome.TIMEOUT}
)
#: The status of a WebSocket, which lasts as long as it is wanted: that is no response time either.
TUNNEL_STATUS = 101
