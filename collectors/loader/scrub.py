"""Take secrets out of what was recorded, before it reaches a database. Pure, linear in time.

A secret is replaced by `[scrubbed:<8 hex>]`. The eight digits are a fingerprint (BLAKE2, keyed by
this installation's secret), so that people can see whether two values were equal and cannot find
out what they were. Scrubbing twice changes nothing.

Found by name: JSON (also JSON inside a JSON string, cut JSON, and objects as a whole), forms,
multipart parts, XML elements, `name: value`, `name=value` and `name => value` in any other text,
name and value as neighbours in an object, an element or a table. Found by shape:
bearer and basic credentials, JWTs, PEM blocks, URL userinfo, keys of well-known vendors, card
numbers (Luhn), e-mail addresses (the domain stays). What this misses, it misses silently; headers
are therefore allow-listed (`collectors.loader.headers`), and what is found in one part of an
exchange is taken out of every other (`collectors.loader.evidence`).
"""

from bisect import bisect_right
from collections.abc import Callable, Sequence
from hashlib import blake2b
from itertools import accumulate, islice
from typing import Any
from urllib.parse import quote_from_bytes, unquote_to_bytes

from collectors.loader import patterns

#: How every replaced value begins.
MARK = b"[scrubbed:"
_MARK_BYTES = len(MARK) + 9
_LITERALS = frozenset({b"null", b"true", b"false", b"none", b"undefined"})
#: Words before a credential that say what sort it is, and stay.
SCHEMES = frozenset({b"bearer", b"basic", b"digest", b"token", b"bot", b"apikey", b"hmac"})
_BACKSLASH = 0x5C
#: A word this long behind `bearer` or `basic` is a credential, even one without a digit.
_CREDENTIAL_BYTES = 16
#: Strings and brackets that are looked at to find the end of a secret object.
_CONTAINER_TOKENS = 1000

Pair = tuple[str, str]
#: Start, end and what replaces it; None: nothing to replace.
_Span = tuple[int, int, bytes] | None


