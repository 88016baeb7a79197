"""Fault and verdict, row by row, and what a status means."""

import itertools

import pytest

from app.domain import outcome as table
from app.domain.outcome import (
    ADDRESS_DENIED,
    ADDRESS_OWN,
    CIRCUIT_OPEN,
    CONNECT_EXHAUSTED,
    CONNECT_REFUSED,
    CONNECT_TIMEOUT,
    DNS_NOT_FOUND,
    REQUEST_TIMEOUT,
    TIMED_OUTCOMES,
    TLS_CLIENT_CERT_REFUSED,
    TLS_CLIENT_CERT_REQUIRED,
    TLS_FILES,
    TUNNEL_IDLE,
    WEBHOOK_REDIRECTED,
    WEBHOOK_REFUSED,
    judge,
    outcome_of_status,
)
from app.domain.words import Direction, Fault, Kind, Outcome, Verdict

OUT, IN = Direction.OUTBOUND, Direction.INBOUND
OK, CLIENT, SERVER = Outcome.OK, Outcome.CLIENT_ERROR, Outcome.SERVER_ERROR
TIMEOUT, CONNECT, DNS = Outcome.TIMEOUT, Outcome.CONNECT_ERROR, Outcome.DNS_ERROR
TLS, PROTOCOL, ABORTED = Outcome.TLS_ERROR, Outcome.PROTOCOL_ERROR, Outcome.ABORTED
REJECTED = Outcome.REJECTED

NONE, PARTNER, PLATFORM = Fault.NONE, Fault.PARTNER, Fault.PLATFORM
NETWORK, CUSTOMER = Fault.NETWORK, Fault.CUSTOMER
GOOD, BAD, EXCLUDED = Verdict.GOOD, Verdict.BAD, Verdict.EXCLUDED

#: One line per row of the table, in its order.
ROWS = [
    (OUT, OK, 200, "", NONE, GOOD),
    (OUT, TIMEOUT, 101, TUNNEL_IDLE, NONE, GOOD),
    (OUT, CLIENT, 404, WEBHOOK_REFUSED, PARTNER, BAD),
    (OUT, CLIENT, 401, "", CUSTOMER, EXCLUDED),
    (OUT, CLIENT, 408, "", PARTNER, BAD),
    (OUT, CLIENT, 404, "", PLATFORM, EXCLUDED),
    (OUT, SERVER, 500, "", PARTNER, BAD),
    (OUT, TIMEOUT, 0, CONNECT_TIMEOUT, NETWORK, BAD),
    (OUT, TIMEOUT, 0, REQUEST_TIMEOUT, PLATFORM, EXCLUDED),
    (OUT, TIMEOUT, 0, "first_byte_timeout", PARTNER, BAD),
    (OUT, CONNECT, 0, CONNECT_REFUSED, PARTNER, BAD),
    (OUT, CONNECT, 0, ADDRESS_DENIED, PLATFORM, EXCLUDED),
    (OUT, CONNECT, 0, ADDRESS_OWN, PLATFORM, EXCLUDED),
    (OUT, CONNECT, 0, CONNECT_EXHAUSTED, PLATFORM, EXCLUDED),
    (OUT, CONNECT, 0, "connect_reset", NETWORK, BAD),
    (OUT, DNS, 0, DNS_NOT_FOUND, PARTNER, BAD),
    (OUT, DNS, 0, "dns_timeout", NETWORK, BAD),
    (OUT, TLS, 0, TLS_CLIENT_CERT_REQUIRED, PLATFORM, EXCLUDED),
    (OUT, TLS, 0, TLS_CLIENT_CERT_REFUSED, PLATFORM, EXCLUDED),
    (OUT, TLS, 0, TLS_FILES, PLATFORM, EXCLUDED),
    (OUT, TLS, 0, "", PARTNER, BAD),
    (OUT, PROTOCOL, 0, "", PARTNER, BAD),
    (OUT, ABORTED, 0, "", PLATFORM, EXCLUDED),
    (OUT, REJECTED, 503, CIRCUIT_OPEN, PARTNER, BAD),
    (OUT, REJECTED, 0, "retry_after_hold", PARTNER, BAD),
    (OUT, REJECTED, 429, "rate_limited", PLATFORM, EXCLUDED),
    (IN, CLIENT, 403, "", CUSTOMER, EXCLUDED),
    (IN, CLIENT, 404, "", PARTNER, EXCLUDED),
    (IN, CLIENT, 422, "", PARTNER, BAD),
    (IN, SERVER, 503, "", PLATFORM, EXCLUDED),
    (IN, TIMEOUT, 0, REQUEST_TIMEOUT, PARTNER, BAD),
    (IN, TIMEOUT, 0, "first_byte_timeout", PLATFORM, EXCLUDED),
    (IN, CONNECT, 0, CONNECT_REFUSED, PLATFORM, EXCLUDED),
    (IN, DNS, 0, DNS_NOT_FOUND, PLATFORM, EXCLUDED),
    (IN, TLS, 0, "", PLATFORM, EXCLUDED),
    (IN, PROTOCOL, 0, "", PLATFORM, EXCLUDED),
    (IN, ABORTED, 0, "", PARTNER, EXCLUDED),
    (IN, REJECTED, 503, CIRCUIT_OPEN, PLATFORM, EXCLUDED),
    (IN, REJECTED, 0, "retry_after_hold", PLATFORM, EXCLUDED),
    (IN, REJECTED, 0, "paused", PLATFORM, EXCLUDED),
    (IN, REJECTED, 429, "rate_limited", PARTNER, BAD),
]


