"""The evidence of one exchange without its secrets. Pure.

Each part is scrubbed for itself, as what it is. Then everything that was found to be a secret in
one part is taken out of all the others: an error page likes to repeat a credential, in words that
no pattern knows.
"""

from urllib.parse import quote_from_bytes

from app.store.port import StoredCapture
from collectors.loader.body import scrub_body
from collectors.loader.headers import scrub_headers
from collectors.loader.scrub import MARK, Pair, Scrubber
from collectors.record import Capture, Exchange

#: Shorter or longer values are not looked for elsewhere: a short one is a word by chance, and
#: this long is no credential.
_LEAST_BYTES, _MOST_BYTES = 8, 4096
#: From so many bytes on, a value is looked for elsewhere even if it has no digit.
_SURELY_BYTES = 16
#: How many secrets of one exchange are looked for elsewhere. Those of the request's headers come
#: first, so an answer full of them displaces none.
_MOST_SECRETS = 100


def scrub_capture(scrubber: Scrubber, exchange: Exchange, capture: Capture) -> StoredCapture:
    """What may be stored of `capture`, which belongs to `exchange`."""
    secrets = _Secrets(scrubber)
    noting = scrubber.noting(secrets.note)
    sent, received = capture.request_headers, capture.response_headers
    shown_sent = scrub_headers(noting, sent)
    query = noting.form(capture.query) if capture.query else b""
    asked = scrub_body(noting, capture.request_body, sent, exchange.request_bytes)
    shown_received = scrub_headers(noting, received)
    answered = scrub_body(noting, capture.response_body, received, exchange.response_bytes)
    return StoredCapture(
        exchange.id,
        secrets.hide_in_headers(shown_sent),
        secrets.hide(asked),
        secrets.hide_in_headers(shown_received),
        secrets.hide(answered),
        secrets.hide(query).decode(errors="replace"),
    )


class _Secrets:
    """The secrets found in one exchange, in order, each with how it may be spelt."""

    def __init__(self, scrubber: Scrubber) -> None:
        self._scrubber = scrubber
        self._found: dict[bytes, set[bytes]] = {}

    def note(self, value: bytes) -> None:
        """Remember a value that must not be seen, if it can be told from an ordinary word."""
        if len(self._found) < _MOST_SECRETS and _is_telling(value):
            self._found[value] = _spellings(value)

    def hide(self, raw: bytes) -> bytes:
        """`raw` without them."""
        if not self._found or not raw:
            return raw
        for value in sorted(self._found, key=len, reverse=True):
            for spelt in self._found[value]:
                if spelt in raw:
                    raw = raw.replace(spelt, self._scrubber.fingerprint(value))
        return raw

    def hide_in_headers(self, pairs: tuple[Pair, ...]) -> tuple[Pair, ...]:
        """Headers whose values have none of them."""
        if not self._found:
            return pairs
        return tuple(
            (name, self.hide(value.encode(errors="replace")).decode(errors="replace"))
            for name, value in pairs
        )


def _spellings(value: bytes) -> set[bytes]:
    """As it is, and percent-encoded as for a path and as for a parameter."""
    return {value, quote_from_bytes(value).encode(), quote_from_bytes(value, safe="").encode()}


def _is_telling(value: bytes) -> bool:
    if not _LEAST_BYTES <= len(value) <= _MOST_BYTES or value in MARK:
        return False
    return len(value) >= _SURELY_BYTES or any(48 <= letter <= 57 for letter in value)
