"""The torture tool's short runs, and that it would notice a broken promise."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bench.torture.__main__ import lines
from bench.torture.options import Options, parse
from bench.torture.run import perform
from bench.torture.verdict import Story, compare, judge, told_early
from bridge.simulator import Call

SHORT = Options(
    events=150, subjects=15, kills=4, spread=5, seconds=60, token_life=12, trouble=2, long_waits=False,
    lose=0, linger=0.5,
)  # fmt: skip


@pytest.mark.timeout(180)  # a busy machine starts processes slowly
async def test_short_run_on_sqlite() -> None:
    """One process on SQLite, killed four times amid faults, loses and doubles nothing; replies are polled."""
    report = await perform(replace(SHORT, replies="poll"))
    assert report.kept, "\n".join([*lines(report), *report.verdict.evidence, str(report.logs)])
    assert report.kills == 4
    assert report.tally.acknowledged == 150
    assert sum(report.faults.values()) > 0


@pytest.mark.postgres
@pytest.mark.timeout(180)
async def test_short_run_on_postgres(postgres_url: str) -> None:
    """Two processes on PostgreSQL, killed four times in all, lose and double nothing; webhooks come twice."""
    report = await perform(replace(SHORT, database=postgres_url, processes=2))
    assert report.kept, "\n".join([*lines(report), *report.verdict.evidence, str(report.logs)])
    assert report.kills == 4
    assert report.tally.acknowledged == 150


@pytest.mark.parametrize(
    ("seen", "counts"),
    [
        (["a", "b", "b", "c"], (0, 0, 0)),
        (["a", "b", "c"], (1, 0, 0)),
        (["a", "a", "b", "b", "c"], (0, 1, 0)),
        (["b", "a", "b", "c"], (0, 0, 2)),
        (["x", "b", "b", "c"], (1, 1, 0)),
    ],
)
def test_differences_are_counted(seen: list[str], counts: tuple[int, int, int]) -> None:
    """Equal texts count one by one; what came twice, not at all, or in another order is told apart."""
    found = compare(["a", "b", "b", "c"], seen)
    assert (found.lost, found.doubled, found.reordered) == counts


def test_every_broken_promise_is_evidence() -> None:
    """Lost words, a doubled reply, an unacknowledged event, a violation and too many tokens are each told."""
    stories = [
        Story("lost", acknowledged=["one"], own_shown=["one"]),
        Story("twice", said=["answer"], shown=["answer", "answer"]),
        Story("never", pending="hello"),
    ]
    verdict = judge(stories, ["POST /v1/messages with an expired token"], most_tokens=8, budget=7)
    assert not verdict.kept
    assert [verdict.words.lost, verdict.replies.doubled, verdict.unacknowledged] == [1, 1, 1]
    assert len(verdict.evidence) == 5


def test_an_unacknowledged_event_may_arrive_once_only() -> None:
    """Its sender does not know whether it was taken, so once or not at all is right, and twice is not."""
    once = Story("once", acknowledged=["a"], pending="b", arrived=["a", "b"], own_shown=["a", "b"])
    twice = Story("twice", acknowledged=["a"], pending="b", arrived=["a", "b", "b"], own_shown=["a", "b"])
    assert judge([once], [], 1, 7).words.doubled == 0
    assert judge([twice], [], 1, 7).words.doubled == 1


def test_only_a_kill_in_the_moment_of_the_429_excuses_a_call_too_early() -> None:
    """A process that dies before it could write the 429 down forgets it; one that dies later does not."""
    calls = [
        Call(100.0, "GET", "/v1/messages/direct", "guest:a", 429, False, False),
        Call(101.0, "GET", "/v1/messages/direct", "guest:a", 200, False, True),
    ]
    assert told_early(calls, [100.1]) == ([], 1)
    for kills in ([], [99.9], [100.8]):
        broken, forgotten = told_early(calls, kills)
        assert (len(broken), forgotten) == (1, 0)


def test_wrong_use_is_refused() -> None:
    """Several processes on one SQLite file, and no events at all, are wrong use."""
    for arguments in (["--processes", "2"], ["--events", "0"]):
        with pytest.raises(SystemExit) as refused:
            parse(arguments)
        assert refused.value.code == 2
