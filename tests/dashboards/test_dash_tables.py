import json

import pytest
from dash_builders import make_exchange, make_operation

from dashboards.pages import tables

T = "\u202f"


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
