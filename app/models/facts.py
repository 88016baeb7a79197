"""How facts lie in a row of an installation: MessagePack."""

import msgspec

from app.domain.funnel import Facts

_decoder = msgspec.msgpack.Decoder(Facts)
_encoder = msgspec.msgpack.Encoder()


def pack(facts: Facts) -> bytes:
    """Facts as a row holds them. Fields are only added, at the end and with a default, so that
    rows of an older version can be read."""
    return _encoder.encode(facts)


def unpack(packed: bytes) -> Facts:
    """What `pack` packed."""
    return _decoder.decode(packed)
