"""python -m bench [--quick] [--only PART ...]: every figure beside the one it is compared with, in one run."""

from __future__ import annotations

import argparse
from collections.abc import Callable

from rich.console import Console

from bench.parts import busy, calls, cost, door, end_to_end, first_line, floor, replies, sweep
from bench.table import Shown

PARTS: dict[str, Callable[[bool], Shown | list[Shown]]] = {
    "floor": floor.measure,
    "door": door.measure,
    "cost": cost.measure,
    "end-to-end": end_to_end.measure,
    "calls": calls.measure,
    "sweep": sweep.measure,
    "busy": busy.measure,
    "replies": replies.measure,
    "first-line": first_line.measure,
}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer events; rougher figures")
    parser.add_argument(
        "--only", nargs="+", choices=PARTS, default=list(PARTS), metavar="PART", help=", ".join(PARTS)
    )
    chosen = parser.parse_args()
    console = Console(width=120)
    for name in chosen.only:
        shown = PARTS[name](chosen.quick)
        for table in shown if isinstance(shown, list) else [shown]:
            table.print(console)
            console.print()


if __name__ == "__main__":
    main()
