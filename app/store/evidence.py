"""How a capture lies in the database: MessagePack, compressed."""

import zlib

import msgspec

from app.store.port import StoredCapture

_LEVEL = 1  # a third of the time of the default level, for some 15 % more bytes

_Headers = tuple[tuple[str, str], ...]
_decoder = msgspec.msgpack.Decoder(tuple[_Headers, bytes, _Headers, bytes])


def pack(capture: StoredCapture) -> bytes:
    """The evidence without its id, which is the row's key."""
    fields = (
        capture.request_headers,
        capture.request_body,
        capture.response_headers,
        capture.response_body,
    )
    return zlib.compress(msgspec.msgpack.encode(fields), _LEVEL)


def unpack(exchange_id: bytes, body: bytes) -> StoredCapture:
    """What `pack` packed."""
    return StoredCapture(exchange_id, *_decoder.decode(zlib.decompress(body)))