class Scrubber:
    """Scrubs with the fingerprints of one installation. `note` is told each secret."""

    def __init__(self, secret: str) -> None:
        self._key = blake2b(secret.encode(), person=b"midspan scrub").digest()
        self.note: Callable[[bytes], object] = _forget

    def noting(self, note: Callable[[bytes], object]) -> "Scrubber":
        """The same scrubber, which tells `note`."""
        other = object.__new__(Scrubber)
        other._key, other.note = self._key, note
        return other

    def mark(self, value: bytes) -> bytes:
        """What is stored in place of a secret, which is noted."""
        if not _is_mark(value):
            self.note(value)
        return self.fingerprint(value)

    def fingerprint(self, value: bytes) -> bytes:
        """What is stored in place of `value`, which need not be a secret."""
        if _is_mark(value):
            return value
        digest = blake2b(value, key=self._key, digest_size=4).hexdigest()
        return b"%s%s]" % (MARK, digest.encode())

    def text(self, raw: bytes, *, cut: bool = False) -> bytes:
        """Any text without its secrets. `cut`: its end is missing, and half a card number is
        treated as a whole one."""
        if b"\\u00" in raw:
            raw = patterns.ESCAPED_ASCII.sub(_unescape, raw)
        if patterns.HINT.search(raw) is None:
            return raw
        if patterns.NAME.search(raw):
            if b"orm-data" in raw:
                raw = self._replace(raw, patterns.PART, self._part)
            if b"<" in raw:
                raw = self._replace(raw, patterns.ELEMENT, self._element)
            for pattern in patterns.SHOWN:
                raw = self._replace(raw, pattern, self._shown)
            raw = self._replace(raw, patterns.NAMED_VALUE, self._named)
        return self._shapes(raw, cut=cut)

    def form(self, raw: bytes) -> bytes:
        """A form body without its secrets, also those that are escaped."""
        if raw.lstrip()[:1] in (b"{", b"["):  # sent as a form by a client's default
            return self.text(raw)
        return b"&".join(map(self._parameter, raw.split(b"&")))

    def detail(self, detail: str) -> str:
        """An error's own words without secrets and control characters."""
        scrubbed = self.text(detail.encode(errors="replace")).decode(errors="replace")
        return "".join(letter if letter.isprintable() else " " for letter in scrubbed)

    def paths(self, paths: Sequence[str]) -> Sequence[str]:
        """Many paths at once: they are searched as one text, because nearly all are clean."""
        raw = "\n".join(paths).encode(errors="replace")
        hits = [
            match.start()
            for pattern in (patterns.SHAPE, patterns.NAMED_VALUE, patterns.PATH_SECRET)
            for match in pattern.finditer(raw)
        ]
        if not hits:
            return paths
        lines = raw.split(b"\n")
        starts = list(accumulate((len(line) + 1 for line in lines), initial=0))
        cleaned = list(paths)
        for line in {bisect_right(starts, hit) - 1 for hit in hits}:
            cleaned[line] = self._path(lines[line])
        return cleaned

    def _path(self, raw: bytes) -> str:
        raw = self._replace(raw, patterns.PATH_SECRET, self._path_secret)
        return self.text(raw).decode(errors="replace")

    def _parameter(self, pair: bytes) -> bytes:
        name, equals, value = pair.partition(b"=")
        plain = _unquote(value)
        if patterns.is_sensitive(_unquote(name)[:200], parameter=True):
            return name + equals + self.mark(plain) if value else pair
        if not equals:
            return self.text(pair)
        scrubbed = self.text(plain)
        return pair if scrubbed == plain else name + equals + _quote(scrubbed)

    def _shapes(self, raw: bytes, *, cut: bool) -> bytes:
        cut_at = len(raw) if cut else -1

        def replace(match: Any) -> bytes:
            return self._shape(match.group(), cut=match.end() == cut_at)

        replaced: bytes = patterns.SHAPE.sub(replace, raw)
        return replaced

    def _shape(self, found: bytes, *, cut: bool) -> bytes:
        """What replaces one match of `patterns.SHAPE`; `cut`: more of it may have followed."""
        if MARK in found:
            return found
        if found.startswith(b"-----"):
            return self.mark(found)
        if b"://" in found:
            scheme, _, userinfo = found.partition(b"://")
            return scheme + b"://" + self.mark(userinfo[:-1]) + b"@"
        if at := _at_sign(found):
            local, domain = found.split(at, 1)
            return self.mark(local) + at + domain
        if found[:1].isdigit():
            return self.mark(found) if cut or patterns.is_card_number(found) else found
        scheme, blank, credential = _credential(found)
        if scheme and len(credential) < _CREDENTIAL_BYTES and not _has_digit(credential):
            return found  # prose: "basic training"
        return scheme + blank + self.mark(credential)

    def _replace(self, raw: bytes, pattern: Any, replace: Callable[[bytes, Any], _Span]) -> bytes:
        """`raw` with every span that `replace` names replaced; it sees each match once."""
        pieces, done, at = [], 0, 0
        while (match := pattern.search(raw, at)) is not None:
            at = match.end()
            span = replace(raw, match)
            if span is not None:
                start, end, value = span
                pieces += [raw[done:start], value]
                done = end
                at = max(at, end)
        return b"".join((*pieces, raw[done:]))

    def _named(self, raw: bytes, match: Any) -> _Span:
        close = match.group(1) or b""
        name = raw[match.start() : match.start(1) if close else match.end()].rstrip(b" \t\r\n:=")
        if not patterns.is_sensitive(name[-200:]):
            return None
        start = _value_start(raw, match.end())
        inner = start
        while raw[inner : inner + 1] == b"\\":
            inner += 1
        if raw[inner : inner + 1] in (b'"', b"'"):
            end = _closing_quote(raw, inner + 1, raw[inner], inner - start)
            found = raw[inner + 1 : end]
            return (inner + 1, end, self.mark(found)) if found else None
        if close and raw[start : start + 1] in (b"{", b"["):
            end = _container_end(raw, start, nested=len(close) > 1)
            return start, end, close + self.mark(raw[start:end]) + close
        return self._bare(raw, start, close)

    def _bare(self, raw: bytes, start: int, close: bytes) -> _Span:
        pattern = patterns.JSON_END if close else patterns.BARE_END
        end = _end(pattern, raw, start)
        if raw[start:end].lower() in SCHEMES and raw[end : end + 1] == b" ":
            start = end + 1
            end = _end(pattern, raw, start)
        value = raw[start:end] if close else raw[start:end].rstrip(b",)}")
        if not value or value.lower() in _LITERALS:
            return None
        return start, start + len(value), close + self.mark(value) + close

    def _shown(self, _raw: bytes, match: Any) -> _Span:
        value = match.group(2)
        if not patterns.is_sensitive(match.group(1)[-200:]) or value.lower() in _LITERALS:
            return None
        return (match.start(2), match.end(2), self.mark(value)) if value.strip() else None

    def _element(self, raw: bytes, match: Any) -> _Span:
        tag = match.group()
        if not patterns.is_sensitive(tag[1:200].split(None, 1)[0].rstrip(b">").split(b":")[-1]):
            return None
        end = raw.find(b"]]>" if tag.endswith(b"[") else b"<", match.end())
        end = len(raw) if end < 0 else end
        value = raw[match.end() : end]
        return (match.end(), end, self.mark(value)) if value.strip() else None

    def _part(self, raw: bytes, match: Any) -> _Span:
        if not patterns.is_sensitive(match.group(1)[:200], parameter=True):
            return None
        end = raw.find(b"\n--", match.end())
        value = raw[match.end() : None if end < 0 else end].rstrip(b"\r")
        return (match.end(), match.end() + len(value), self.mark(value)) if value else None

    def _path_secret(self, raw: bytes, match: Any) -> _Span:
        start = raw.index(b"/", match.start() + 1) + 1
        value = raw[start : match.end()]
        if value.startswith(MARK) or not _has_digit(value):
            return None
        return start, match.end(), self.mark(value)


