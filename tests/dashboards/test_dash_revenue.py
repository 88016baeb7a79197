"""The revenue page: its sentence, its figures and its charts, from values."""

import json
from dataclasses import replace
from fractions import Fraction

import pytest

from app.domain.retention import Ratio, Retention
from app.domain.revenue import Movements
from app.domain.window import DAY_US, Window
from app.queries.at_risk import RiskView
from app.queries.revenue import (
    CurrencyView,
    PaymentsView,
    PeriodView,
    PlanView,
    RevenueView,
    UnmatchedView,
)
from dashboards.figures.revenue import movements, mrr
from dashboards.pages import revenue_rows

T = "\u202f"
MOVED = Movements(400_000, 20_000, 3000, 1000, 10_100, 1000)
PERIODS = [
    PeriodView(20_000, 20_001, Movements(400_000, new=20_000)),
    PeriodView(20_001, 20_002, Movements(420_000, churn=10_100, contraction=1000)),
    PeriodView(20_002, 20_003, Movements(408_900, expansion=3000, reactivation=1000)),
]


def view(**more) -> RevenueView:
    kept = Retention(
        11, 12, Ratio(388_900, 400_000), Ratio(391_900, 400_000), Ratio(1, 11),
        Ratio(11_100, 400_000),
    )  # fmt: skip
    fields = {
        "integration": "globex-issues", "window": Window(20_000 * DAY_US, 20_030 * DAY_US),
        "currency": "USD", "movements": MOVED, "customers": 12, "retention": kept,
        "trial_conversion": Ratio(30, 40), "arpa_minor": 34_408, "ltv_minor": 378_492,
        "risk": None, "payments": PaymentsView(1000, 50, 40, 2, 7, 200),
        "currencies": (), "unmatched": 3,
    }  # fmt: skip
    return RevenueView(**(fields | more))


def test_the_page_opens_with_who_pays_what_and_who_left():
    assert revenue_rows.sentence(view()) == (
        f"12 customers pay 4,129.00{T}USD a month, 3.2{T}% more than at the beginning of this "
        f"time. 1 of 11 customers who could leave did; 101.00{T}USD a month left with those who "
        "went."
    )


NOBODY = Retention(0, 0, None, None, None, None)
CALM = replace(view().retention, logo_churn=Ratio(0, 11))


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"customers": 0, "retention": NOBODY, "movements": Movements()}, "Nobody pays for it."),
        ({"customers": 1, "retention": NOBODY, "movements": Movements(new=4900)},
         f"1 customer pays 49.00{T}USD a month."),
        ({"retention": CALM, "movements": Movements(4900)},
         f"12 customers pay 49.00{T}USD a month, as at the beginning of this time. Nobody left."),
        ({"retention": CALM, "movements": Movements(10_000, contraction=2500)},
         f"12 customers pay 75.00{T}USD a month, 25.0{T}% less than at the beginning of this time."
         " Nobody left."),
    ],
)  # fmt: skip
def test_the_sentence_says_no_more_than_there_is(more, said):
    assert revenue_rows.sentence(view(**more)) == said


def shown(found: RevenueView) -> dict:
    places = (*revenue_rows.KEPT, *revenue_rows.PAID)
    figures = (*revenue_rows.kept(found), *revenue_rows.paid(found))
    return {place.key: figure for place, figure in zip(places, figures, strict=True)}


def test_ratios_show_both_their_terms_and_few_customers_are_counted():
    figures = shown(view())
    assert (figures["grr"].value, figures["grr"].note) == (
        f"97.2{T}%", f"3,889.00{T}USD of 4,000.00{T}USD"
    )  # fmt: skip
    assert (figures["logo_churn"].value, figures["logo_churn"].note) == (
        "1 of 11", "too few for a rate"
    )  # fmt: skip
    assert (figures["trial_conversion"].value, figures["trial_conversion"].note) == (
        f"75.0{T}%", "30 of 40"
    )  # fmt: skip
    assert figures["ltv"].note == "of few customers"


