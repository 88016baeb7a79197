"""Stripe's webhooks, signed by Stripe's own library."""

import json
from dataclasses import replace

import pytest
import stripe

from app.domain.window import SECOND_US
from tests.app.billing_worlds import DAY_0, revenue_of
from tests.app.web_world import SLUGS, World, copy_of
from tests.contract.worlds import NOW_US

SECRET = "whsec_0123456789abcdef"
OLDER = "whsec_older_older_older"
NOW_S = NOW_US // SECOND_US


@pytest.fixture
def world(template, tmp_path):
    home, tokens = template
    made = World(copy_of(home, tmp_path / "home"), tokens)
    secrets = ((SLUGS[0], OLDER), (SLUGS[0], SECRET))
    made.settings = replace(made.settings, stripe_secrets=secrets)
    yield made
    made.close()


def at(day: float) -> int:
    return int(DAY_0.timestamp() + day * 86_400)


def event(kind: str, thing: dict, day: float = 1, number: int = 1, before: dict | None = None):
    data = {"object": thing} | ({"previous_attributes": before} if before is not None else {})
    return {"id": f"evt_{number}", "object": "event", "type": kind, "created": at(day),
            "data": data}  # fmt: skip


def subscription(**more) -> dict:
    price = {"id": "price_1", "nickname": "Pro", "unit_amount": 4900, "currency": "usd",
             "recurring": {"interval": "month", "interval_count": 1}}  # fmt: skip
    return {
        "id": "sub_1", "object": "subscription", "customer": "cus_1", "status": "active",
        "metadata": {"installation": "inst-7", "platform_share_ratio": "0.25"},
        "items": {"data": [{"id": "si_1", "price": price, "quantity": 2}]}, **more,
    }  # fmt: skip


def send(world, body: dict, *, secret: str = SECRET, at_s: int = NOW_S, slug: str = SLUGS[0]):
    text = json.dumps(body)
    mac = stripe.WebhookSignature._compute_signature(f"{at_s}.{text}", secret)
    return world.app.test_client().post(
        f"/api/v1/stripe/{slug}", data=text, content_type="application/json",
        headers={"Stripe-Signature": f"t={at_s},v1={mac}"},
    )  # fmt: skip


def test_a_subscription_lives_and_is_paid_and_refunded(world):
    trialing = subscription(status="trialing")
    assert send(world, event("customer.subscription.created", trialing, 1, 1)).json == {
        "accepted": 1, "duplicates": 0, "rejected": []
    }  # fmt: skip
    assert revenue_of(world)["mrr"]["amount_minor"] == 0
    before = {"status": "trialing"}
    send(world, event("customer.subscription.updated", subscription(), 3, 2, before))
    assert revenue_of(world)["movements"]["new"] == 9800
    assert revenue_of(world)["trial_conversion"]["value"] == 1
    half = subscription(discount={"coupon": {"percent_off": 50.0}})
    send(world, event("customer.subscription.updated", half, 5, 3, {"discount": None}))
    assert revenue_of(world)["movements"]["contraction"] == 4900
    invoice = {"id": "in_1", "customer": "cus_1", "subscription": "sub_1", "amount_paid": 4900,
               "currency": "usd"}  # fmt: skip
    send(world, event("invoice.paid", invoice, 5, 4))
    failed = {**invoice, "id": "in_2", "amount_due": 300}
    send(world, event("invoice.payment_failed", failed, 6, 5))
    for number, amount in enumerate((500, 900)):
        charge = {"id": "ch_1", "customer": "cus_1", "invoice": "in_1", "currency": "usd",
                  "amount_refunded": amount}  # fmt: skip
        assert send(world, event("charge.refunded", charge, 7, 6 + number)).json["accepted"] == 1
    assert revenue_of(world)["payments"] == {
        "paid_minor": 4900, "refunded_minor": 900, "failed_minor": 300, "failed": 1,
        "usage_minor": 0, "platform_share_minor": 1000, "net_payout_minor": 3000,
    }  # fmt: skip
    send(world, event("customer.subscription.deleted", subscription(), 9, 8))
    assert revenue_of(world)["movements"]["churn"] == 4900


