"""Movements that close, ratios whose terms are the same customers, and the mistakes of others."""

import pytest

from app.domain.billing import BillingType as B
from app.domain.money import Interval, conversion
from app.domain.retention import Days, Holding, Ratio, is_due, ltv_minor, retention, run
from app.domain.revenue import OPEN_DAY, Movement, Movements, Span, Step, line, steps
from app.domain.subscription import Said, fold
from app.domain.window import DAY_US
from tests.app.domain.revenue_checks import check_portfolio, day_of, holding

USD = conversion("USD", (), ())


def told(kind: B, day: float, number: int = 0, **more) -> Said:
    terms = {"interval": Interval.MONTH, "amount_minor": 4900, "currency": "USD"}
    known = terms if kind is B.SUBSCRIPTION_STARTED else {}
    return Said(number, kind, int(day * DAY_US), "inst", **{**known, **more})


def account(*subscriptions: list[Said], away=()) -> list[Step]:
    folded = [fold(events, 10_000 * DAY_US) for events in subscriptions]
    return steps([line(each.stretches, away) for each in folded if each])


def kinds(found: list[Step]) -> list[tuple[str, int, int]]:
    return [(s.kind.value, s.day, s.after_minor - s.before_minor) for s in found]


@pytest.mark.parametrize("seed", range(12))
def test_random_histories_close_and_every_ratio_is_what_counting_says(seed):
    assert check_portfolio(seed, 12) == 12


def test_an_upgrade_a_downgrade_and_an_end_are_what_they_are_called():
    found = account([
        told(B.SUBSCRIPTION_STARTED, 1), told(B.SUBSCRIPTION_CHANGED, 5, amount_minor=9900),
        told(B.SUBSCRIPTION_CHANGED, 9, amount_minor=1900), told(B.SUBSCRIPTION_CANCELLED, 12),
        told(B.SUBSCRIPTION_STARTED, 20),
    ])  # fmt: skip
    assert kinds(found) == [
        ("new", 1, 4900), ("expansion", 5, 5000), ("contraction", 9, -8000), ("churn", 12, -1900),
        ("reactivation", 20, 4900),
    ]  # fmt: skip
    assert [step.until_day for step in found] == [5, 9, 12, 20, OPEN_DAY]


def test_a_move_to_a_free_plan_is_a_contraction_to_nothing_and_no_lost_customer():
    found = account(
        [told(B.SUBSCRIPTION_STARTED, 1), told(B.SUBSCRIPTION_CHANGED, 5, amount_minor=0)]
    )
    assert kinds(found) == [("new", 1, 4900), ("contraction", 5, -4900)]
    kept = retention([holding(found, Days(3, 33))], USD, Days(3, 33))
    assert kept.logo_churn == Ratio(0, 1)
    assert kept.grr == Ratio(0, 4900)
    back = account([
        told(B.SUBSCRIPTION_STARTED, 1), told(B.SUBSCRIPTION_CHANGED, 5, amount_minor=0),
        told(B.SUBSCRIPTION_CHANGED, 9, amount_minor=4900),
    ])  # fmt: skip
    assert kinds(back)[-1] == ("expansion", 9, 4900), "it had never left"


def test_a_free_plan_that_ends_loses_the_customer_who_had_paid():
    found = account([
        told(B.SUBSCRIPTION_STARTED, 1), told(B.SUBSCRIPTION_CHANGED, 5, amount_minor=0),
        told(B.SUBSCRIPTION_CANCELLED, 9),
    ])  # fmt: skip
    assert kinds(found)[-1] == ("still", 9, 0)
    assert retention([holding(found, Days(3, 7))], USD, Days(3, 7)).logo_churn == Ratio(0, 1)
    assert retention([holding(found, Days(3, 12))], USD, Days(3, 12)).logo_churn == Ratio(1, 1)


def test_a_change_of_plan_told_as_an_end_and_a_beginning_is_no_churn():
    old = [told(B.SUBSCRIPTION_STARTED, 1), told(B.SUBSCRIPTION_CANCELLED, 7.2)]
    new = [told(B.SUBSCRIPTION_STARTED, 7.4, amount_minor=9900)]
    assert kinds(account(old, new)) == [("new", 1, 4900), ("expansion", 7, 5000)]


def test_one_who_moves_to_another_currency_has_neither_left_nor_come():
    found = account([
        told(B.SUBSCRIPTION_STARTED, 1), told(B.SUBSCRIPTION_CHANGED, 5, currency="EUR"),
    ])  # fmt: skip
    assert [(s.kind.value, s.currency) for s in found] == [
        ("new", "USD"), ("expansion", "EUR"), ("contraction", "USD"),
    ]  # fmt: skip


def test_mrr_counts_only_while_installed_too():
    away = [Span(5 * DAY_US, 8 * DAY_US), Span(12 * DAY_US, None)]
    found = account([told(B.SUBSCRIPTION_STARTED, 1)], away=away)
    assert kinds(found) == [
        ("new", 1, 4900), ("churn", 5, -4900), ("reactivation", 8, 4900), ("churn", 12, -4900)
    ]  # fmt: skip


def test_an_old_installation_that_is_removed_today_is_lost_today():
    found = account([told(B.SUBSCRIPTION_STARTED, 1)], away=[Span(1000 * DAY_US, None)])
    days = Days(1000, 1001)
    assert retention([holding(found, days)], USD, days).logo_churn == Ratio(1, 1)


