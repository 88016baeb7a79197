"""Reading single values of posted events without trust: each function returns what is kept, and
`ValueError` says what is wrong with one event, which is then rejected alone."""

import re
from collections.abc import Collection, Mapping, Set
from datetime import UTC, datetime, timedelta
from difflib import get_close_matches
from typing import Any

from app.domain.phrases import short_duration
from app.domain.window import MINUTE_US

#: The most events of one call.
MOST_EVENTS = 1_000
#: How far the clocks of senders may be ahead.
AHEAD_US = 5 * MINUTE_US
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
_SHOWN = 63


def entries(raw: Any, known: Set[str]) -> Mapping[str, Any]:
    """An event as keys with values, none of them unknown."""
    if not isinstance(raw, dict):
        raise ValueError("an event is an object with keys")
    if not raw.keys() <= known:
        unknown = next(key for key in raw if key not in known)
        raise ValueError(f"unknown key {shown(unknown)}{hint(unknown, known)}")
    return raw


def needed(event: Mapping[str, Any], key: str, longest: int) -> str:
    """A text that must be there."""
    found = optional(event, key, longest)
    if found is None:
        raise ValueError(f"lacks {key!r}")
    return found


def optional(event: Mapping[str, Any], key: str, longest: int) -> str | None:
    """A text, or nothing."""
    text = event.get(key)
    if text is None:
        return None
    if not isinstance(text, str) or not 0 < len(text) <= longest:
        raise ValueError(f"{key!r} must be a text of 1 to {longest} characters")
    if not text.isprintable() and _UNSTORABLE.search(text):
        raise ValueError(f"{key!r} holds a character that cannot be kept: NUL or half a surrogate")
    return text


def moment(event: Mapping[str, Any], key: str, now_us: int) -> int:
    """A time with its zone, not in the future; microseconds since 1970 UTC."""
    text = needed(event, key, 40)
    try:
        found = datetime.fromisoformat(text)
        at_us = (found - _EPOCH) // _MICROSECOND if found.tzinfo else -1
    except (ValueError, OverflowError):
        at_us = -1
    if at_us < 0:
        raise ValueError(
            f"{key!r} must be an RFC 3339 time from 1970 on with its zone, "
            "such as 2026-11-22T10:00:00Z"
        )
    if at_us > now_us + AHEAD_US:
        raise ValueError(
            f"{key!r} lies more than {short_duration(AHEAD_US)} in the future: check the clock"
        )
    return at_us


def shown(text: str) -> str:
    """What somebody sent, as a reason may repeat it."""
    return repr(text[:_SHOWN])


def hint(text: str, known: Collection[str]) -> str:
    """`: did you mean 'verified'?` when one of `known` is near."""
    close = get_close_matches(text[:_SHOWN], known, 1)
    return f": did you mean {close[0]!r}?" if close else ""
