"""Whose call it is: the address that limits count by, behind proxies of our own too."""

from __future__ import annotations

import re
from collections.abc import Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

Address = IPv4Address | IPv6Address
_BRACKETED = re.compile(r"\[([^\]]*)\](?::\d{1,5})?")
_WITH_PORT = re.compile(r"([0-9.]+):\d{1,5}")


def client_address(peer: str, forwarded: Sequence[str], proxies: Sequence[IPv4Network | IPv6Network]) -> str:
    """The address of whoever called, by what our own `proxies` say in X-Forwarded-For, whose lines are `forwarded`.

    From the connection backwards, the first address that is no proxy of ours counts: whatever stands before it is
    the word of a stranger. An entry that is no address is nobody's word: then the connection's own address counts.
    An IPv6 address counts by its network of 64 bits: one household or store has all of it.
    """
    entries = [entry.strip() for line in forwarded for entry in line.split(",") if entry.strip()]
    try:
        address = _address(peer)
        while entries and any(address in network for network in proxies):
            address = _address(entries.pop())
    except ValueError:
        return peer
    if isinstance(address, IPv6Address):
        return str(IPv6Network((int(address), 64), strict=False))
    return str(address)


def _address(text: str) -> Address:
    """`203.0.113.9`, `203.0.113.9:5123`, `2001:db8::1`, `[2001:db8::1]:5123`. Raises ValueError for all else."""
    found = _BRACKETED.fullmatch(text) or _WITH_PORT.fullmatch(text)
    address = ip_address((found[1] if found else text).partition("%")[0])
    return getattr(address, "ipv4_mapped", None) or address
