"""How many calls at once a source and a host may have."""

from __future__ import annotations

import pytest

from bridge.domain.turns import free_places

ONE, TWO = {"a": "h:443"}, {"a": "h:443", "b": "h:443"}
MANY = {f"s{n}": "h:443" for n in range(12)}


@pytest.mark.parametrize(
    ("hosts", "busy", "sources", "free"),
    [
        (ONE, {}, {"a": 8}, {"h:443": 8}),
        (ONE, {"a": 8}, {"a": 0}, {"h:443": 0}),
        (ONE, {"gone": 5}, {"a": 8}, {"h:443": 8}),
        (TWO, {"a": 4}, {"a": 0, "b": 4}, {"h:443": 4}),
        ({"a": "h:443", "b": "i:443"}, {"a": 8}, {"a": 0, "b": 8}, {"h:443": 0, "i:443": 8}),
        (MANY, {}, dict.fromkeys(MANY, 1), {"h:443": 8}),
        ({}, {"a": 3}, {}, {}),
    ],
)
def test_places_are_shared(
    hosts: dict[str, str], busy: dict[str, int], sources: dict[str, int], free: dict[str, int]
) -> None:
    """Eight for a host; sources with one host have equal shares of them, one at least."""
    assert free_places(hosts, busy) == (sources, free)
