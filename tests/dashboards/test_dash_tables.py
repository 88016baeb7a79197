import json

import pytest
from dash_builders import NO_LATENCY, make_exchange, make_health, make_integration, make_operation

from dashboards import words
from dashboards.pages import tables

T = "\u202f"


def test_a_row_of_the_overview_says_status_ratio_and_interval():
    row = tables.league_row(make_integration(), make_health(), "?window=1h")
    assert row["href"] == "/integrations/globex-issues?window=1h"
    assert row["status"] == "■ Failing"
    assert row["ratio_text"] == f"8.2{T}%"
    assert row["ratio_note"] == "±1.7"
    assert row["faults"] == [["partner", 80], ["platform", 20], ["network", 0], ["customer", 0]]


def test_too_few_exchanges_are_counted_and_not_divided():
    health = make_health(status="not_enough_data", good=9, bad=0, error_ratio=0.0)
    row = tables.league_row(make_integration(), health, "")
    assert row["ratio_text"] == "0 of 9"
    assert row["ratio_note"] == ""


def test_what_was_not_measured_is_a_dash():
    health = make_health(
        status="idle", proxied=0, good=0, bad=0, excluded=0, error_ratio=None,
        error_interval=None, latency_ms=NO_LATENCY, by_fault={}, reasons=(),
    )  # fmt: skip
    row = tables.league_row(make_integration(), health, "")
    assert (row["ratio_text"], row["p95_text"], row["excluded_text"]) == ("–", "–", "–")


def test_an_integration_that_is_not_public_says_so():
    view = make_integration(visibility="internal")
    assert tables.league_row(view, make_health(), "")["partner"] == "Globex · internal"


@pytest.mark.parametrize("status", list(words.STATUSES))
def test_trouble_sorts_before_calm(status):
    row = tables.league_row(make_integration(), make_health(status=status), "")
    assert row["rank"] == list(words.STATUSES).index(status)


def test_an_operation_leads_to_its_exchanges_in_the_same_time():
    row = tables.operation_row(make_operation(operation="GET /a?b&c"), "one", "?window=1h")
    assert row["href"] == "/integrations/one/exchanges?window=1h&operation=GET+%2Fa%3Fb%26c"
    assert row["bad_text"] == "10 of 100"


def test_a_webhook_is_told_from_a_call():
    assert tables.operation_row(make_operation(kind="webhook"), "one", "")["sub"] == (
        "→ partner · webhook"
    )
    assert tables.operation_row(make_operation(direction="inbound"), "one", "")["sub"] == (
        "← partner"
    )


@pytest.mark.parametrize(
    ("more", "outcome", "error"),
    [
        ({}, "500", "5xx answer"),
        ({"status": 200, "outcome": "ok", "verdict": "good"}, "200", ""),
        (
            {"status": None, "outcome": "timeout", "error": "first_byte_timeout"},
            "timeout",
            "first_byte_timeout",
        ),
        (
            {"status": None, "outcome": "dns_error", "error": "dns_failed", "error_detail": "x"},
            "name not found",
            "dns_failed · x",
        ),
    ],
)
def test_a_row_of_an_exchange_says_what_happened(more, outcome, error):
    row = tables.exchange_row(make_exchange(**more))
    assert (row["outcome"], row["error"]) == (outcome, error)


def test_a_megabyte_on_one_line_is_cut_before_it_reaches_a_list():
    row = tables.exchange_row(make_exchange(error_detail="x" * 1_000_000, operation="y" * 10_000))
    assert len(json.dumps(row)) < 2_000


def test_a_row_is_flat_text_and_numbers():
    row = tables.exchange_row(make_exchange(error_detail="<script>\x00\u202e"))
    assert row["error"] == "<script>␀\\u202e"
    assert all(isinstance(value, str | int | float | type(None)) for value in row.values())