def _is_mark(value: bytes) -> bool:
    return len(value) == _MARK_BYTES and value.startswith(MARK)


def _forget(_value: bytes) -> None:
    """Nobody asked."""


def _unescape(match: Any) -> bytes:
    """`\\u0061` as `a`; a quote and a backslash stay escaped, they would change the structure."""
    letter = int(match.group(1), 16)
    return match.group() if letter in b'"\\' else bytes((letter,))


def _unquote(value: bytes) -> bytes:
    return unquote_to_bytes(value.replace(b"+", b" ")) if b"%" in value or b"+" in value else value


def _quote(value: bytes) -> bytes:
    return quote_from_bytes(value, safe="[]:").encode()


def _has_digit(text: bytes) -> bool:
    return any(48 <= letter <= 57 for letter in text)


def _at_sign(found: bytes) -> bytes:
    return next((sign for sign in (b"@", b"%40") if sign in found), b"")


def _credential(found: bytes) -> tuple[bytes, bytes, bytes]:
    """Scheme, blank and credential; a credential without a scheme has neither."""
    for blank in (b" ", b"%20", b"+"):
        scheme, between, rest = found.partition(blank)
        if between and scheme.lower() in SCHEMES:
            return scheme, between, rest
    return b"", b"", found


def _value_start(raw: bytes, start: int) -> int:
    """Where the value begins, its quote included, behind what programs print before it."""
    lead = patterns.LEAD.match(raw, start)
    if lead is None:
        return start
    return int(lead.end()) - (lead.group()[-1:] in (b'"', b"'"))


def _end(pattern: Any, raw: bytes, start: int) -> int:
    match = pattern.search(raw, start)
    return len(raw) if match is None else int(match.start())


def _closing_quote(raw: bytes, start: int, quote: int, depth: int) -> int:
    """Where the string ends that was opened by `quote` behind `depth` backslashes; the end of the
    text when it was cut."""
    at = raw.find(quote, start)
    while at >= 0:
        run = at
        while run > start and raw[run - 1] == _BACKSLASH:
            run -= 1
        slashes = at - run
        if slashes % 2 == 0 if depth == 0 else slashes <= depth:
            return run if depth else at
        at = raw.find(quote, at + 1)
    return len(raw)


def _container_end(raw: bytes, start: int, *, nested: bool) -> int:
    """Behind the bracket that closes the one at `start`; the end of the text when it was cut, or
    when what stands in the brackets is too long to be looked through."""
    depth = 0
    pattern = patterns.BRACKET if nested else patterns.STRING_OR_BRACKET
    for match in islice(pattern.finditer(raw, start), _CONTAINER_TOKENS):
        token = match.group()
        depth += (token in b"{[") - (token in b"}]")
        if depth == 0:
            return int(match.end())
    return len(raw)