def test_what_is_at_risk_is_trouble_only_while_there_is_some():
    assert shown(view())["at_risk"].shown is False
    risk = RiskView("globex-issues", "USD", 7450, 4)
    figure = shown(view(risk=risk))["at_risk"]
    assert (figure.value, figure.note, figure.tone) == (
        f"74.50{T}USD", f"1.8{T}% of MRR", "bad"
    )  # fmt: skip
    calm = shown(view(risk=replace(risk, at_risk_minor=0)))["at_risk"]
    assert (calm.value, calm.note, calm.tone) == (f"0.00{T}USD", "", "")


def test_what_is_not_known_is_never_a_nought():
    none = view(retention=NOBODY, trial_conversion=None, arpa_minor=None, ltv_minor=None)
    values = [figure.value for figure in list(shown(none).values())[2:10] if figure.shown]
    assert values == ["–", "–", "–", "–", "–", "–", "unknown"]
    calm = shown(view(retention=CALM, ltv_minor=None))["ltv"]
    assert (calm.value, calm.note) == ("unknown", "nobody left")


def test_payments_tell_what_is_left_and_hide_what_did_not_happen():
    figures = shown(view())
    assert figures["net_payout"].value == f"7.50{T}USD"
    assert (figures["failed"].note, figures["failed"].shown) == ("2 times", True)
    quiet = view(payments=PaymentsView(0, 0, 0, 0, 0, 0), unmatched=0)
    hidden = {key for key, figure in shown(quiet).items() if not figure.shown}
    assert hidden == {"at_risk", "refunded", "failed", "usage", "unmatched_subscriptions"}


def test_a_currency_says_its_rate_and_the_date_of_it():
    euro = CurrencyView("EUR", 1000, 1080, Fraction("1.08"), 20_000)
    rows = revenue_rows.currency_rows((CurrencyView("USD", 1, 1, None, None), euro), "USD")
    assert (rows[1]["rate"], rows[1]["on"], rows[1]["into_text"]) == (
        f"1.08{T}USD", "4 Oct 2024", f"10.80{T}USD"
    )  # fmt: skip
    lost = revenue_rows.currency_row(CurrencyView("CHF", 1000, None, None, None), "USD")
    assert (lost["rate"], lost["into_text"]) == ("no rate", "–")
    assert revenue_rows.currency_rows((CurrencyView("USD", 1, 1, None, None),), "USD") == []


def test_plans_and_what_is_unmatched_are_rows_of_plain_text():
    row = revenue_rows.plan_row(PlanView("Pro\x1b", "month", 3, "USD", 4900, 7, 9, 30_000), 0)
    assert (row["plan"], row["price_text"]) == ("Pro␛", f"49.00{T}USD every 3 months")
    assert revenue_rows.plan_row(PlanView(None, "year", 1, None, 0, 1, 1, 0), 0)["price_text"] == (
        "free"
    )
    lost = revenue_rows.unmatched_row(
        UnmatchedView("sub-1", "inst\u202e", None, "pro", "USD", 4900, 0)
    )
    assert (lost["installation"], lost["customer"]) == ("inst\\u202e", "–")


def test_the_charts_show_balances_and_what_moved_them():
    line = mrr(PERIODS, "USD")["data"][0]
    assert line["y"] == [4000.0, 4200.0, 4089.0, 4129.0]
    bars = {trace["name"]: trace["y"] for trace in movements(PERIODS, "USD")["data"]}
    assert bars == {
        "new": [200.0, None, None], "reactivation": [None, None, 10.0],
        "expansion": [None, None, 30.0], "contraction": [None, -10.0, None],
        "churn": [None, -101.0, None],
    }  # fmt: skip


@pytest.mark.parametrize("periods", [[], [PeriodView(20_000, 20_001, Movements())]])
def test_charts_of_nothing_say_so(periods):
    for figure in (mrr(periods, "USD"), movements(periods, "JPY")):
        assert "nothing" in json.dumps(figure) or "nobody" in json.dumps(figure)
