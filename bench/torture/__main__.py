"""`make torture`: prints the table; exit 0 where every promise was kept, 1 where not, 2 on wrong use."""

from __future__ import annotations

import asyncio
import contextlib
import sys
from collections.abc import Iterator, Sequence

from bench.postgres import NoPostgres
from bench.torture.options import parse
from bench.torture.run import Report, perform
from bench.torture.story import DUE, FREE, PRIVATE, Line


def lines(report: Report) -> Iterator[str]:
    """The table, in Markdown."""
    options, tally, verdict, herd = report.options, report.tally, report.verdict, report.herd
    visits = [visit for story in report.stories for visit in story.visits.values()]
    lines = [line for story in report.stories for line in story.lines]
    shown = [item for visit in visits for item in visit.items if item["from"] == "agent"]
    words, replies = verdict.words, verdict.replies
    yield "| what | how much |"
    yield "| --- | --- |"
    database = options.database.partition(":")[0]
    yield f"| database, processes, seed | {database}, {options.processes}, {options.seed} |"
    yield f"| subjects, events sent | {len(report.stories)}, {tally.sent} |"
    yield f"| acknowledged | {tally.acknowledged} |"
    yield f"| sent again without an acknowledgement, after one | {tally.resent}, {tally.repeated} |"
    yield f"| also | {', '.join(sorted(options.also)) or 'nothing'} |"
    yield f"| visits, of them ended | {len(visits)}, {sum(visit.ended for visit in visits)} |"
    yield f"| kill -9, of them for a log that breaks | {len(herd.kills)}, {herd.broken_logs} |"
    yield f"| SIGSTOP | {len(herd.freezes)} |"
    yield f"| clean stops, seconds of the longest | {len(herd.stops)}, {max(herd.stops, default=0):.1f} |"
    for kind, count in report.faults.items():
        yield f"| fault: {kind} | {count} |"
    yield f"| faults by place | {', '.join(f'{name} {count}' for name, count in report.places.items())} |"
    for place, count in sorted(report.calls.items()):
        yield f"| calls: {place} | {count} |"
    yield f"| messages at agents, words given up and told so | {_arrived(report)}, {verdict.failed} |"
    yield f"| of them lost / doubled / out of order | {words.lost} / {words.doubled} / {words.reordered} |"
    yield f"| agents' answers, due, shown | {_of(lines, DUE, FREE)}, {_of(lines, DUE)}, {len(shown)} |"
    yield f"| of them lost / doubled / out of order | {replies.lost} / {replies.doubled} / {replies.reordered} |"
    yield f"| edited, taken back | {_count(lines, 'edited')}, {_count(lines, 'deleted')} |"
    yield f"| with a file, readable for nobody | {_count(lines, 'file')}, {_count(lines, 'unreadable')} |"
    yield f"| private words, shown to anybody or to another visit | {_of(lines, PRIVATE)}, {verdict.leaked} |"
    yield f"| calls too early or with an expired token | {len(report.violations)} |"
    yield f"| 429s forgotten by a kill or a freeze in the same moment | {report.forgotten} |"
    yield f"| most live tokens of a guest | {report.most_tokens} |"
    yield f"| seconds | {report.seconds:.0f} |"
    yield ""
    yield "every promise kept" if report.kept else "PROMISES BROKEN"


def _arrived(report: Report) -> int:
    return sum(event.kind == "arrived" for story in report.stories for event in story.events)


def _of(lines: Sequence[Line], *duties: str) -> int:
    return sum(line.duty in duties for line in lines)


def _count(lines: Sequence[Line], what: str) -> int:
    return sum(bool(getattr(line, what)) for line in lines)


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
        print(f"logs, database and stories.txt: {report.logs}")
    return 0 if report.kept else 1


if __name__ == "__main__":
    sys.exit(main())
