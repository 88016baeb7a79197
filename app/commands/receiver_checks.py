"""The rules for single values of a receiver file; none of them repeats what may be a secret."""

import base64
import binascii
import re
from collections.abc import Callable, Iterable
from datetime import date, time
from difflib import get_close_matches
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from app.domain.window import DAY_US, parse_duration

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
UTC_ZONE = ZoneInfo("UTC")
FIRST_DAY = date(2026, 1, 5)
MIDNIGHT = time()

_MAX_URL = 2_000
_TIME = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])")
_DAY = re.compile(r"2[0-9]{3}-[0-9]{2}-[0-9]{2}")
_KEY = re.compile(r"[A-Za-z0-9]{32}")
_MOST_DAYS = 90
_LONGEST_ZONE = 64


def one_of(choices: tuple[str, ...]) -> Callable[[str], str]:
    """The rule for a word of a few."""

    def rule(text: str) -> str:
        if text not in choices:
            hint = meant(text, choices) or f"; it may be {', '.join(choices)}"
            raise ValueError(f"{text[:40]!r} is none of them{hint}")
        return text

    return rule


def meant(text: str, known: Iterable[str]) -> str:
    """What a mistyped word may stand for, to be put behind a problem."""
    close = get_close_matches(text, list(known), 1)
    return f": did you mean {close[0]!r}?" if close else ""


def hook_url(private: bool) -> Callable[[str], str]:
    """The rule for an address to post to: https, inside the network http, too."""

    def rule(text: str) -> str:
        try:
            parts = urlsplit(text)
            fine = bool(parts.hostname) and parts.port != 0
        except ValueError:
            fine = False
        if not fine or not text.isascii() or not text.isprintable() or " " in text:
            raise ValueError("is not an address to post to; it is not shown here, as it is secret")
        if len(text) > _MAX_URL or "@" in parts.netloc or parts.fragment:
            raise ValueError(f"must have no user name, no # and at most {_MAX_URL:,} characters")
        if parts.scheme != "https" and not (private and parts.scheme == "http"):
            raise ValueError("must begin with https:// (http:// with allow_private_addresses)")
        return text

    return rule


def hook_secret(text: str) -> bytes:
    """The key that messages are signed with, as Standard Webhooks write it."""
    try:
        key = base64.b64decode(text.removeprefix("whsec_"), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if not text.startswith("whsec_") or not 24 <= len(key) <= 64:
        raise ValueError("must be whsec_ and the base64 of 24 to 64 random bytes")
    return key


def routing_key(text: str) -> str:
    """The integration key of a PagerDuty service."""
    if not _KEY.fullmatch(text):
        raise ValueError("must be the integration key of an Events API v2 service, 32 characters")
    return text


def zone(text: str) -> ZoneInfo:
    """A time zone by its IANA name."""
    try:
        if len(text) > _LONGEST_ZONE:
            raise ValueError(text)
        return ZoneInfo(text)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError(f"{text[:40]!r} is not a time zone such as Europe/Berlin") from None


def day(text: str) -> date:
    """A day of the calendar."""
    try:
        if not _DAY.fullmatch(text):
            raise ValueError(text)
        return date.fromisoformat(text)
    except ValueError:
        raise ValueError(f"{text[:40]!r} is not a day such as 2026-11-02") from None


def time_of_day(text: str) -> time:
    """Hours and minutes."""
    found = _TIME.fullmatch(text)
    if found is None:
        raise ValueError(f"{text[:40]!r} is not a time of day such as 09:00")
    return time(int(found[1]), int(found[2]))


def minute_of_day(text: str) -> int:
    """Hours and minutes, as minutes from midnight."""
    found = time_of_day(text)
    return found.hour * 60 + found.minute


def days(text: str) -> int:
    """Whole days."""
    length_us = parse_duration(text)
    if length_us % DAY_US or not DAY_US <= length_us <= _MOST_DAYS * DAY_US:
        raise ValueError(f"{text!r} is not a number of days from 1d to {_MOST_DAYS}d")
    return length_us // DAY_US
