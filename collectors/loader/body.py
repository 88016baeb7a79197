"""A captured body as text that can be scrubbed and shown, or a note that it is none. Pure."""

import zlib
from collections.abc import Sequence

from collectors.loader.scrub import Pair, Scrubber

#: The most that is unpacked from one compressed body: four times what is captured of it. More
#: would let a small hostile body cost the loader much.
UNPACKED_BYTES = 32_768
#: How many compressions on top of each other are undone.
_LAYERS = 2
_GZIP_MAGIC = b"\x1f\x8b"
_PACKED = frozenset({"gzip", "x-gzip", "deflate"})
#: Compressions that are not undone: for these the standard library has no bounded reader.
_UNREAD = frozenset({"br", "zstd", "compress", "x-compress"})
_BINARY = ("image/", "audio/", "video/", "font/", "application/grpc", "application/vnd.ms-")
_BINARY_TYPES = frozenset(
    {
        "application/octet-stream",
        "application/pdf",
        "application/zip",
        "application/gzip",
        "application/protobuf",
        "application/x-protobuf",
        "application/msgpack",
        "application/x-msgpack",
    }
)
_CHARSETS = frozenset({"iso-8859-1", "latin-1", "latin1", "windows-1252", "utf-16", "utf-16le"})
#: The longest a UTF-8 letter cut in two can be.
_CUT_LETTER = 3


def scrub_body(scrubber: Scrubber, raw: bytes, headers: Sequence[Pair], total_bytes: int) -> bytes:
    """The captured start `raw` of a body of `total_bytes`, unpacked and without secrets (UTF-8);
    `[binary N bytes]` when it is no text, `[br N bytes]` when its compression is not undone."""
    if not raw:
        return raw
    kind, parameters, encoding = _described(headers)
    plain, whole = _unpack(raw, encoding)
    text = None if _is_binary(kind) else _as_text(plain, parameters)
    if text is None:
        return b"[%s %d bytes]" % (_named(encoding), max(total_bytes, len(raw)))
    if kind == "application/x-www-form-urlencoded":
        return scrubber.form(text)
    return scrubber.text(text, cut=not whole or len(raw) < total_bytes)


def _described(headers: Sequence[Pair]) -> tuple[str, str, str]:
    """Media type, its parameters, and content encoding, in lower case."""
    kind = encoding = ""
    for name, value in headers:
        lower = name.lower()
        if lower == "content-type":
            kind = value.lower()
        elif lower == "content-encoding":
            encoding = value.lower()
    media, _, parameters = kind.partition(";")
    return media.strip(), parameters, encoding


def _named(encoding: str) -> bytes:
    """What a body that is no text is called."""
    last = encoding.rpartition(",")[2].strip()
    return last.encode() if last in _UNREAD else b"binary"


def _is_binary(kind: str) -> bool:
    return kind in _BINARY_TYPES or (kind.startswith(_BINARY) and not kind.endswith("+xml"))


def _unpack(raw: bytes, encoding: str) -> tuple[bytes, bool]:
    """The body without its compressions, and whether all of it came out. What cannot be unpacked
    stays as it is."""
    named = [word.strip() for word in encoding.split(",")] if encoding else []
    layers = sum(word in _PACKED for word in named) or raw.startswith(_GZIP_MAGIC)
    whole = True
    for _ in range(min(layers, _LAYERS)):
        unpacked = _inflate(raw, zlib.MAX_WBITS | 32) or _inflate(raw, -zlib.MAX_WBITS)
        if unpacked is None:
            break
        raw, whole = unpacked
    return raw, whole


def _inflate(raw: bytes, window_bits: int) -> tuple[bytes, bool] | None:
    unpacker = zlib.decompressobj(window_bits)
    try:
        plain = unpacker.decompress(raw, UNPACKED_BYTES)
    except zlib.error:
        return None
    return plain, unpacker.eof


def _as_text(raw: bytes, parameters: str) -> bytes | None:
    """`raw` as UTF-8, if it is text; a letter cut in two at its end is left out."""
    charset = parameters.partition("charset=")[2].partition(";")[0].strip("\"' ")
    if charset in _CHARSETS:
        return raw.decode(charset, errors="replace").encode()
    if b"\x00" in raw:
        return None
    try:
        raw.decode()
    except UnicodeDecodeError as error:
        if error.start == 0 or error.start < len(raw) - _CUT_LETTER:
            return None
        return raw[: error.start]
    return raw
