"""Captured headers without their secrets. Pure.

A listed header is stored as it is, apart from what looks like a secret in it. Of every other one
the name is stored and the fingerprint of its value, so that people can see whether two callers
used the same key, and cannot find out which.
"""

import binascii
from base64 import b64decode
from collections.abc import Sequence

from collectors.loader import patterns
from collectors.loader.allowlist import ADDRESSES, LISTED
from collectors.loader.scrub import SCHEMES, Pair, Scrubber

#: The most characters that are stored of a listed value.
VALUE_CHARS = 1024
#: From so many bytes on, a value with a digit and without a blank is taken for a credential.
_TELLING_BYTES = 12


def scrub_headers(scrubber: Scrubber, pairs: Sequence[Pair]) -> tuple[Pair, ...]:
    """The headers, in their order, as they may be stored."""
    # One search in all values is cheaper than one in each, and most have nothing.
    joined = "\n".join([value for _, value in pairs]).encode(errors="replace")
    hinted = patterns.HINT.search(joined) is not None
    return tuple([(name, _shown(scrubber, name, value, hinted=hinted)) for name, value in pairs])


def _shown(scrubber: Scrubber, name: str, value: str, *, hinted: bool) -> str:
    lower = name.lower()
    if lower not in LISTED:
        return _other(scrubber, value, name)
    if lower in ADDRESSES:
        return _address(scrubber, value)
    value = value[:VALUE_CHARS]
    return (
        scrubber.text(value.encode(errors="replace")).decode(errors="replace") if hinted else value
    )


def _address(scrubber: Scrubber, value: str) -> str:
    """An address; what stands behind its `?` or `#` is a fingerprint, path secrets are too."""
    raw = value.encode(errors="replace")
    end = min((at for at in (raw.find(b"?"), raw.find(b"#")) if at >= 0), default=len(raw))
    (path,) = scrubber.paths([raw[:end].decode(errors="replace")])
    behind = raw[end + 1 :]
    return path + (raw[end : end + 1] + scrubber.mark(behind)).decode() if behind else path


def _other(scrubber: Scrubber, value: str, name: str) -> str:
    raw = value.encode(errors="replace")
    if not raw:
        return ""
    scheme, blank, credential = raw.partition(b" ")
    known = bool(credential) and scheme.lower() in SCHEMES
    if known or patterns.is_sensitive(name.encode(errors="replace")):
        for part in _credentials(scheme.lower() if known else b"", credential if known else raw):
            scrubber.note(part)
    elif _is_telling(raw):
        scrubber.note(raw)
    shown = scrubber.fingerprint(credential if known else raw)
    return (scheme + blank + shown if known else shown).decode()


def _credentials(scheme: bytes, raw: bytes) -> list[bytes]:
    """Everything in a credential that is one by itself: the values of its cookies or parameters,
    the password of a Basic one."""
    parts = [raw]
    if scheme == b"basic":
        try:
            parts.append(b64decode(raw).partition(b":")[2])
        except binascii.Error:
            return parts
    for pair in raw.replace(b",", b";").split(b";"):
        parts.append(pair.partition(b"=")[2].strip(b' "'))
    return parts


def _is_telling(raw: bytes) -> bool:
    """Whether it looks made to be unique, not chosen from a few words or an address."""
    digits = any(48 <= letter <= 57 for letter in raw)
    return len(raw) >= _TELLING_BYTES and digits and b" " not in raw and b"://" not in raw
