"""The rules for single values of a registry file.

Each function takes what was written and returns what is kept; `ValueError` says what is wrong
and what to write instead.
"""

import ipaddress
import re
import unicodedata
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from urllib.parse import SplitResult, urlsplit

from app.domain.funnel import STANDING_STEPS
from app.domain.operation import MAX_LENGTH as MAX_OPERATION_LENGTH
from app.domain.route import UNATTRIBUTED, CapturePolicy
from app.domain.window import DAY_US, HOUR_US, SECOND_US, parse_duration
from app.domain.words import Direction
from app.models import Visibility

MAX_NAME = 200
MAX_CATEGORY = 63
MAX_URL = 2000
MAX_FILE_PATH = 1000
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")

_WHOLE = re.compile(r"[0-9]{1,18}")
_NUMBER = re.compile(r"(?:[0-9]{1,18}(?:\.[0-9]{0,40})?|\.[0-9]{1,40})(?:[eE][-+]?[0-9]{1,3})?")
_MOMENT = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d)?(Z|[-+]\d\d:\d\d)")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_FLAGS = {"true": True, "false": False}
_SLUG = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")
_WORD = re.compile(r"[a-z][a-z0-9_-]{0,62}")
_STATUSES = re.compile(r"[1-5](?:(xx)|[0-9]{2})")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_MAIL = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]+@[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?")
_LABEL = r"[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?"
_HOST = re.compile(rf"{_LABEL}(?:\.{_LABEL})*\.?")
_URL_PATH = re.compile(r"(?:[A-Za-z0-9\-._~!$&'()*+,;=:@/]|%[0-9A-Fa-f]{2})*")
_SEGMENT = re.compile(r"(?:[A-Za-z0-9\-._~!$&'()*+,;=:@%]|\{[A-Za-z0-9_]{1,30}\})+")
#: Control characters, half surrogates, line and paragraph separators.
_UNPRINTABLE = frozenset({"Cc", "Cs", "Zl", "Zp"})


def whole(low: int, high: int) -> Callable[[str], int]:
    """The rule for whole numbers from `low` to `high`."""

    def rule(text: str) -> int:
        if not _WHOLE.fullmatch(text) or not low <= int(text) <= high:
            raise ValueError(f"{text!r} is not a whole number from {low:,} to {high:,}")
        return int(text)

    return rule


def number(low: float, high: float) -> Callable[[str], float]:
    """The rule for numbers between `low` and `high`, both excluded."""

    def rule(text: str) -> float:
        if not _NUMBER.fullmatch(text) or not low < float(text) < high:
            raise ValueError(f"{text!r} is not a number between {low:,.10g} and {high:,.10g}")
        return float(text)

    return rule


def flag(text: str) -> bool:
    """true or false."""
    if text not in _FLAGS:
        raise ValueError(f"{text!r} is neither true nor false")
    return _FLAGS[text]


def name(text: str) -> str:
    """A name for people: any script, one line."""
    text = text.strip()
    if not text or len(text) > MAX_NAME:
        raise ValueError(f"must have 1 to {MAX_NAME} characters")
    if any(unicodedata.category(char) in _UNPRINTABLE for char in text):
        raise ValueError("must be one line without control characters")
    return text


def slug(text: str) -> str:
    """A name in addresses and files."""
    if text == UNATTRIBUTED:
        raise ValueError(f"{text!r} is reserved: traffic that belongs to nobody is recorded there")
    if not _SLUG.fullmatch(text):
        raise ValueError(
            f"{text!r} is not a slug: 1 to 63 of a-z, 0-9 and -, with - neither first nor last"
        )
    return text


def category(text: str) -> str:
    """A word or two to group by."""
    if len(text) > MAX_CATEGORY:
        raise ValueError(f"must have at most {MAX_CATEGORY} characters")
    return name(text)


def word(text: str) -> str:
    """The name of an objective."""
    if not _WORD.fullmatch(text):
        raise ValueError(
            f"{text!r} must begin with a-z and go on with a-z, 0-9, - or _ (63 at most)"
        )
    return text


def step(text: str) -> str:
    """The name of a funnel step."""
    if text in STANDING_STEPS:
        raise ValueError(f"{text!r} is a step of every funnel: leave it out")
    return word(text)


def topic(text: str) -> str:
    """The topic of a webhook."""
    if not text.strip() or len(text) > MAX_NAME or not text.isprintable():
        raise ValueError(f"must have 1 to {MAX_NAME} printable characters")
    return text


def direction(text: str) -> str:
    """Which way an exchange crosses."""
    words = [each.word for each in Direction]
    if text not in words:
        raise ValueError(f"{text!r} is not one of {', '.join(words)}")
    return text


def statuses(text: str) -> tuple[int, int]:
    """`2xx` or `201`: the least and the greatest HTTP status."""
    found = _STATUSES.fullmatch(text)
    if not found:
        raise ValueError(f"{text!r} is neither an HTTP status such as 201 nor one of 2xx to 5xx")
    return (int(text[0]) * 100, int(text[0]) * 100 + 99) if found[1] else (int(text), int(text))


def visibility(text: str) -> Visibility:
    """Who may find the integration."""
    if text not in set(Visibility):
        raise ValueError(f"{text!r} is not one of {', '.join(Visibility)}")
    return Visibility(text)


def sha256(text: str) -> str:
    """A digest in hex; capitals are allowed and lowered."""
    if not _SHA256.fullmatch(text.lower()):
        raise ValueError(
            "must be the SHA-256 of the token, 64 hex digits: "
            "printf %s TOKEN | sha256sum; never the token itself"
        )
    return text.lower()


def mail(text: str) -> str:
    """A mail address, bare."""
    local = text.partition("@")[0]
    fine = _MAIL.fullmatch(text) and len(text) <= 254 and len(local) <= 64
    if not fine or ".." in text or local.startswith(".") or local.endswith("."):
        raise ValueError(f"{text!r} is not a mail address such as oncall@partner.example")
    return text


def base_url(text: str) -> str:
    """An address that paths are put after; without a slash at its end."""
    return web_url(text).rstrip("/")


def web_url(text: str) -> str:
    """An http or https address without log-in, query or fragment."""
    if len(text) > MAX_URL or not text.isascii() or not text.isprintable() or " " in text:
        raise ValueError(f"must be an address of at most {MAX_URL} ASCII characters, no spaces")
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError as error:
        raise ValueError(f"{text!r} is not an address: {error}") from None
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ValueError(f"{text!r} must begin with http:// or https:// and a host")
    if "@" in parts.netloc:
        raise ValueError("must not carry a user name or password")
    if "?" in text or "#" in text:
        raise ValueError(f"{text!r} must not have a query (?) or a fragment (#)")
    if port == 0 or parts.netloc.endswith(":") or not _is_host(parts):
        raise ValueError(f"{parts.netloc!r} is not a host with or without :port")
    if not _URL_PATH.fullmatch(parts.path) or {".", ".."} & set(parts.path.split("/")):
        raise ValueError(f"{parts.path!r} is not a plain path")
    return text


def operation(text: str) -> str:
    """A method and a route template."""
    method, _space, path = text.partition(" ")
    if method not in METHODS or not path.startswith("/"):
        raise ValueError(
            f"{text!r} is not an operation such as 'GET /v1/issues/{{id}}' "
            f"(methods: {', '.join(METHODS)})"
        )
    if len(text) > MAX_OPERATION_LENGTH:
        raise ValueError(f"longer than {MAX_OPERATION_LENGTH} characters: {text[:40]!r}…")
    segments = path[1:].split("/")
    if segments[-1] == "":
        segments.pop()
    for segment in segments:
        if not _SEGMENT.fullmatch(segment):
            raise ValueError(f"{segment!r} in {text!r} is neither a plain word nor {{name}}")
    return text


def window(text: str) -> int:
    """The window of an objective, in microseconds."""
    length_us = parse_duration(text)
    if not HOUR_US <= length_us <= 366 * DAY_US:
        raise ValueError(f"{text!r} is not between 1h and 366d")
    return length_us


def seconds(least: int, most: int) -> Callable[[str], int]:
    """The rule for a duration of `least` to `most` seconds; microseconds are kept."""

    def rule(text: str) -> int:
        length_us = parse_duration(text)
        if not least * SECOND_US <= length_us <= most * SECOND_US:
            raise ValueError(f"{text!r} is not between {least} and {most:,} seconds")
        return length_us

    return rule


def ratio(text: str) -> float:
    """A share that may be the whole."""
    return 1.0 if text in {"1", "1.0"} else number(0, 1)(text)


def moment(text: str) -> int:
    """A time with its zone, whole seconds; microseconds since 1970 UTC are kept."""
    try:
        found = datetime.fromisoformat(text) if _MOMENT.fullmatch(text) else None
        since = (found - _EPOCH) // timedelta(microseconds=1) if found else -1
    except (ValueError, OverflowError):
        since = -1
    if since < 0:
        raise ValueError(f"{text!r} is not a time from 1970 on such as 2026-11-27T09:30:00Z")
    return since


def capture_policy(text: str) -> CapturePolicy:
    """Of which exchanges evidence is kept."""
    if text not in set(CapturePolicy):
        raise ValueError(f"{text!r} is not one of {', '.join(CapturePolicy)}")
    return CapturePolicy(text)


def file_path(text: str) -> str:
    """A file on the proxy's machine."""
    if not text.startswith("/") or len(text) > MAX_FILE_PATH or not text.isprintable():
        raise ValueError(
            f"{text!r} is not the whole path of a file, from / on, at most {MAX_FILE_PATH} long"
        )
    return text


def _is_host(parts: SplitResult) -> bool:
    host = parts.hostname or ""
    if "[" in parts.netloc:
        try:
            ipaddress.IPv6Address(host)
        except ValueError:
            return False
        return True
    return len(host) <= 253 and _HOST.fullmatch(host) is not None
