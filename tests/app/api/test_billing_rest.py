"""Billing events in, revenue out, as programs see both."""

import pytest

from tests.app.billing_worlds import bill, cancelled, changed, moment, post, revenue_of, started
from tests.app.web_world import INSIDE, SLUGS

CONTRACT = {
    "id": "bill-1", "integration": SLUGS[0], "installation": "inst-7", "customer": "cust-3",
    "subscription": "sub-9", "type": "subscription_started", "occurred_at": moment(3),
    "plan": "pro", "interval": "month", "quantity": 1,
    "amount": {"amount_minor": 4900, "currency": "USD"}, "platform_share_ratio": 0.3,
}  # fmt: skip


def moved(body: dict) -> dict:
    """The movements that are not 0."""
    return {name: value for name, value in body["movements"].items() if value}


def test_an_event_is_taken_once_and_shows_in_the_revenue(world):
    assert post(world, [CONTRACT]).json == {"accepted": 1, "duplicates": 0, "rejected": []}
    assert post(world, [CONTRACT, CONTRACT]).json["duplicates"] == 2
    body = revenue_of(world)
    assert body["currency"] == "USD"
    assert body["mrr"] == {"amount_minor": 4900, "currency": "USD"}
    assert body["arr"] == {"amount_minor": 58_800, "currency": "USD"}
    assert moved(body) == {"new": 4900, "closing": 4900}
    assert (body["customers"], body["arpa_minor"]) == (1, 4900)
    assert body["grr"] is body["nrr"] is body["logo_churn"] is body["ltv_minor"] is None
    assert body["trial_conversion"] is None
    assert body["unmatched_subscriptions"] == 1


def test_the_movements_are_those_of_the_contract(world):
    events = [
        *[started(-20, f"sub-a{i}", 38_890) for i in range(9)],
        started(-20, "sub-b", 39_890), started(-20, "sub-c", 10_100),
        started(-40, "sub-d", 1000), cancelled(-10, "sub-d"),
        *[changed(5, f"sub-a{i}", 38_890) for i in range(2)],
        changed(6, "sub-b", 38_890), cancelled(7, "sub-c"), changed(8, "sub-a8", 41_890),
        started(9, "sub-e", 20_000), started(10, "sub-d", 1000),
    ]  # fmt: skip
    assert post(world, events).json["rejected"] == []
    body = revenue_of(world)
    assert body["movements"] == {
        "opening": 400_000, "new": 20_000, "expansion": 3000, "contraction": 1000,
        "churn": 10_100, "reactivation": 1000, "closing": 412_900,
    }  # fmt: skip
    assert body["grr"] == {
        "value": 388_900 / 400_000, "numerator": 388_900, "denominator": 400_000
    }  # fmt: skip
    assert body["nrr"]["numerator"] == 391_900
    assert body["logo_churn"] == {"value": 1 / 11, "numerator": 1, "denominator": 11}
    assert body["revenue_churn"]["numerator"] == 11_100
    assert body["customers"] == 12
    assert body["ltv_minor"] == round(412_900 / 12 * 11)


BAD = {
    "unknown currency 'XXX'": {"amount": {"amount_minor": 1, "currency": "XXX"}},
    "'quantity' is negative": {"quantity": -1},
    "'amount_minor' is negative": {"amount": {"amount_minor": -1, "currency": "USD"}},
    "unknown type 'subscription_begun'": {"type": "subscription_begun"},
    "unknown type of type list": {"type": ["subscription_started"]},
    "unknown integration 'nobody'": {"integration": "nobody"},
    f"{INSIDE} is internal": {"integration": INSIDE},
    "'occurred_at' lies more than 5m in the future": {"occurred_at": "2025-12-01T00:00:00Z"},
    "'occurred_at' must be an RFC 3339 time": {"occurred_at": "2025-11-01T00:00:00"},
    "unknown key 'quantiti': did you mean 'quantity'?": {"quantiti": 2},
    "unknown interval 'quarter'": {"interval": "quarter"},
    "'platform_share_ratio' is not from 0 to 1": {"platform_share_ratio": 30},
    "'discount_ratio' is not a number": {"discount_ratio": "10%"},
    "'interval_count' is not from 1 to 120": {"interval_count": 0},
    "'quantity' is not a whole number": {"quantity": 1.5},
    "subscription_started lacks 'interval'": {"interval": None},
    "subscription_started lacks 'amount'": {"amount": None},
    "lacks 'subscription'": {"subscription": None},
    "'installation' must be a text of 1 to 200": {"installation": "i" * 201},
    "'customer' holds a character": {"customer": "a\x00b"},
    "more than 1,000,000,000,000 minor units": {
        "quantity": 1_000_000, "amount": {"amount_minor": 10**9, "currency": "USD"}
    },
    "'ends_at' is not after 'occurred_at'": {"ends_at": moment(-3)},
}  # fmt: skip


def test_each_bad_event_is_named_with_its_reason_and_stops_no_other(world):
    events = [{**started(1, f"sub-{number}"), **wrong} for number, wrong in enumerate(BAD.values())]
    told = post(world, [started(1, "sub-good"), *events, 17, None, [], started(2, "sub-fine")]).json
    assert told["accepted"] == 2
    assert [each["index"] for each in told["rejected"]] == list(range(1, len(BAD) + 4))
    for reason, each in zip(BAD, told["rejected"], strict=False):
        assert each["reason"].startswith(reason), each
    assert revenue_of(world)["mrr"]["amount_minor"] == 9800


