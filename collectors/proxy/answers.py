"""The answers that the proxy makes itself. Pure: facts in, bytes out."""

import json
from http import HTTPStatus

from app.domain.words import Direction, Outcome
from collectors.proxy.errors import ERRORS
from collectors.proxy.refusals import TOO_MANY_CONNECTIONS
from collectors.proxy.verdicts import Refusal


def problem(
    refusal: Refusal, direction: Direction, exchange_id: str, *, bodiless: bool, close: bool
) -> bytes:
    """A whole `application/problem+json` answer (RFC 9457); `bodiless` for an answer to HEAD.

    A partner is not told what goes on behind the platform's door: inbound, the detail of a
    failure that is not its own stays in the record.
    """
    entry = ERRORS[refusal.code]
    told = direction == Direction.OUTBOUND or entry.outcome == Outcome.REJECTED
    phrase = HTTPStatus(entry.status).phrase
    document = {
        "type": "about:blank",
        "title": phrase,
        "status": entry.status,
        "detail": f"{entry.meaning} ({refusal.detail})" if told else entry.meaning,
        "code": refusal.code,
        "outcome": entry.outcome.word,
        "exchange": exchange_id,
    }
    if told:
        document["remedy"] = entry.remedy
    own = f"Midspan-Outcome: {entry.outcome.word}\r\nMidspan-Exchange: {exchange_id}\r\n"
    if refusal.allow:
        own += f"Allow: {refusal.allow}\r\n"
    soon = entry.status == HTTPStatus.TOO_MANY_REQUESTS or refusal.code == TOO_MANY_CONNECTIONS
    if retry_after_s := refusal.retry_after_s or int(soon):
        own += f"Retry-After: {retry_after_s}\r\n"
    return whole(
        entry.status,
        "application/problem+json",
        json.dumps(document, indent=1).encode() + b"\n",
        own=own,
        bodiless=bodiless,
        close=close,
    )


def whole(
    status: int, media: str, body: bytes, *, own: str = "", bodiless: bool = False, close: bool
) -> bytes:
    """A whole answer with a known body."""
    head = (
        f"HTTP/1.1 {status} {HTTPStatus(status).phrase}\r\n"
        f"Content-Type: {media}\r\nContent-Length: {len(body)}\r\n"
        f"Cache-Control: no-store\r\n{own}" + ("Connection: close\r\n\r\n" if close else "\r\n")
    )
    return head.encode("latin-1") + (b"" if bodiless else body)
