"""Whose call it is: what our own proxies say counts, and nobody else's word."""

from __future__ import annotations

import pytest

from config.addresses import networks
from config.settings import load_settings
from handlers.callers import client_address

LOOPBACK = load_settings({}).trusted_proxies


@pytest.mark.parametrize(
    ("peer", "forwarded", "address"),
    [
        ("127.0.0.1", "203.0.113.9", "203.0.113.9"),
        ("127.0.0.1", "203.0.113.9:5123", "203.0.113.9"),
        ("::1", "[2001:db8:1:2::3]:5123", "2001:db8:1:2::/64"),
        ("127.0.0.1", "[2001:db8:1:2::3]", "2001:db8:1:2::/64"),
        ("127.0.0.1", "2001:db8:1:2::3", "2001:db8:1:2::/64"),
        ("127.0.0.1", "fe80::1%eth0", "fe80::/64"),
        ("127.0.0.1", "::ffff:203.0.113.9", "203.0.113.9"),
        ("::ffff:127.0.0.1", "203.0.113.9", "203.0.113.9"),
        ("127.0.0.1", "6.6.6.6, 203.0.113.9", "203.0.113.9"),
        ("127.0.0.1", "6.6.6.6, 203.0.113.9, 127.0.0.1:80", "203.0.113.9"),
        ("127.0.0.1", "127.0.0.5, 127.0.0.1", "127.0.0.5"),
        ("127.0.0.1", "", "127.0.0.1"),
        ("127.0.0.1", " , ", "127.0.0.1"),
        ("127.0.0.1", "nonsense", "127.0.0.1"),
        ("127.0.0.1", "203.0.113.9, nonsense", "127.0.0.1"),
        ("127.0.0.1", "nonsense, 203.0.113.9", "203.0.113.9"),
        ("127.0.0.1", "203.0.113.9:port", "127.0.0.1"),
        ("127.0.0.1", "[203.0.113.9", "127.0.0.1"),
        ("10.0.0.7", "203.0.113.9", "10.0.0.7"),
        ("192.168.1.4", "203.0.113.9", "192.168.1.4"),
        ("198.51.100.1", "203.0.113.9", "198.51.100.1"),
        ("", "203.0.113.9", ""),
    ],
)
def test_only_this_machine_is_believed_by_default(peer: str, forwarded: str, address: str) -> None:
    """A private address is no proof of a proxy; ports and brackets are taken off; nonsense is nobody's word."""
    assert client_address(peer, [forwarded], LOOPBACK) == address


def test_the_right_most_stranger_counts() -> None:
    """Our own proxies, one behind the other, are passed over; lines of the header are one list."""
    proxies = networks("10.0.0.0/8, 192.0.2.1, 2001:db8:ffff::/48")
    lines = ["6.6.6.6", "203.0.113.9, 10.1.2.3:443", "[2001:db8:ffff::1]:443"]
    assert client_address("192.0.2.1", lines, proxies) == "203.0.113.9"
    assert client_address("192.0.2.2", lines, proxies) == "192.0.2.2"