@pytest.mark.parametrize(
    ("more", "mrr"),
    [
        ({"discount": {"coupon": {"amount_off": 1000, "currency": "usd"}}}, 8800),
        ({"discounts": [{"coupon": {"amount_off": 1000, "currency": "usd"}}],
          "discount": {"coupon": {"amount_off": 1000, "currency": "usd"}}}, 8800),
        ({"discounts": [{"source": {"coupon": {"percent_off": 50}}},
                        {"coupon": {"amount_off": 333, "currency": "usd"}}]}, 4567),
        ({"discounts": [{"coupon": {"amount_off": 333, "currency": "usd"}},
                        {"coupon": {"percent_off": 50}}]}, 4734),
        ({"discount": {"coupon": {"amount_off": 900, "currency": "eur",
                                  "currency_options": {"usd": {"amount_off": 800}}}}}, 9000),
        ({"discount": {"coupon": {"amount_off": 900, "currency": "eur"}}}, 9800),
        ({"discount": {"coupon": {"amount_off": 99_000, "currency": "usd"}}}, 0),
        ({"discounts": ["di_1"]}, 9800),
    ],
)  # fmt: skip
def test_a_coupon_of_a_fixed_amount_is_taken_off_the_sum(world, more, mrr):
    send(world, event("customer.subscription.created", subscription(**more), 1, 1))
    assert revenue_of(world)["mrr"]["amount_minor"] == mrr
    send(world, event("customer.subscription.updated", subscription(), 5, 2, {"discount": {}}))
    assert revenue_of(world)["mrr"]["amount_minor"] == 9800


@pytest.mark.parametrize("coupon", [7, "x", {"amount_off": "much"}, {"percent_off": "half"},
                                    {"amount_off": 10**40}, {"percent_off": 1e308}])  # fmt: skip
def test_a_coupon_that_is_none_is_no_failure_of_ours(world, coupon):
    body = subscription(discounts=[{"coupon": coupon}])
    answer = send(world, event("customer.subscription.created", body, 1, 1))
    assert answer.status_code in {200, 422}, answer.text


def test_a_pause_and_its_end_are_told_by_what_changed(world):
    send(world, event("customer.subscription.created", subscription(), 1, 1))
    held = subscription(pause_collection={"behavior": "void"})
    send(world, event("customer.subscription.updated", held, 3, 2, {"pause_collection": None}))
    assert revenue_of(world)["movements"]["churn"] == 9800
    before = {"pause_collection": {"behavior": "void"}}
    send(world, event("customer.subscription.updated", subscription(), 5, 3, before))
    assert revenue_of(world)["movements"]["reactivation"] == 9800


def test_what_is_sent_again_counts_once(world):
    body = event("customer.subscription.created", subscription())
    assert send(world, body).json["accepted"] == 1
    again = send(world, body, at_s=NOW_S + 60)
    assert (again.status_code, again.json["duplicates"]) == (200, 1)


@pytest.mark.parametrize("how", ["forged", "stale", "early", "none", "other"])
def test_a_wrong_and_an_old_signature_are_refused(world, how):
    body = event("customer.subscription.created", subscription())
    answer = {
        "forged": lambda: send(world, body, secret="whsec_somebody_else"),
        "stale": lambda: send(world, body, at_s=NOW_S - 301),
        "early": lambda: send(world, body, at_s=NOW_S + 301),
        "none": lambda: world.app.test_client().post(f"/api/v1/stripe/{SLUGS[0]}", json=body),
        "other": lambda: world.app.test_client().post(
            f"/api/v1/stripe/{SLUGS[0]}", data=b"\xff", headers={"Stripe-Signature": f"t={NOW_S}"}
        ),
    }[how]()
    assert answer.status_code == 400
    assert revenue_of(world)["mrr"]["amount_minor"] == 0


def test_both_secrets_hold_while_one_takes_the_place_of_the_other(world):
    body = event("customer.subscription.created", subscription())
    assert send(world, body, secret=OLDER).json["accepted"] == 1


@pytest.mark.parametrize("slug", [SLUGS[1], "nobody"])
def test_an_integration_without_a_secret_has_no_such_address(world, slug):
    body = event("customer.subscription.created", subscription())
    assert send(world, body, slug=slug).status_code == 404


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ({"id": "evt_1", "type": "customer.subscription.created"}, "not a Stripe event"),
        ([1, 2], "not a Stripe event"),
        (event("customer.subscription.created", subscription(metadata={})), "lacks 'installation'"),
        (event("customer.subscription.created",
               subscription(items={"data": [{"price": {"unit_amount": None, "recurring": {
                   "interval": "month", "interval_count": 1}}}]})), "its items are billed"),
    ],
)  # fmt: skip
def test_what_cannot_be_told_is_answered_with_the_reason(world, body, reason):
    answer = send(world, body)
    assert answer.status_code == 200
    assert answer.json["rejected"][0]["reason"].startswith(reason)


def test_other_events_are_passed_over(world):
    assert send(world, event("customer.created", {"id": "cus_1"})).json == {
        "accepted": 0, "duplicates": 0, "rejected": []
    }  # fmt: skip
