"""Which addresses may be dialled. Pure: an address as text and a permission in, a reason out.

What is checked is the address that a socket is about to be connected to, never a name or its
spelling. Addresses that carry an IPv4 address (mapped, NAT64, 6to4) count as that one. Python's
own `is_global` is not asked: it differs between versions and lets several of these ranges through.
"""

from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

Address = IPv4Address | IPv6Address

#: No integration can be there, whatever its permissions: the machine's own metadata service, its
#: link, nobody, everybody, and the future.
_NEVER = [
    (ip_network(net), why)
    for net, why in (
        ("169.254.0.0/16", "link-local or metadata"),
        ("168.63.129.16/32", "metadata"),
        ("100.100.100.200/32", "metadata"),
        ("192.0.0.192/32", "metadata"),
        ("fd00:ec2::254/128", "metadata"),
        ("fe80::/10", "link-local"),
        ("0.0.0.0/8", "unspecified"),
        ("::/128", "unspecified"),
        ("224.0.0.0/4", "multicast"),
        ("ff00::/8", "multicast"),
        ("240.0.0.0/4", "reserved"),
        ("100::/64", "discard"),
        ("2001::/32", "tunnel"),
        ("5f00::/16", "segment routing"),
    )
]

#: Inside somebody's network: allowed where the registry says so.
_PRIVATE = [
    (ip_network(net), why)
    for net, why in (
        ("127.0.0.0/8", "loopback"),
        ("::1/128", "loopback"),
        ("10.0.0.0/8", "private"),
        ("172.16.0.0/12", "private"),
        ("192.168.0.0/16", "private"),
        ("100.64.0.0/10", "shared"),
        ("fc00::/7", "private"),
        ("fec0::/10", "site-local"),
        ("192.0.0.0/24", "special purpose"),
        ("192.88.99.0/24", "relay"),
        ("198.18.0.0/15", "benchmarking"),
        ("192.0.2.0/24", "documentation"),
        ("198.51.100.0/24", "documentation"),
        ("203.0.113.0/24", "documentation"),
        ("2001:db8::/32", "documentation"),
        ("3fff::/20", "documentation"),
        ("64:ff9b:1::/48", "local translation"),
        ("::ffff:0:0:0/96", "translated"),
        ("::/96", "embedded"),
    )
]

_NAT64 = ip_network("64:ff9b::/96")
_SIX_TO_FOUR = ip_network("2002::/16")
_LOW_32_BITS = 0xFFFF_FFFF


def denial(address: str, *, private: bool) -> str | None:
    """Why `address` must not be dialled; None if it may be.

    `private` is the permission for addresses inside a network. An address that cannot be read is
    denied.
    """
    try:
        found = reached(address)
    except ValueError:
        return "unreadable address"
    for networks in (_NEVER,) if private else (_NEVER, _PRIVATE):
        for network, why in networks:
            if found.version == network.version and found in network:
                return why
    return None


def reached(text: str) -> Address:
    """Where packets to an address end up: the IPv4 address inside an IPv6 one, if it carries one.

    Raises `ValueError` for what is no address.
    """
    address = ip_address(text.partition("%")[0])
    if isinstance(address, IPv4Address):
        return address
    if address.ipv4_mapped:
        return address.ipv4_mapped
    if address in _NAT64:
        return IPv4Address(int(address) & _LOW_32_BITS)
    if address in _SIX_TO_FOUR:
        return IPv4Address(int(address) >> 80 & _LOW_32_BITS)
    return address
