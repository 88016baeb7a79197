"""Back-pressure: one side's reading stops for as long as anybody has a reason."""

import asyncio

# Why reading from a connection is stopped; bits.
OTHER_SIDE_FULL = 1  # what was read cannot be passed on yet
NOT_CONNECTED = 2  # there is nobody to pass it on to yet
PIPELINE_FULL = 4  # enough requests wait for their turn


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

    def release(self, why: int) -> None:
        """`why` is over; read on unless there is another reason not to."""
        if not self.holds & why:
            return
        self.holds &= ~why
        if not self.holds and not self._transport.is_closing():
            self._transport.resume_reading()
