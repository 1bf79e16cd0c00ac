"""What a run of the torture tool is asked to do."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Options:
    """`database`: sqlite, postgres (a private server is started) or a postgresql:// address.

    Seconds: `spread` over which events and kills are spread, `seconds` after which the run is given up,
    `token_life` of a guest's token.
    """

    events: int = 1000
    subjects: int = 50
    processes: int = 1
    kills: int = 10
    database: str = "sqlite"
    seed: int = 1
    seconds: float = 300.0
    spread: float = 60.0
    token_life: float = 20.0
    replies: str = "webhook"
    trouble: float = 1.0  # how often faults hit, as a multiple of the usual
    lose: float = 0.02  # chance that a webhook gets lost
    long_waits: bool = True  # 429s that mean 15 s, and calls that are never answered
    linger: float = 5.0  # seconds of quiet at the end in which something doubled would show


def parse(arguments: Sequence[str] | None = None) -> Options:
    """From the command line. SystemExit 2 on wrong use."""
    parser = argparse.ArgumentParser(
        prog="python -m bench.torture",
        description="Events, faults and kill -9: is everything delivered exactly once and in order? "
        "Exits 1 on a broken promise.",
    )
    fallback = Options()
    for name, meaning in _MEANINGS.items():
        value = getattr(fallback, name)
        parser.add_argument(f"--{name.replace('_', '-')}", type=type(value), default=value, help=meaning)
    parser.add_argument("--replies", choices=("webhook", "poll"), default=fallback.replies)
    parser.add_argument("--no-long-waits", dest="long_waits", action="store_false")
    options = Options(**vars(parser.parse_args(arguments)))
    if min(options.events, options.subjects, options.processes) < 1 or options.kills < 0:
        parser.error("events, subjects and processes are at least 1, kills at least 0")
    if options.database == "sqlite" and options.processes > 1:
        parser.error("one process works on one SQLite file; use --database postgres for several")
    return options


_MEANINGS = {
    "events": "events in all",
    "subjects": "customers that they belong to",
    "processes": "how many `bridge run` share the database",
    "kills": "how often a random process is killed with -9 and started again at once",
    "database": "sqlite, postgres (a private server) or a postgresql:// address",
    "seed": "of everything that happens by chance in this tool",
    "seconds": "give up after",
    "spread": "seconds over which events and kills are spread",
    "token_life": "seconds that a guest's token lives",
    "trouble": "how often faults hit, as a multiple of the usual (about one call in fifteen)",
    "lose": "chance that a webhook gets lost",
    "linger": "seconds of quiet at the end in which something doubled would show",
}
