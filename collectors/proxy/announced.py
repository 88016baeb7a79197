"""PROXY protocol, versions 1 and 2: who a load balancer says is at its other end.

Such a header stands before everything else on a connection, TLS included, so nothing behind it may
be read with it. The parsers are pure; `read_announcement` reads exactly the header from a socket.
"""

import asyncio
import socket
import struct
from ipaddress import IPv4Address, IPv6Address

_SIGNATURE = b"\r\n\r\n\x00\r\nQUIT\n"
_V1_BEGIN = b"PROXY "
_V1_MOST = 107
#: Of a version 2 header: addresses and extensions; more is nobody's honest header.
_V2_MOST = 4096
_HEAD = struct.Struct(">BBH")
_TCP4, _TCP6 = 0x11, 0x21
_LOCAL, _PROXIED = 0x20, 0x21


class BadAnnouncement(Exception):
    """Bytes that are no PROXY header."""


def parse_line(line: bytes) -> str | None:
    """The caller's address in a version 1 line (with CRLF); None: it is the peer itself."""
    try:
        words = line.removesuffix(b"\r\n").decode("ascii").split(" ")
        if words[:2] == ["PROXY", "UNKNOWN"]:
            return None
        begin, family, source, target, *ports = words
        kind = {"TCP4": IPv4Address, "TCP6": IPv6Address}[family]
        numbers = [int(port) for port in ports if port.isdigit() and int(port) < 65_536]
        if begin != "PROXY" or len(ports) != 2 or len(numbers) != 2 or not kind(target):
            raise ValueError(line)
        return str(kind(source))
    except (ValueError, KeyError, UnicodeDecodeError):
        raise BadAnnouncement("malformed PROXY line") from None


def parse_block(command: int, family: int, body: bytes) -> str | None:
    """The caller's address in a version 2 header; None: it is the peer itself."""
    if command == _LOCAL:
        return None
    if command != _PROXIED:
        raise BadAnnouncement("unknown version or command of a PROXY header")
    if family == _TCP4 and len(body) >= 12:
        return str(IPv4Address(body[:4]))
    if family == _TCP6 and len(body) >= 36:
        return str(IPv6Address(body[:16]))
    if family in (_TCP4, _TCP6):
        raise BadAnnouncement("PROXY header without addresses")
    return None  # a family that has no addresses here


async def read_announcement(connection: socket.socket) -> str | None:
    """Read a PROXY header; the caller's address, or None if it is the peer itself.

    Raises `BadAnnouncement`, and `EOFError` if the connection ends before. Its caller bounds it.
    """
    begin = await _exactly(connection, len(_SIGNATURE))
    if begin == _SIGNATURE:
        command, family, size = _HEAD.unpack(await _exactly(connection, _HEAD.size))
        if size > _V2_MOST:
            raise BadAnnouncement("PROXY header too long")
        return parse_block(command, family, await _exactly(connection, size))
    if not begin.startswith(_V1_BEGIN):
        raise BadAnnouncement("no PROXY header")
    line = begin
    while not line.endswith(b"\r\n"):
        if len(line) >= _V1_MOST:
            raise BadAnnouncement("PROXY line too long")
        line += await _exactly(connection, 1)
    return parse_line(line)


async def _exactly(connection: socket.socket, size: int) -> bytes:
    found = b""
    loop = asyncio.get_running_loop()
    while len(found) < size:
        data = await loop.sock_recv(connection, size - len(found))
        if not data:
            raise EOFError
        found += data
    return found
