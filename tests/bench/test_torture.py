"""The torture tool's short runs: `make test ARGS="-m long"`.

That it would notice a broken promise: test_verdict.py, test_shown.py.
"""

from __future__ import annotations

from dataclasses import replace

import pytest

from bench.torture.__main__ import lines
from bench.torture.options import Options, parse
from bench.torture.run import perform

SHORT = Options(
    events=150, subjects=15, kills=4, freezes=0, stops=0, logs=0, also=frozenset(), spread=5, seconds=150,
    token_life=12, trouble=2, long_waits=False, lose=0, linger=0.5,
)  # fmt: skip


@pytest.mark.long
@pytest.mark.timeout(400)  # a busy machine starts processes slowly
async def test_short_run_on_sqlite() -> None:
    """One process on SQLite, killed four times amid faults, loses and doubles nothing; replies are polled."""
    report = await perform(replace(SHORT, replies="poll"))
    assert report.kept, "\n".join([*lines(report), *report.verdict.evidence, str(report.logs)])
    assert len(report.herd.kills) == 4
    assert report.tally.acknowledged == 150
    assert sum(report.faults.values()) > 0


@pytest.mark.long
@pytest.mark.postgres
@pytest.mark.timeout(400)
async def test_short_run_on_postgres(postgres_url: str) -> None:
    """Two processes on PostgreSQL, killed four times in all, lose and double nothing; webhooks come twice."""
    report = await perform(replace(SHORT, database=postgres_url, processes=2))
    assert report.kept, "\n".join([*lines(report), *report.verdict.evidence, str(report.logs)])
    assert len(report.herd.kills) == 4
    assert report.tally.acknowledged == 150


def test_wrong_use_is_refused() -> None:
    """Several processes on one SQLite file, no events at all, and troubles that nobody knows are wrong use."""
    for arguments in (
        ["--processes", "2"],
        ["--events", "0"],
        ["--freezes", "-1"],
        ["--also", "ends,earthquakes"],
    ):
        with pytest.raises(SystemExit) as refused:
            parse(arguments)
        assert refused.value.code == 2
