"""How much a caller may send, hold open and take its time for: the settings in the wire's units."""

from typing import NamedTuple

from app.settings import Settings

_NS_PER_US = 1_000


class Caps(NamedTuple):
    """See the module; each is a setting of the same name."""

    line_bytes: int
    head_bytes: int
    head_fields: int
    chunk_framing_bytes: int
    pipeline_bytes: int
    head_ns: int
    idle_ns: int
    body_bytes_per_second: int
    connections: int
    peer_connections: int


def caps_of(settings: Settings) -> Caps:
    """The caps that the settings name."""
    return Caps(
        settings.head_line_bytes,
        settings.head_bytes,
        settings.head_fields,
        settings.chunk_framing_bytes,
        settings.pipeline_bytes,
        settings.head_timeout_us * _NS_PER_US,
        settings.idle_timeout_us * _NS_PER_US,
        settings.body_bytes_per_second,
        settings.connections,
        settings.peer_connections,
    )
