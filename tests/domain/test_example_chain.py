"""The example chain of docs/leads.md: 3 teams, 20 agents, 200 stores."""

import time
from collections import Counter
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from bridge.domain.duty.coverage import coverage_json, gaps
from bridge.domain.duty.localtime import resolve_local
from bridge.domain.duty.preview import preview
from bridge.domain.duty.roster import Ask, Roster
from bridge.domain.duty.rota import read_shifts
from bridge.domain.duty.routing import find_team
from config.load import load

FOLDER = Path(__file__).parents[2] / "config" / "example-chain"


@pytest.fixture(scope="module")
def chain():
    roster = load(FOLDER, {}, offline=True).roster
    team = roster.teams["new-york"]
    agents = {key: roster.agents[key] for key in team.agents}
    begin, end = datetime(2025, 12, 31, tzinfo=UTC), datetime(2027, 1, 2, tzinfo=UTC)
    rota = read_shifts(Path(team.calendar).read_text(), agents, team.timezone, begin, end)
    assert rota.problems == ()
    return Roster(
        roster.agents, roster.teams | {"new-york": replace(team, shifts=rota.shifts)}, roster.routes
    )


def test_the_example_is_of_the_size_of_a_real_chain(chain):
    """20 agents, 3 teams, and each of the 200 stores is routed."""
    stores = Counter(find_team(chain, Ask(store=f"S{number:03}"))[1].key for number in range(1, 201))
    assert len(chain.agents) == 20
    assert stores == {"chicago": 99, "new-york": 80, "los-angeles": 21}


@pytest.mark.parametrize(
    ("at", "zone", "ask", "team", "agent"),
    [
        ("2026-11-29T01:30", "America/Chicago", Ask(store="S050"), "chicago", "grace"),
        ("2026-11-28T11:00", "America/New_York", Ask(store="S150"), "chicago", "elena"),
        ("2026-11-29T17:30", "America/Chicago", Ask(store="S001"), "los-angeles", "rosa"),
        ("2026-11-26T12:00", "America/Chicago", Ask(store="S050"), "chicago", None),
        ("2026-12-24T10:00", "America/Los_Angeles", Ask(store="S190"), "los-angeles", "tess"),
        ("2026-11-24T10:00", "America/Los_Angeles", Ask(language="es-MX"), "los-angeles", "nora"),
    ],
)
def test_the_pages_examples_come_out_as_it_says(chain, at, zone, ask, team, agent):
    """Night, exception, overflow, holiday, reopened day: what docs/leads.md tells is what preview finds."""
    answer = preview(chain, resolve_local(at, zone), ask)
    assert (answer.team, answer.agent) == (team, agent)


def test_the_pages_gaps_come_out_as_it_says(chain):
    """The fortnight of the page has exactly the gaps that the page shows."""
    assert coverage_json(gaps(chain, date(2026, 11, 23), date(2026, 12, 6))) == {
        "gaps": [
            {"team": "chicago", "from": "2026-11-29T17:00", "to": "2026-11-29T18:00"},
            {"team": "chicago", "from": "2026-12-06T17:00", "to": "2026-12-06T18:00"},
            {"team": "new-york", "from": "2026-11-28T10:00", "to": "2026-11-28T12:00"},
            {"team": "new-york", "from": "2026-12-02T16:00", "to": "2026-12-02T20:00"},
        ]
    }


def test_a_year_of_the_chain_is_looked_through_in_well_under_a_second(chain):
    """Coverage of a year costs tens of milliseconds."""
    began = time.process_time()
    gaps(chain, date(2026, 1, 1), date(2026, 12, 31))
    assert time.process_time() - began < 0.5
