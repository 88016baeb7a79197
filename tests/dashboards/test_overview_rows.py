import pytest
from dash_builders import (
    NO_LATENCY,
    NOON_US,
    make_health,
    make_integration,
    make_objective,
    make_window,
)

from app.domain.episode import Episode
from app.domain.health import Status
from app.domain.objective import standing
from app.domain.window import HOUR_US, MINUTE_US, Window
from app.queries import BudgetView, OverviewRow
from dashboards import words
from dashboards.pages import overview_rows

T = "\u202f"


def make_row(health=None, view=None, before=None, budgets=(), trouble=None, **more) -> OverviewRow:
    return OverviewRow(
        view or make_integration(**more), health or make_health(), before, (1, 2, 3), (0, 0, 1),
        tuple(budgets), trouble,
    )  # fmt: skip


def row(each: OverviewRow, search="", now_us=NOON_US):
    return overview_rows.row(each, search, now_us)


def test_a_row_says_status_ratio_and_interval():
    made = row(make_row(), "?window=1h")
    assert made["href"] == "/integrations/globex-issues?window=1h"
    assert made["status"] == "■ Failing"
    assert made["ratio_text"] == f"8.2{T}%"
    assert made["ratio_note"] == "±1.7"
    assert made["faults"] == [["partner", 80], ["platform", 20], ["network", 0], ["customer", 0]]
    assert (made["spark"], made["spark_bad"]) == ([1, 2, 3], [0, 0, 1])


def test_too_few_exchanges_are_counted_and_not_divided():
    made = row(make_row(make_health(status="not_enough_data", good=9, bad=0, error_ratio=0.0)))
    assert (made["ratio_text"], made["ratio_note"], made["ratio_sub"]) == ("0 of 9", "", "")


def test_what_was_not_measured_is_a_dash():
    health = make_health(
        status="idle", proxied=0, good=0, bad=0, excluded=0, error_ratio=None,
        error_interval=None, latency_ms=NO_LATENCY, by_fault={}, reasons=(),
    )  # fmt: skip
    made = row(make_row(health))
    assert (made["ratio_text"], made["p95_text"], made["budget_text"]) == ("–", "–", "–")
    assert made["ratio_tip"] == "nothing counted"


def test_an_integration_that_is_not_public_says_so():
    assert row(make_row(visibility="internal"))["partner"] == "Globex · internal"


@pytest.mark.parametrize("status", list(words.STATUSES))
def test_trouble_sorts_before_calm(status):
    assert row(make_row(make_health(status=status)))["rank"] == list(words.STATUSES).index(status)


def test_the_reason_says_for_how_long():
    start_us = NOON_US - 3 * HOUR_US
    trouble = Episode(Window(start_us, NOON_US), Status.FAILING, lasts=True, whole=True)
    assert row(make_row(trouble=trouble))["reason"] == f"8.2 % errors, for 3{T}h"
    before = Episode(Window(start_us, NOON_US), Status.FAILING, lasts=True, whole=False)
    assert row(make_row(trouble=before))["reason"] == "8.2 % errors"


def test_a_change_is_told_against_the_period_before():
    made = row(make_row(before=make_health(proxied=500, error_ratio=0.01)))
    assert made["traffic_note"] == f"+100{T}%"
    assert made["ratio_sub"] == f"+7.2{T}pt"
    assert row(make_row())["traffic_note"] == ""


@pytest.mark.parametrize(
    ("good", "bad", "text", "tone"),
    [(999, 1, f"80.0{T}%", "ok"), (996, 4, f"20.0{T}%", "warn"),
     (994, 6, f"−20.0{T}%", "bad"), (900, 100, "20× spent", "bad")],
)  # fmt: skip
def test_a_budget_is_what_is_left_of_the_tightest_objective(good, bad, text, tone):
    easy = BudgetView(make_objective("latency", 0.5), standing(0.5, good, bad), 0)
    tight = BudgetView(
        make_objective("availability", 0.995, "28d", None), standing(0.995, good, bad), 0
    )
    made = row(make_row(budgets=(easy, tight)))
    assert (made["budget_text"], made["budget_tone"]) == (text, tone)
    assert f"Availability 99.5{T}% over 28{T}d" in made["budget_tip"]


def several() -> list[OverviewRow]:
    return [
        make_row(slug="a", partner_name="Globex", category="chat"),
        make_row(make_health(status="slow"), slug="b", partner_name="Initech", category="chat"),
        make_row(make_health(status="healthy"), slug="c", partner_name="Globex", category=None),
        make_row(make_health(status="idle"), slug="d", partner_name="Initech", category="ci"),
    ]


@pytest.mark.parametrize(
    ("only", "slugs"),
    [("", "abcd"), ("trouble", "ab"), ("calm", "c"), ("quiet", "d"), ("<nonsense>", "abcd")],
)
def test_a_choice_shows_what_is_like_it(only, slugs):
    made = overview_rows.rows(several(), "", NOON_US, only=only)
    assert [one["id"] for one in made] == list(slugs)


def test_groups_stand_under_heads_in_the_order_of_trouble():
    made = overview_rows.rows(several(), "", NOON_US, group="partner")
    assert [one["id"] for one in made] == [
        "group: Globex", "a", "c", "group: Initech", "b", "d",
    ]  # fmt: skip
    assert made[0]["partner"] == "2 integrations · 1 in trouble"
    assert {one["group"] for one in made[:3]} == {"Globex"}
    assert "a globex" in made[0]["search"]
    by_category = overview_rows.rows(several(), "", NOON_US, group="category")
    heads = [one["name"] for one in by_category if "head" in one]
    assert heads == ["chat", "no category", "ci"]


@pytest.mark.parametrize(
    ("faults", "said"),
    [
        ([], ""),
        (["none"], ""),
        (["partner"], "One is for its partner to mend."),
        (["partner", "partner"], "Both are for their partners to mend."),
        (["platform"] * 3, "All are for the platform to mend."),
        (["partner", "network", "partner"],
         "Two are for their partners to mend, one is the network between."),
        (["customer", "none"], "One is for its customers to mend."),
    ],
)  # fmt: skip
def test_the_overview_says_who_has_to_act(faults, said):
    assert words.whose(faults) == said


def test_a_window_and_a_beginning_read_as_people_say_them():
    from dashboards import format as show

    window = make_window(90)
    assert show.window(window.start_us, window.end_us) == "22 Nov 10:30 to 12:00 UTC"
    assert show.since(NOON_US - 41 * MINUTE_US, NOON_US) == f"since 11:19, 41{T}min"
    assert show.since(NOON_US - 26 * HOUR_US, NOON_US) == f"since 21 Nov 10:00, 1{T}d 2{T}h"
