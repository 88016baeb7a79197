"""The two halves of a connection: reading, which stops for as long as anybody has a reason, and
writing, which for small messages waits for the end of the loop's turn.

A busy loop has many connections to serve in one turn. Interpreter and kernel take turns less often
when the turn's messages are all read and decided on first and then leave one behind the other;
that alone is worth a tenth of the processor's time. A large message leaves at once, so what waits
here is never much and back-pressure is felt where it arises.
"""

import asyncio
import socket
import struct
from collections.abc import Callable
from contextlib import suppress

# Why reading from a connection is stopped; bits.
OTHER_SIDE_FULL = 1  # what was read cannot be passed on yet
NOT_CONNECTED = 2  # there is nobody to pass it on to yet
PIPELINE_FULL = 4  # enough requests wait for their turn

#: The largest message that may wait for the end of the turn.
_SMALL_BYTES = 16 * 1024


#: What has not left is given up (`struct linger`).
_NO_LINGER = struct.pack("ii", 1, 0)


class Reading:
    """The reading half of a transport, stopped while anybody holds it."""

    __slots__ = ("_transport", "holds")

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        self.holds = 0  # who has a reason; 0: it is being read

    def hold(self, why: int) -> None:
        """Stop reading for `why`."""
        if not self.holds and not self._transport.is_closing():
            self._transport.pause_reading()
        self.holds |= why

    def turn(self, why: int, *, held: bool) -> None:
        """Hold or release."""
        (self.hold if held else self.release)(why)

    def release(self, why: int) -> None:
        """`why` is over; read on unless there is another reason not to."""
        if not self.holds & why:
            return
        self.holds &= ~why
        if not self.holds and not self._transport.is_closing():
            self._transport.resume_reading()


class Outbox:
    """Where messages wait for the end of the loop's turn; `commit` is called before any leaves."""

    def __init__(self) -> None:
        self.commit: Callable[[], None] = _nothing
        self._waiting: list[Writing] = []
        self._called = False

    def add(self, writing: "Writing") -> None:
        """Let what `writing` holds leave at the end of the turn."""
        self._waiting.append(writing)
        if not self._called:
            self.call()

    def call(self) -> None:
        """Commit at the end of the turn, even if no message waits."""
        if not self._called:
            self._called = True
            asyncio.get_running_loop().call_soon(self._flush)

    def _flush(self) -> None:
        self._called = False
        self.commit()
        waiting, self._waiting = self._waiting, []
        for writing in waiting:
            writing.flush()


def _nothing() -> None:
    """Nothing has to be done before messages leave."""


class Writing:
    """The writing half of a transport. Whatever ends it lets what was written leave first."""

    __slots__ = ("_held", "_outbox", "_transport")

    def __init__(self, transport: asyncio.Transport, outbox: Outbox) -> None:
        self._transport = transport
        self._outbox = outbox
        self._held = b""

    def write(self, data: bytes) -> None:
        """Send `data` by the end of this turn of the loop; at once if it is large."""
        if not self._held and len(data) <= _SMALL_BYTES:
            self._held = data
            self._outbox.add(self)
        else:
            self._outbox.commit()
            self.flush()
            if not self._transport.is_closing():
                self._transport.write(data)

    def flush(self) -> None:
        """Send what waits."""
        data, self._held = self._held, b""
        if data:
            self._outbox.commit()
        if data and not self._transport.is_closing():
            self._transport.write(data)

    @property
    def empty(self) -> bool:
        """Whether the kernel has everything, once what waits was sent."""
        if self._held:
            self.flush()
        return self._transport.get_write_buffer_size() == 0

    def close(self) -> None:
        """Let what was written leave, then end the connection."""
        self.flush()
        self._transport.close()

    def end(self) -> None:
        """Let what was written leave, then send nothing more."""
        self.flush()
        with suppress(OSError, RuntimeError):
            self._transport.write_eof()

    def abort(self) -> None:
        """End the connection at once."""
        self.flush()
        self._transport.abort()

    def reset(self) -> None:
        """End the connection at once and with a reset: closing would look like an end in order."""
        own = self._transport.get_extra_info("socket")
        if own is not None:
            with suppress(OSError):
                own.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NO_LINGER)
        self.abort()
