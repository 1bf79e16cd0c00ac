"""Which addresses are out in the world, and which are ours."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

_NAT64 = ip_network("64:ff9b::/96")  # carries an IPv4 address in its last four bytes
_NOT_OUT = (
    ip_network("::/96"),  # IPv4-compatible, long given up; also ::1
    ip_network("::ffff:0:0:0/96"),  # IPv4-translated
    ip_network("64:ff9b:1::/48"),  # NAT64 within one network
    ip_network("fec0::/10"),  # site-local, long given up
)


def is_public(address: str | IPv4Address | IPv6Address) -> bool:
    """Whether an IP address is out in the world: not loopback, private, link-local, metadata or reserved.

    Raises ValueError where it is none.
    """
    ip = ip_address(address.split("%", 1)[0]) if isinstance(address, str) else address
    if isinstance(ip, IPv6Address):
        for inner in (ip.ipv4_mapped, ip.sixtofour, *((ip.teredo or ())[1:])):
            if inner is not None and not inner.is_global:
                return False
        if ip in _NAT64:
            return is_public(IPv4Address(int(ip) & 0xFFFFFFFF))
        if any(ip in network for network in _NOT_OUT):
            return False
    return ip.is_global and not ip.is_multicast
