"""The one versioned fact that every collector writes: an exchange, with its evidence.

A record is MessagePack, its fields in the order below. Fields are only ever added at the end with
a default: an older record then reads with the default, and an older reader ignores what it does
not know. Anything else needs a new frame type in `collectors.journal.frame`.

Bodies, headers and query in a record are as they crossed the wire; the loader scrubs them before
they reach a database, and the journal that holds them is readable by its owner only and deleted
once loaded.
"""

import msgspec

#: Bytes of each body that a capture keeps.
CAPTURE_BYTES = 8192

#: A stage of an exchange that was never reached.
NOT_REACHED = -1


class Capture(msgspec.Struct, array_like=True, gc=False):
    """The evidence of one exchange: its headers, the start of each body, and the query asked with.

    Headers keep their order and repeats. A body shorter here than the record's byte count was cut.
    """

    request_headers: list[tuple[str, str]]
    request_body: bytes
    response_headers: list[tuple[str, str]]
    response_body: bytes
    query: bytes = b""


class Exchange(msgspec.Struct, array_like=True, gc=False):
    """One HTTP request with its answer, or with the failure in place of one.

    `direction`, `kind` and `outcome` are the codes of `app.domain.words`. An empty string means
    that there was none (no installation named, no topic, no error). Durations are microseconds:
    `queue_us` waiting inside the proxy, `connect_us` name look-up and TCP (0 on a reused
    connection), `tls_us` handshake, `first_byte_us` from the request sent to the first byte of
    the answer's head, `total_us` from the request's head read to just before the answer's last
    byte was handed on. A stage never reached is `NOT_REACHED`. Bytes are of bodies.
    """

    id: bytes
    started_us: int
    direction: int
    kind: int
    integration: str
    installation: str
    customer: str
    operation: str
    topic: str
    method: str
    path: str
    status: int
    outcome: int
    error: str
    error_detail: str
    queue_us: int
    connect_us: int
    tls_us: int
    first_byte_us: int
    total_us: int
    request_bytes: int
    response_bytes: int
    delivery: str
    attempt: int
    trace_id: str
    capture: Capture | None = None


class Loss(msgspec.Struct, array_like=True, gc=False):
    """Exchanges that passed and could not be recorded: `count` of them within one minute."""

    minute_us: int
    integration: str
    direction: int
    kind: int
    count: int
