"""What a run of the torture tool is asked to do."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass

ALSO = {  # what there may be beside events, answers, faults and kill -9
    "ends": "visits end, by customer, agent and source, and the customer returns",
    "moves": "conversations go to a colleague and back, by /transfer and because nobody answers",
    "edits": "agents edit answers and take some back",
    "slow": "now and then Webex takes 2 to 14 s, and does it only then",
    "pages": "agents write more than a page while a long 429 keeps everybody from reading",
    "guests": "for some seconds Webex refuses a guest's messages, to whomever",
    "agents": "for some seconds Webex refuses every message to one agent",
    "files": "agents send files; some are still scanned, some cannot be had",
    "unreadable": "some messages cannot be decrypted for a while or for good, or are malformed",
}


@dataclass(frozen=True)
class Options:
    """`database`: sqlite, postgres (a private server is started) or a postgresql:// address.

    Seconds: `spread` over which events and troubles are spread, `seconds` after which the run is given up,
    `token_life` of a guest's token. `also`: of ALSO.
    """

    events: int = 1000
    subjects: int = 50
    processes: int = 1
    kills: int = 8
    freezes: int = 2
    stops: int = 2
    logs: int = 2
    also: frozenset[str] = frozenset(ALSO)
    database: str = "sqlite"
    seed: int = 1
    seconds: float = 420.0
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
        description="Events, faults and kill -9: is everything delivered exactly once, in order, and to nobody else? "
        "Exits 1 on a broken promise.",
    )
    fallback = Options()
    for name, meaning in _MEANINGS.items():
        value = getattr(fallback, name)
        parser.add_argument(f"--{name.replace('_', '-')}", type=type(value), default=value, help=meaning)
    parser.add_argument("--replies", choices=("webhook", "poll"), default=fallback.replies)
    parser.add_argument("--also", type=_also, default=fallback.also, help=_help_of_also())
    parser.add_argument("--no-long-waits", dest="long_waits", action="store_false")
    options = Options(**vars(parser.parse_args(arguments)))
    troubles = min(options.kills, options.freezes, options.stops, options.logs)
    if min(options.events, options.subjects, options.processes) < 1 or troubles < 0:
        parser.error("events, subjects and processes are at least 1, troubles at least 0")
    if options.database == "sqlite" and options.processes > 1:
        parser.error("one process works on one SQLite file; use --database postgres for several")
    return options


def _also(text: str) -> frozenset[str]:
    names = frozenset(text.replace(",", " ").split()) - {"none"}
    if names - ALSO.keys():
        raise argparse.ArgumentTypeError(f"unknown: {', '.join(sorted(names - ALSO.keys()))}")
    return names


def _help_of_also() -> str:
    lines = "; ".join(f"{name}: {meaning}" for name, meaning in ALSO.items())
    return f"what else happens, comma-separated, or none (default: all). {lines}"


_MEANINGS = {
    "events": "events in all",
    "subjects": "customers that they belong to",
    "processes": "how many `bridge run` share the database",
    "kills": "how often a random process is killed with -9 and started again at once",
    "freezes": "how often a random process, its writer or both get SIGSTOP, for 5 to 30 s",
    "stops": "how often a random process is stopped cleanly, amid slow calls, and started again at once",
    "logs": "how often a process is started whose log's reader soon goes away or reads no more",
    "database": "sqlite, postgres (a private server) or a postgresql:// address",
    "seed": "of everything that happens by chance in this tool",
    "seconds": "give up after",
    "spread": "seconds over which events and kills are spread",
    "token_life": "seconds that a guest's token lives",
    "trouble": "how often faults hit, as a multiple of the usual (about one call in fifteen)",
    "lose": "chance that a webhook gets lost",
    "linger": "seconds of quiet at the end in which something doubled would show",
}
