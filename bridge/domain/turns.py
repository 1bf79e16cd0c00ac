"""How many calls at once: a receiver that hangs takes up its own places and nobody else's."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

MOST_OF_HOST = 8  # contract 10


def free_places(hosts: Mapping[str, str], busy: Mapping[str, int]) -> tuple[dict[str, int], dict[str, int]]:
    """(how many calls more each source may have under way, and how many each host).

    `hosts` says where each source's news goes, `busy` how many calls of it are under way. Sources with one host have
    equal shares of its places, so that one whose calls hang leaves the others theirs.
    """
    sharing = Counter(hosts.values())
    taken: Counter[str] = Counter()
    for source, host in hosts.items():
        taken[host] += busy.get(source, 0)
    by_source = {
        source: max(1, MOST_OF_HOST // sharing[host]) - busy.get(source, 0) for source, host in hosts.items()
    }
    return by_source, {host: MOST_OF_HOST - taken[host] for host in sharing}
