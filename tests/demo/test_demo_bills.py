"""What the demo's customers pay is always the same, and Midspan takes all of it."""

from itertools import islice

from app.commands.bills import read
from app.domain.billing import BillingType
from app.domain.window import DAY_US
from demo import bills
from demo.model import Model

MODEL = Model(7, 1_795_348_800_000_000)


def test_the_past_is_the_same_every_time_and_all_of_it_can_be_taken():
    events = bills.past(MODEL)
    assert events == bills.past(MODEL)
    taken = [read(event, MODEL.anchor_us) for event in events]
    assert len({(each.integration, each.id) for each in taken}) == len(taken) > 1000
    types = {each.type for each in taken}
    assert types >= set(BillingType) - {BillingType.USAGE_CHARGED, BillingType.SUBSCRIPTION_RESUMED}
    assert {each.currency for each in taken} >= {"USD", "EUR", "GBP"}


def test_nothing_is_paid_for_what_is_internal():
    assert "umbrella-deploys" not in {event["integration"] for event in bills.past(MODEL)}


def test_somebody_pays_or_changes_a_plan_every_few_minutes():
    first = MODEL.anchor_us // bills.LIVE_US + 1
    events = [bills.live(MODEL, slot) for slot in range(first, first + 40)]
    now_us = (first + 40) * bills.LIVE_US
    assert {read(event, now_us).type for event in events} == {
        BillingType.INVOICE_PAID, BillingType.SUBSCRIPTION_CHANGED
    }  # fmt: skip


def test_rates_have_a_line_for_each_day_and_currency():
    lines = list(bills.rates(MODEL.anchor_us, 10))
    assert len(lines) == 22
    assert len({day for day, _, _ in lines}) == 11
    assert all(0.5 < float(rate) < 1.5 for _, _, rate in islice(lines, 22))
    assert lines[-1][0] == "2026-11-22"
    assert MODEL.anchor_us % DAY_US < DAY_US
