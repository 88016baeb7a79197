"""Who asks, by what name and over what: `X-Forwarded-*` and `Forwarded` (RFC 7239). Pure.

Outbound these lines are the platform's own and pass as they are. Inbound they are written anew, in
both families and saying the same: what a trusted peer says (a load balancer in front, named by the
settings) is believed and its own address added; what anybody else says is dropped. Of a trusted
peer only the family it sets itself is read, since it may pass the other on as its caller wrote it.
"""

import re
from collections.abc import Iterable
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import NamedTuple

from app.domain.words import Direction
from app.settings import Network, Settings
from collectors.proxy.fields import Special

_PREFIX = b"x-forwarded-"
_FOR, _HOST, _PROTO = b"x-forwarded-for", b"x-forwarded-host", b"x-forwarded-proto"
_FORWARDED = b"forwarded"
_OUTBOUND = Direction.OUTBOUND
#: Hops that are believed, at most: the list grows with each.
_MOST_HOPS = 50

_PAIR = re.compile(rb'(for|host|proto)=("[^"\\]*"|[^;," \t]+)', re.IGNORECASE)
_NODE = re.compile(rb"[0-9A-Za-z._:\[\]-]{1,64}")
_NAME = re.compile(rb"(?:[A-Za-z0-9._~-]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]{0,5})?")
_PROTOS = frozenset({b"http", b"https"})


class Door(NamedTuple):
    """How a caller came in: its address, over what, and whether it is believed about others."""

    peer: bytes
    proto: bytes
    trusted: bool


class _Said(NamedTuple):
    """What forwarding headers say: who asked, then each hop; the name and protocol it used."""

    chain: list[bytes]
    host: bytes
    proto: bytes


class Doors:
    """Whom to believe, by the settings."""

    def __init__(self, settings: Settings) -> None:
        self._trusted = settings.trusted_peers
        self._rfc7239 = settings.forwarded_header == "forwarded"

    def trusts(self, peer: str) -> bool:
        """Whether a peer, by its address, is one of the load balancers in front."""
        return bool(self._trusted) and _among(peer, self._trusted)

    def door(self, peer: str, *, secure: bool) -> Door:
        """How a caller with this address came in."""
        return Door(peer.encode("latin-1", "replace"), _proto(secure), self.trusts(peer))

    def lines(self, special: Special, direction: Direction, door: Door) -> bytes:
        """The header lines to pass on. `special` has exactly one Host, unless it is outbound."""
        if direction == _OUTBOUND:
            return _as_they_are(special) if len(special) > 1 else b""
        said = _Said([], special[b"host"][0], door.proto)
        if door.trusted:
            said = (_read_forwarded if self._rfc7239 else _read_x_forwarded)(special, said)
        return _written([*said.chain[-_MOST_HOPS:], door.peer], said.host, said.proto)


def _proto(secure: bool) -> bytes:
    return b"https" if secure else b"http"


def _among(peer: str, networks: Iterable[Network]) -> bool:
    try:
        address: IPv4Address | IPv6Address = ip_address(peer.partition("%")[0])
    except ValueError:
        return False
    if isinstance(address, IPv6Address) and address.ipv4_mapped:
        address = address.ipv4_mapped
    return any(address.version == net.version and address in net for net in networks)


def _as_they_are(special: Special) -> bytes:
    return b"".join(
        [
            b"%b: %b\r\n" % (name, value)
            for name, values in special.items()
            if name == _FORWARDED or name.startswith(_PREFIX)
            for value in values
        ]
    )


def _read_x_forwarded(special: Special, own: _Said) -> _Said:
    chain = [_node(each) for line in special.get(_FOR, ()) for each in line.split(b",")]
    hosts, protos = special.get(_HOST, [b""]), special.get(_PROTO, [b""])
    return _believed(chain, hosts[0], protos[0], own)


def _read_forwarded(special: Special, own: _Said) -> _Said:
    pairs = [
        (name.lower(), value.strip(b'"'))
        for line in special.get(_FORWARDED, ())
        for name, value in _PAIR.findall(line)
    ]
    first = dict(reversed(pairs))
    chain = [_node(value) for name, value in pairs if name == b"for"]
    return _believed(chain, first.get(b"host", b""), first.get(b"proto", b""), own)


def _believed(chain: list[bytes], host: bytes, proto: bytes, own: _Said) -> _Said:
    """What is well-formed of it; the rest is as this proxy sees it."""
    host = host.partition(b",")[0].strip()
    proto = proto.partition(b",")[0].strip().lower()
    return _Said(
        [each for each in chain if each],
        host if _NAME.fullmatch(host) else own.host,
        proto if proto in _PROTOS else own.proto,
    )


def _node(text: bytes) -> bytes:
    text = text.strip(b" \t")
    if text and not _NODE.fullmatch(text):
        return b"unknown"
    if text[:1] == b"[" and text[-1:] == b"]":
        return text[1:-1]
    return text


def _written(chain: list[bytes], host: bytes, proto: bytes) -> bytes:
    elements = [b"for=" + _quoted(_bracketed(each)) for each in chain]
    elements[0] += b";host=%b;proto=%b" % (_quoted(host), proto)
    return (
        b"X-Forwarded-For: %b\r\nX-Forwarded-Host: %b\r\nX-Forwarded-Proto: %b\r\nForwarded: %b\r\n"
    ) % (b", ".join(chain), host, proto, b", ".join(elements))


def _bracketed(node: bytes) -> bytes:
    return b"[%b]" % node if node.count(b":") > 1 and node[:1] != b"[" else node


def _quoted(value: bytes) -> bytes:
    return b'"%b"' % value if b":" in value or b"[" in value else value
