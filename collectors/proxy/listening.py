"""The sockets that callers connect to: opened once, handed from worker to worker, closed gently.

A listening socket holds connections that nobody has accepted yet, and closing the last copy of it
resets them. So a worker's sockets are opened by the parent, which keeps its copy: a worker that
dies, or makes room for its successor, leaves its queue to the next. Where nobody follows, `refuse`
first keeps new callers out, so that the queue can be served empty.

The workers' sockets share each port by SO_REUSEPORT: the kernel spreads new connections over them.
"""

import ctypes
import errno
import os
import socket
import struct
from collections.abc import Iterable
from contextlib import suppress
from typing import NamedTuple

from app.domain.words import Direction
from app.errors import MidspanError
from app.settings import Bind, Settings

OUTBOUND_BIND, INBOUND_BIND = "MIDSPAN_OUTBOUND_BIND", "MIDSPAN_INBOUND_BIND"
BACKLOG = 2048

# A classic BPF program over the TCP header: a segment with SYN is dropped, all else passes.
_FLAGS_AT, _SYN = 13, 0x02
_LOAD_BYTE, _JUMP_IF_ANY, _RETURN = 0x30, 0x45, 0x06
_NO_SYN = b"".join(
    struct.pack("HBBI", *line)
    for line in (
        (_LOAD_BYTE, 0, 0, _FLAGS_AT),
        (_JUMP_IF_ANY, 0, 1, _SYN),
        (_RETURN, 0, 0, 0),
        (_RETURN, 0, 0, 0xFFFF_FFFF),
    )
)
_SO_ATTACH_FILTER = 26


class Listeners(NamedTuple):
    """One worker's sockets; a name may stand for several addresses."""

    outbound: list[socket.socket]
    inbound: list[socket.socket]

    def of(self, direction: Direction) -> list[socket.socket]:
        """The sockets of one direction."""
        return self.outbound if direction == Direction.OUTBOUND else self.inbound

    def copies(self) -> "Listeners":
        """The same sockets under other descriptors."""
        return Listeners([s.dup() for s in self.outbound], [s.dup() for s in self.inbound])

    def refuse(self, *, but: Iterable["Listeners"] = ()) -> None:
        """Let no new caller in, in whatever process; those that are in stay in the queue.

        `but` the sockets that these still serve.
        """
        served = {_inode(s) for other in but for s in (*other.outbound, *other.inbound)}
        for listener in (*self.outbound, *self.inbound):
            if _inode(listener) not in served:
                _attach(listener, _NO_SYN)

    @property
    def closed(self) -> bool:
        """Whether these copies were let go of."""
        return any(s.fileno() < 0 for s in (*self.outbound, *self.inbound))

    def close(self) -> None:
        """Let go of these copies."""
        _close([*self.outbound, *self.inbound])


def open_listeners(
    settings: Settings, former: tuple[Settings, Listeners] | None = None
) -> Listeners:
    """A worker's sockets; `MidspanError` naming the address that cannot be had.

    Where the `former` settings named the same address, they are copies of the former sockets.
    """
    before, listeners = former or (None, Listeners([], []))
    if before is not None and before.outbound_bind == settings.outbound_bind:
        outbound = [s.dup() for s in listeners.outbound]
    else:
        outbound = _open(settings.outbound_bind, OUTBOUND_BIND)
    try:
        if before is not None and before.inbound_bind == settings.inbound_bind:
            return Listeners(outbound, [s.dup() for s in listeners.inbound])
        return Listeners(outbound, _open(settings.inbound_bind, INBOUND_BIND))
    except MidspanError:
        _close(outbound)
        raise


def check_ports(settings: Settings, before: Settings | None = None) -> None:
    """`MidspanError` if somebody else listens: sharing a port would hide it.

    `before`: the settings of those who may.
    """
    ours = (before.outbound_bind, before.inbound_bind) if before else ()
    for bind, setting in (
        (settings.outbound_bind, OUTBOUND_BIND),
        (settings.inbound_bind, INBOUND_BIND),
    ):
        if bind not in ours:
            _close(_bound(bind, setting, shared=False))


def adopt(descriptors: Iterable[int]) -> list[socket.socket]:
    """The listening sockets that a parent has handed over."""
    return [socket.socket(fileno=descriptor) for descriptor in descriptors]


def _inode(listener: socket.socket) -> int:
    """What all copies of a socket have in common."""
    return os.fstat(listener.fileno()).st_ino


def _open(bind: Bind, setting: str) -> list[socket.socket]:
    opened = _bound(bind, setting, shared=True)
    try:
        for listener in opened:
            listener.setblocking(False)
            listener.listen(BACKLOG)
    except OSError as error:
        _close(opened)
        raise _cannot_listen(bind, setting, error) from error
    return opened


def _bound(bind: Bind, setting: str, *, shared: bool) -> list[socket.socket]:
    opened: list[socket.socket] = []
    try:
        for family, kind, _, _, address in socket.getaddrinfo(
            bind.host, bind.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        ):
            listener = socket.socket(family, kind)
            opened.append(listener)
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if shared:
                listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
            if family == socket.AF_INET6:
                listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            listener.bind(address)
    except OSError as error:
        _close(opened)
        raise _cannot_listen(bind, setting, error) from error
    return opened


def _cannot_listen(bind: Bind, setting: str, error: OSError) -> MidspanError:
    """The one line for an address that cannot be listened on."""
    known = error.errno in errno.errorcode
    reason = os.strerror(error.errno or 0) if known else error.strerror or str(error)
    return MidspanError(
        f"cannot listen on {bind}: {reason.lower()}; stop what uses it"
        f" or set {setting} to another address"
    )


def _close(opened: list[socket.socket]) -> None:
    for listener in opened:
        listener.close()


def _attach(listener: socket.socket, program: bytes) -> None:
    code = ctypes.create_string_buffer(program)
    lines = len(program) // struct.calcsize("HBBI")
    filter_of = struct.pack("HP", lines, ctypes.addressof(code))
    with suppress(OSError):  # a kernel without it: whoever connects in this moment is reset
        listener.setsockopt(socket.SOL_SOCKET, _SO_ATTACH_FILTER, filter_of)