@pytest.mark.parametrize(
    ("body", "status"),
    [({}, 422), ("x", 422), ([started(1)] * 1001, 422), (None, 415)],
)
def test_what_is_no_array_of_at_most_a_thousand_is_refused_whole(world, body, status):
    answer = post(world, body)
    assert answer.status_code == status
    assert answer.content_type == "application/problem+json"


@pytest.mark.parametrize(
    "sent", [b"[" * 100_000, b"[1e999]", b'["\\ud800"]', b"[NaN]", b"[" + b"9" * 5000 + b"]", b"{"]
)
def test_hostile_bodies_are_answered_and_never_a_defect(world, sent):
    answer = world.app.test_client().post(
        "/api/v1/billing-events", data=sent, content_type="application/json",
        headers=world.bearer("ecosystem"),
    )  # fmt: skip
    assert answer.status_code < 500


@pytest.mark.parametrize("role", ["globex", "builder"])
def test_a_partner_tells_nobody_what_it_earns(world, role):
    answer = post(world, [started(1)], role)
    assert answer.status_code == 403
    assert answer.content_type == "application/problem+json"
    assert revenue_of(world, role="globex")["movements"]["closing"] == 0


def test_an_internal_integration_and_one_of_somebody_else_earn_nothing_to_be_seen(world):
    assert world.api(f"/integrations/{INSIDE}/revenue").status_code == 404
    assert world.api(f"/integrations/{INSIDE}/revenue", "builder").status_code == 404
    assert world.api(f"/integrations/{SLUGS[2]}/revenue", "globex").status_code == 404
    assert world.api("/integrations/unattributed/revenue").status_code == 404
    assert world.api(f"/integrations/{SLUGS[2]}/revenue", "initech").status_code == 200


def test_what_happened_before_is_told_after_and_nothing_is_lost(world):
    events = [started(1), changed(5, amount=9900), bill("subscription_paused", 8),
              bill("subscription_resumed", 12), cancelled(18)]  # fmt: skip
    for event in reversed(events):
        post(world, [event])
    assert moved(revenue_of(world, 0, 7)) == {"new": 4900, "expansion": 5000, "closing": 9900}
    assert moved(revenue_of(world, 7, 10)) == {"opening": 9900, "churn": 9900}
    assert moved(revenue_of(world, 10, 17)) == {"reactivation": 9900, "closing": 9900}
    assert moved(revenue_of(world, 17, 25)) == {"opening": 9900, "churn": 9900}


def test_a_later_event_about_the_same_moment_corrects_an_earlier_one(world):
    post(world, [started(1, amount=49_000)])
    post(world, [started(1, amount=4900)])
    assert moved(revenue_of(world)) == {"new": 4900, "closing": 4900}


def test_payments_are_no_mrr_and_leave_the_partner_what_the_platform_does_not_keep(world):
    post(world, [
        started(1, platform_share_ratio=0.3, amount=4900),
        bill("invoice_paid", 1, amount=4900), bill("invoice_paid", 5, amount=3333, quantity=3),
        bill("invoice_refunded", 6, amount=900), bill("invoice_failed", 7, amount=4900),
        {**bill("usage_charged", 8, amount=150, platform_share_ratio=0.1), "subscription": None},
    ])  # fmt: skip
    body = revenue_of(world)
    assert body["mrr"]["amount_minor"] == 4900
    paid = 4900 + 9999
    share = 1470 + 3000 - 270
    assert body["payments"] == {
        "paid_minor": paid, "refunded_minor": 900, "failed_minor": 4900, "failed": 1,
        "usage_minor": 150, "platform_share_minor": share, "net_payout_minor": paid - 900 - share,
    }  # fmt: skip


def test_the_newest_event_about_an_invoice_stands(world):
    post(world, [bill("invoice_refunded", 3, amount=1000, invoice="ch-1")])
    post(world, [bill("invoice_refunded", 2, amount=500, invoice="ch-1"),
                 bill("invoice_refunded", 2, amount=70, invoice="ch-2")])  # fmt: skip
    assert revenue_of(world)["payments"]["refunded_minor"] == 1070


def test_a_share_that_is_told_late_holds_for_what_was_paid_before(world):
    post(world, [bill("invoice_paid", 2, amount=1000)])
    assert revenue_of(world)["payments"]["platform_share_minor"] == 0
    post(world, [started(1, platform_share_ratio=0.25)])
    assert revenue_of(world)["payments"]["platform_share_minor"] == 250
    post(world, [bill("invoice_paid", 4, amount=1000), changed(3, platform_share_ratio=0.5)])
    assert revenue_of(world)["payments"]["platform_share_minor"] == 750


def test_an_unknown_currency_and_a_foreign_name_in_the_question_are_named(world):
    for query in ("currency=XXX", "currency=usd", "curency=USD", "window=9999w"):
        answer = world.api(f"/integrations/{SLUGS[0]}/revenue?{query}")
        assert answer.status_code == 422, query
