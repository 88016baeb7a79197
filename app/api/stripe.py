"""Stripe's webhooks: who sends them shows the signature, so no token is asked for.

Each integration has signing secrets of its own (`MIDSPAN_STRIPE_SECRETS`); for one without, and for
one that does not exist, there is no such address. A signature that is wrong or older than five
minutes is refused. What Stripe sends again is a duplicate, and what cannot be told as a billing
event is answered all the same, with the reason: sending it again would not help.
"""

import re
from collections.abc import Sequence
from typing import Any

from flask import request
from flask_smorest import Blueprint
from werkzeug.exceptions import BadRequest, NotFound

from app import telemetry
from app.api.billing import receipt
from app.api.context import now_us, own_scope, reading, settings
from app.api.posting import ReceiptSchema
from app.commands.billing import take_stripe
from app.db import transaction
from app.domain.window import MINUTE_US, SECOND_US

#: How old a signature may be, as Stripe advises.
TOLERANCE_US = 5 * MINUTE_US
_TIME = re.compile(r"(?:^|,)\s*t=(\d{1,12})(?:,|$)")


def add_routes(api: Blueprint) -> None:
    """Add them to the blueprint of the API."""
    wrapped = api.response(200, ReceiptSchema)(hook)
    for status in (400, 404, 413, 503):
        wrapped = api.alt_response(status, "PROBLEM")(wrapped)
    api.route("/stripe/<slug>", methods=["POST"])(api.doc(security=[])(wrapped))


def hook(slug: str) -> Any:
    """Take in one of Stripe's events about subscriptions and payments of an integration."""
    # Several of one integration hold at once, while one takes the place of another.
    secrets = [secret for owner, secret in settings().stripe_secrets if owner in {slug, "*"}]
    if not secrets:
        raise NotFound("there is no such address")
    event = signed(request.get_data(), request.headers.get("Stripe-Signature", ""), secrets)
    with transaction(reading().engine) as session:
        taken = take_stripe(session, own_scope(), slug, event, now_us=now_us())
    return receipt(taken)


def signed(body: bytes, signature: str, secrets: Sequence[str]) -> Any:
    """The event of a body that one of `secrets` signed lately; 400 for any other."""
    # The library takes a second to load, and most have no need of it.
    from stripe import SignatureVerificationError, WebhookSignature

    found = _TIME.search(signature)
    if found is None or abs(now_us() - int(found[1]) * SECOND_US) > TOLERANCE_US:
        telemetry.count_events("stripe", "stale", 1)
        raise BadRequest("the signature is missing, or older than five minutes")
    try:
        text = body.decode()
    except UnicodeDecodeError:
        raise BadRequest("the body is not UTF-8") from None
    for secret in secrets:
        try:
            WebhookSignature.verify_header(text, signature, secret, tolerance=None)
            break
        except SignatureVerificationError:
            continue
    else:
        telemetry.count_events("stripe", "forged", 1)
        raise BadRequest("the signature is wrong")
    return parsed()


def parsed() -> Any:
    """The event as JSON."""
    try:
        return request.get_json(force=True)
    except RecursionError:  # brackets in brackets without end
        raise BadRequest("nested too deep") from None
