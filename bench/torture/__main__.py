"""`make torture`: prints the table; exit 0 where every promise was kept, 1 where not, 2 on wrong use."""

from __future__ import annotations

import asyncio
import contextlib
import sys
from collections.abc import Iterator

from bench.postgres import NoPostgres
from bench.torture.options import parse
from bench.torture.run import Report, perform


def lines(report: Report) -> Iterator[str]:
    """The table, in Markdown."""
    options, tally, verdict = report.options, report.tally, report.verdict
    words, replies = verdict.words, verdict.replies
    yield "| what | how much |"
    yield "| --- | --- |"
    database = options.database.partition(":")[0]
    yield f"| database, processes, seed | {database}, {options.processes}, {options.seed} |"
    yield f"| subjects, events sent | {len(report.stories)}, {tally.sent} |"
    yield f"| acknowledged | {tally.acknowledged} |"
    yield f"| sent again without an acknowledgement, after one | {tally.resent}, {tally.repeated} |"
    yield f"| kill -9 | {report.kills} |"
    for kind, count in report.faults.items():
        yield f"| fault: {kind} | {count} |"
    yield f"| faults by place | {', '.join(f'{name} {count}' for name, count in report.places.items())} |"
    for place, count in sorted(report.calls.items()):
        yield f"| calls: {place} | {count} |"
    yield f"| messages at agents | {sum(len(story.arrived) for story in report.stories)} |"
    yield f"| of them lost / doubled / out of order | {words.lost} / {words.doubled} / {words.reordered} |"
    yield f"| agents' replies, at customers | {_sum(report, 'said')}, {_sum(report, 'shown')} |"
    yield f"| of them lost / doubled / out of order | {replies.lost} / {replies.doubled} / {replies.reordered} |"
    yield f"| calls too early or with an expired token | {len(report.violations)} |"
    yield f"| 429s forgotten by a kill in the same moment | {report.forgotten} |"
    yield f"| most live tokens of a guest | {report.most_tokens} |"
    yield f"| seconds | {report.seconds:.0f} |"
    yield ""
    yield "every promise kept" if report.kept else "PROMISES BROKEN"


def _sum(report: Report, what: str) -> int:
    return sum(len(getattr(story, what)) for story in report.stories)


def main() -> int:
    options = parse()
    with contextlib.suppress(ImportError):
        import uvloop

        uvloop.install()
    try:
        report = asyncio.run(perform(options))
    except (NoPostgres, RuntimeError) as error:
        print(error, file=sys.stderr)
        return 1
    print("\n".join(lines(report)))
    if not report.kept:
        print("\n".join(report.verdict.evidence[:40]))
        if not report.quiet:
            print(f"not everything was over after {options.seconds:.0f} s")
        print(f"logs and database: {report.logs}")
    return 0 if report.kept else 1


if __name__ == "__main__":
    sys.exit(main())
