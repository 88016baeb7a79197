"""Whether a routed request may go ahead now. Pure: every limit that can refuse one belongs here."""

from app.domain.route import Limits
from collectors.proxy.errors import BODY_TOO_LARGE, MAX_FORWARDS
from collectors.proxy.head import METHODS, RequestHead
from collectors.proxy.verdicts import Refusal

_ALLOWED = ", ".join(sorted(METHODS))


def admit(head: RequestHead, limits: Limits) -> Refusal | None:
    """Why this request may not go ahead; None if it may."""
    if head.last_hop:
        return Refusal(MAX_FORWARDS, "Max-Forwards: 0", allow=_ALLOWED)
    return body_refusal(head.body_length, limits) if head.body_length > 0 else None


def body_refusal(body_bytes: int, limits: Limits) -> Refusal | None:
    """Why a body of (so far) `body_bytes` is too large; None if it is not."""
    if body_bytes > limits.body_bytes:
        return Refusal(BODY_TOO_LARGE, f"over {limits.body_bytes} bytes")
    return None
