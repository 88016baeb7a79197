"""What the page of installs says, from counts alone."""

import pytest

from app.domain.funnel_counts import FunnelCount, Order, StepCount
from app.domain.health import wilson
from app.domain.window import DAY_US
from app.queries import FunnelView
from app.queries.funnels import Cohort
from dashboards import ids
from dashboards.figures.installs import installs
from dashboards.pages import installs_rows as rows
from tests.dashboards.dash_builders import NOON_US, make_window

STEPS = ("started", "authorized", "verified", "activated")


def step(name="started", reached=0, waiting=0, **lost) -> StepCount:
    causes = dict.fromkeys(("failed", "stuck", "declined", "timed_out"), 0) | lost
    return StepCount(name, reached, causes, waiting, 60.0, 120.0, 30.0, 90.0)


def count(*reached, lost=None) -> FunnelCount:
    steps = [step(name, number) for name, number in zip(STEPS, reached, strict=True)]
    for name, causes in (lost or {}).items():
        at = STEPS.index(name)
        steps[at] = step(name, reached[at], **causes)
    return FunnelCount(reached[0], reached[-1], reached[-1], tuple(steps), (0, 1, 1, 1, 1))


def view(counted, cohorts=(), **reasons) -> FunnelView:
    interval = wilson(counted.activated, counted.entered)
    gone = {key.strip("_"): number for key, number in reasons.items()}
    return FunnelView(
        make_window(), Order.ANY, DAY_US, counted, interval, cohorts, sum(gone.values()), gone
    )


@pytest.mark.parametrize(
    ("found", "said"),
    [
        (view(count(0, 0, 0, 0)), "No install began in this time."),
        (view(count(0, 0, 0, 0), price=1), "No install began in this time. 1 uninstall in this"),
        (view(count(1, 1, 1, 1)), "1 of 1 install that began in this time was activated."),
        (view(count(400, 380, 300, 287)), "287 of 400 installs that began in this time were "
         "activated (71.8\u202f%)."),
        (view(count(400, 380, 336, 330, lost={"verified": {"failed": 31, "stuck": 13}})),
         "31 of 44 lost at verified were lost because an exchange failed."),
        (view(count(9, 9, 8, 8, lost={"verified": {"declined": 1}})),
         "One lost at verified was lost because the customer said no."),
        (view(count(9, 9, 7, 7, lost={"verified": {"timed_out": 2}})),
         "All 2 lost at verified were lost although their exchanges went well."),
        (view(count(9, 9, 9, 9), price=2), "2 uninstalls in this time."),
    ],
)  # fmt: skip
def test_the_page_opens_with_what_became_of_installs(found, said):
    assert said in rows.sentence(found)


def test_of_few_installs_counts_are_shown_and_no_ratio():
    few, many = view(count(10, 9, 8, 5)), view(count(100, 90, 80, 50))
    assert [each.value for each in rows.figures(few, many)][:2] == ["10", "5 of 10"]
    assert rows.figures(few, many)[1].note == "too few to judge"
    value, *_ = [each.value for each in rows.figures(many, few)][1:]
    assert value == "50.0\u202f%"
    assert rows.figures(many, few)[1].change == ""
    assert rows.figures(many, many)[1].change == "±0\u202fpt"


def test_the_fates_of_a_cohort_add_up_to_it():
    counted = count(20, 15, 12, 10, lost={"verified": {"failed": 2, "stuck": 1}})
    assert rows.fates(counted) == (10, 7, 3)


def test_a_row_of_a_step_says_how_many_were_lost_there_and_why():
    found = view(count(100, 90, 50, 40, lost={"verified": {"failed": 31, "stuck": 9}}))
    first, _, verified, _ = rows.step_rows(found)
    assert (first["lost_text"], first["previous_text"]) == ("–", "–")
    assert verified["lost_sub"] == "31 failed, 9 stuck"
    assert (verified["previous_text"], verified["entered_sub"]) == (
        "55.6\u202f%", "50.0\u202f% of all"
    )  # fmt: skip
    assert verified["budget_share"] == 0.5
    assert verified["lost_tone"] == "bad"


def test_cohorts_of_days_are_shown_newest_first_and_unknown_plans_have_a_word():
    cohorts = [Cohort(str(at), count(30, 20, 20, 10), NOON_US + at * DAY_US) for at in range(3)]
    shown = rows.cohort_rows(cohorts, newest_first=True)
    assert [each["name"] for each in shown] == ["24 Nov", "23 Nov", "22 Nov"]
    (plain,) = rows.cohort_rows([Cohort(None, count(3, 2, 2, 1))], newest_first=False)
    assert (plain["name"], plain["activated_text"], plain["activated_sub"]) == (
        "not told", "1 of 3", "too few to judge"
    )  # fmt: skip


def test_how_soon_installs_were_activated_adds_up_to_all():
    counted = count(40, 30, 30, 30)
    found = rows.time_rows(counted)
    assert [each["count"] for each in found] == [0, 1, 0, 0, 0, 29]
    assert found[-1]["name"] == "later"


def test_uninstalls_without_a_reason_are_told_of_too():
    shown = rows.reason_rows({"price": 3, "": 1, "\u202eevil": 1})
    assert [each["name"] for each in shown] == ["price", "not told", "\\u202eevil"]


@pytest.mark.parametrize(
    ("value", "said"), [(None, "–"), (0.0, "<\u202f1\u202fs"), (61, "1\u202fmin 1\u202fs")]
)
def test_seconds_are_told_as_people_read_them(value, said):
    assert rows.seconds(value) == said


def test_the_chart_stacks_what_became_of_each_days_installs():
    cohorts = [Cohort("x", count(30, 20, 20, 10), NOON_US)]
    figure = installs(rows.bars(cohorts), make_window(60 * 24 * 3))
    assert [trace["y"] for trace in figure["data"]] == [[10], [20], [0]]
    empty = installs([], make_window())
    assert empty["layout"]["annotations"][1]["text"] == "no install began"


def test_no_figure_of_the_strip_bears_the_id_of_a_panel():
    cells = {ids.part("installs", place.key) for place in rows.PLACES}
    assert cells.isdisjoint(value for name, value in vars(ids).items() if name.isupper())
