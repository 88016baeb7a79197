"""How a capture lies in the database: MessagePack, compressed."""

import zlib

import msgspec

from app.store.port import StoredCapture

_LEVEL = 1  # a third of the time of the default level, for some 15 % more bytes

_Headers = tuple[tuple[str, str], ...]


class _Packed(msgspec.Struct, array_like=True):
    """A capture without its id, which is the row's key. Fields are only added, at the end and
    with a default, so that rows of an older version can be read."""

    request_headers: _Headers
    request_body: bytes
    response_headers: _Headers
    response_body: bytes
    query: str = ""


_decoder = msgspec.msgpack.Decoder(_Packed)


def pack(capture: StoredCapture) -> bytes:
    """The evidence as a row holds it."""
    fields = _Packed(
        capture.request_headers,
        capture.request_body,
        capture.response_headers,
        capture.response_body,
        capture.query,
    )
    return zlib.compress(msgspec.msgpack.encode(fields), _LEVEL)


def unpack(exchange_id: bytes, body: bytes) -> StoredCapture:
    """What `pack` packed."""
    return StoredCapture(
        exchange_id, *msgspec.structs.astuple(_decoder.decode(zlib.decompress(body)))
    )
