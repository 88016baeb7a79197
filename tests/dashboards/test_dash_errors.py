import json

import pytest

from app.queries import ErrorGroupView
from dashboards.pages import error_rows

NOW_US = 1_795_348_800_000_000
HOUR_US = 3_600_000_000
T = "\u202f"


def make_group(**more) -> ErrorGroupView:
    fields = {
        "id": "0" * 15 + "1", "integration": "globex-issues", "direction": "outbound",
        "kind": "request", "operation": "POST /v1/issues", "outcome": "server_error", "status": 500,
        "error": None, "message": "null value in column '…'", "example": "null value in column x",
        "fault": "partner", "first_us": NOW_US - HOUR_US, "last_us": NOW_US, "exchanges": 9,
        "total": 12, "installations": 3, "installations_exact": True,
        "points": ((NOW_US - HOUR_US, 4), (NOW_US, 5)), "sample": None, "standing": "new",
        "handling": "unresolved", "decided_us": None, "decided_by": None, "until_us": None,
        "more": None, "assignee": None,
    }  # fmt: skip
    return ErrorGroupView(**(fields | more))


def row(**more):
    return error_rows.row(make_group(**more), "?window=24h", NOW_US)


def test_a_group_says_what_fails_where_and_how_often():
    found = row()
    assert (found["status"], found["failure"]) == ("■ New", "500 · null value in column x")
    assert (found["sub"], found["exchanges_text"], found["points"]) == (
        "POST /v1/issues",
        "9",
        [4, 5],
    )
    assert found["meaning"] == "null value in column '…'"
    assert (
        found["href"]
        == found["log"]
        == (
            "/integrations/globex-issues/exchanges?window=24h&operation=POST+%2Fv1%2Fissues"
            "&outcome=server_error&direction=outbound&status=500"
        )
    )
    assert row(sample="some-id")["href"] == "/exchanges/some-id"


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"status": None, "error": "dns_failed", "outcome": "dns_error", "example": ""},
         "dns_failed · null value in column '…'"),
        ({"example": "", "message": ""}, "500 · 5xx answer"),
        ({"operation": "other", "status": None, "example": "beyond"}, "beyond"),
    ],
)  # fmt: skip
def test_a_group_without_words_of_its_own_is_named_by_its_code(more, said):
    assert row(**more)["failure"] == said


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({}, ""),
        ({"standing": "ignored"}, "for good"),
        ({"standing": "ignored", "more": 1000}, "until 1,000 more"),
        ({"standing": "ignored", "until_us": NOW_US + 3 * HOUR_US}, f"for 3{T}h"),
    ],
)
def test_an_ignored_group_says_until_when(more, said):
    assert row(**more)["reason"] == said


def test_an_estimate_is_marked_as_one():
    assert row(installations=0)["installations_text"] == "–"
    assert row(installations=310, installations_exact=False)["installations_text"] == f"≈{T}310"


def test_hostile_words_are_cut_and_made_visible():
    found = row(example="<script>\x00\u202e" + "x" * 1_000_000)
    assert len(json.dumps(found)) < 3_000
    assert found["failure"].startswith("500 · <script>␀\\u202e")


def counts(**more):
    return {"new": 0, "regressed": 0, "ongoing": 0, "resolved": 0, "ignored": 0} | more


@pytest.mark.parametrize(
    ("by", "views", "said"),
    [
        (counts(), [], "Nothing failed in this time."),
        (counts(resolved=2), [], "Nothing that failed in this time wants somebody."),
        (counts(new=1), [make_group()],
         "One new failure wants somebody. 9 of 9 failed exchanges are for the partner to mend."),
        (counts(new=2, regressed=1, ongoing=9),
         [make_group(), make_group(fault="network", exchanges=1)],
         "12 failures want somebody: two new and one back after it was resolved. "
         "9 of 10 failed exchanges are for the partner to mend."),
        (counts(ongoing=1), [make_group(standing="ongoing", fault="network")],
         "One failure wants somebody. 9 of 9 failed exchanges are of the network between."),
        (counts(ongoing=1), [make_group(standing="ongoing", fault="none")],
         "One failure wants somebody."),
    ],
)  # fmt: skip
def test_the_page_opens_with_how_many_want_somebody(by, views, said):
    assert error_rows.sentence(by, views) == said