def test_one_who_left_and_came_back_within_the_period_is_counted_once_and_not_as_lost():
    found = account([
        told(B.SUBSCRIPTION_STARTED, 1), told(B.SUBSCRIPTION_CANCELLED, 10),
        told(B.SUBSCRIPTION_STARTED, 20), told(B.SUBSCRIPTION_CANCELLED, 22),
        told(B.SUBSCRIPTION_STARTED, 25),
    ])  # fmt: skip
    kept = retention([holding(found, Days(5, 35))], USD, Days(5, 35))
    assert kept.logo_churn == Ratio(0, 1)
    assert (kept.customers_opening, kept.customers) == (1, 1)
    assert kept.grr == kept.nrr == Ratio(4900, 4900)


def test_one_who_came_and_left_within_the_period_is_in_no_ratio():
    found = account([told(B.SUBSCRIPTION_STARTED, 6), told(B.SUBSCRIPTION_CANCELLED, 10)])
    kept = retention([holding(found, Days(5, 35))], USD, Days(5, 35))
    assert (kept.logo_churn, kept.grr, kept.customers) == (None, None, 0)


def test_a_yearly_plan_is_due_only_in_the_month_of_its_renewal():
    yearly = [told(B.SUBSCRIPTION_STARTED, day_of("2024-02-29"), interval=Interval.YEAR,
                   amount_minor=58_800)]  # fmt: skip
    found = account(yearly)
    assert found[0].after_minor == 4900
    for month, due in (("2024-12", False), ("2025-01", False), ("2025-02", True)):
        first = day_of(f"{month}-01")
        days = Days(first, first + 28)
        kept = retention([holding(found, days)], USD, days)
        assert kept.logo_churn == (Ratio(0, 1) if due else None), month
        assert kept.grr == Ratio(4900, 4900), "what is paid counts always"


def test_a_yearly_customer_who_leaves_early_is_in_both_terms():
    found = account([
        told(B.SUBSCRIPTION_STARTED, 1, interval=Interval.YEAR, amount_minor=58_800),
        told(B.SUBSCRIPTION_CANCELLED, 70),
    ])  # fmt: skip
    others = account([told(B.SUBSCRIPTION_STARTED, 1, interval=Interval.YEAR)])
    days = Days(60, 90)
    kept = retention([holding(found, days), holding(others, days)], USD, days)
    assert kept.logo_churn == Ratio(1, 1)
    assert kept.revenue_churn == Ratio(4900, 4900)


@pytest.mark.parametrize(
    ("cycle", "anchor", "first", "end", "due"),
    [
        (0, "2025-01-10", "2025-03-01", "2025-03-02", True),
        (12, "2025-01-10", "2025-01-01", "2025-02-01", False),
        (12, "2025-01-10", "2026-01-01", "2026-02-01", True),
        (12, "2025-01-10", "2026-01-11", "2026-12-31", False),
        (3, "2025-01-31", "2025-04-30", "2025-05-01", True),
        (3, "2025-01-31", "2025-04-01", "2025-04-30", False),
        (3, "2025-01-31", "2025-02-01", "2025-04-30", False),
        (12, "2026-01-10", "2025-01-01", "2025-12-31", False),
        (12, "2024-02-29", "2028-02-29", "2028-03-01", True),
    ],
)
def test_a_renewal_lies_within_a_period_or_does_not(cycle, anchor, first, end, due):
    assert is_due(cycle, day_of(anchor), Days(day_of(first), day_of(end))) is due


def test_nobody_leaving_gives_no_lifetime_value_and_not_an_infinite_one():
    assert ltv_minor(412_900, 12, Ratio(0, 11), Days(0, 30)) is None
    assert ltv_minor(412_900, 12, None, Days(0, 30)) is None
    assert ltv_minor(0, 0, Ratio(1, 1), Days(0, 30)) is None
    assert ltv_minor(412_900, 12, Ratio(1, 11), Days(0, 7)) is None, "too short to tell"


@pytest.mark.parametrize(("length", "months"), [(28, 1), (30, 1), (31, 1), (61, 2), (365, 12)])
def test_a_lifetime_is_arpa_by_churn_a_month(length, months):
    assert ltv_minor(10_000, 10, Ratio(1, 20), Days(0, length)) == 1000 * 20 * months


def test_balances_of_periods_that_follow_each_other_meet_in_another_currency_too():
    from tests.app.domain.revenue_checks import RATES

    rates = conversion("USD", ("EUR", "JPY"), RATES)
    days = [{"EUR": Movements(new=333), "JPY": Movements(new=7)}, {"JPY": Movements(churn=5)},
            {"EUR": Movements(contraction=1, expansion=50)}]  # fmt: skip
    found = run({"EUR": 10, "JPY": 1}, days, rates)
    assert [each.opening for each in found[1:]] == [each.closing for each in found[:-1]]
    assert found[0].opening == round((10 * 1.0823) + 1.0823 / 171.37 * 100)


def test_amounts_without_a_rate_are_left_out_and_the_account_still_counts():
    rates = conversion("USD", ("EUR",), ())
    kept = retention([Holding({"EUR": 100}, {"EUR": 100}, True)], rates, Days(0, 30))
    assert (kept.customers, kept.grr, kept.logo_churn) == (1, None, Ratio(0, 1))


def test_a_day_without_a_movement_has_no_step():
    found = account([
        told(B.SUBSCRIPTION_STARTED, 1), told(B.SUBSCRIPTION_CHANGED, 5.2, amount_minor=1),
        told(B.SUBSCRIPTION_CHANGED, 5.4, amount_minor=4900, plan="other"),
    ])  # fmt: skip
    assert [step.kind for step in found] == [Movement.NEW]