@pytest.mark.parametrize(("direction", "outcome", "status", "error", "fault", "verdict"), ROWS)
def test_each_row_of_the_table_says_who_acts_and_what_it_counts_as(
    direction, outcome, status, error, fault, verdict
):
    assert judge(direction, outcome, status, error) == (fault, verdict)


@pytest.mark.parametrize("code", ["rate_limited", "concurrency_full", "rate_limit_hold"])
def test_sending_too_much_is_the_callers_doing(code):
    assert judge(OUT, REJECTED, 0, code) == (PLATFORM, EXCLUDED)
    assert judge(IN, REJECTED, 0, code) == (PARTNER, BAD)


def test_what_the_registry_pauses_is_nobodys_failure():
    assert judge(OUT, REJECTED, 0, "paused") == judge(IN, REJECTED, 0, "paused")
    assert judge(OUT, REJECTED, 0, "paused") == (PLATFORM, EXCLUDED)


def test_every_row_of_the_table_is_reached_by_a_line_of_its_own(monkeypatch):
    rules = table._RULES
    assert len(ROWS) == len(rules)
    for number, (direction, outcome, status, error, fault, verdict) in enumerate(ROWS):
        monkeypatch.setattr(table, "_RULES", rules[:number])
        with pytest.raises(AssertionError, match="no rule"):
            judge(direction, outcome, status, error)
        monkeypatch.setattr(table, "_RULES", rules[: number + 1])
        assert judge(direction, outcome, status, error) == (fault, verdict)


@pytest.mark.parametrize(("direction", "outcome"), list(itertools.product(Direction, Outcome)))
def test_every_direction_and_outcome_is_judged_whatever_status_and_error(direction, outcome):
    for status, error in itertools.product((0, 200, 401, 404, 418, 429, 503), ("", "never_seen")):
        fault, verdict = judge(direction, outcome, status, error)
        assert (verdict == GOOD) == (outcome == OK)
        assert (fault == NONE) == (outcome == OK)


@pytest.mark.parametrize(("direction", "outcome"), list(itertools.product(Direction, Outcome)))
def test_what_the_platform_or_the_customer_caused_is_never_bad(direction, outcome):
    for status, error in itertools.product((0, 401, 404, 503), ("", REQUEST_TIMEOUT, CIRCUIT_OPEN)):
        fault, verdict = judge(direction, outcome, status, error)
        if fault in (PLATFORM, CUSTOMER):
            assert verdict == EXCLUDED


@pytest.mark.parametrize(
    ("kind", "status", "outcome", "error"),
    [
        (Kind.REQUEST, 100, OK, ""),
        (Kind.REQUEST, 204, OK, ""),
        (Kind.REQUEST, 302, OK, ""),
        (Kind.REQUEST, 399, OK, ""),
        (Kind.REQUEST, 400, CLIENT, ""),
        (Kind.REQUEST, 499, CLIENT, ""),
        (Kind.REQUEST, 500, SERVER, ""),
        (Kind.REQUEST, 599, SERVER, ""),
        (Kind.WEBHOOK, 200, OK, ""),
        (Kind.WEBHOOK, 299, OK, ""),
        (Kind.WEBHOOK, 301, PROTOCOL, WEBHOOK_REDIRECTED),
        (Kind.WEBHOOK, 404, CLIENT, WEBHOOK_REFUSED),
        (Kind.WEBHOOK, 410, CLIENT, ""),
        (Kind.WEBHOOK, 429, CLIENT, ""),
        (Kind.WEBHOOK, 503, SERVER, ""),
    ],
)
def test_a_status_means_an_outcome(kind, status, outcome, error):
    assert outcome_of_status(kind, status) == (outcome, error)


def test_only_an_answer_or_the_wait_for_one_says_how_fast_answers_are():
    assert {OK, CLIENT, SERVER, TIMEOUT} == TIMED_OUTCOMES
