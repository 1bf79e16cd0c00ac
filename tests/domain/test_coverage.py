"""Open hours in which nobody is on duty."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bridge.domain.duty.coverage import CoverageError, coverage_json, gaps, render_coverage
from bridge.domain.duty.duty import Override, is_open, on_duty
from bridge.domain.duty.next_week import week_due, week_note
from bridge.domain.duty.preview import preview
from bridge.domain.duty.roster import Agent, Ask, Holidays, Minimum, Roster, Route, Shift, Team, Window
from bridge.domain.duty.windows import DAY

WEEKDAYS = frozenset(range(5))
FROM, TO = date(2026, 10, 31), date(2026, 11, 2)  # the clock goes back in Chicago


def roster(weekly, /, **team):
    agents = {
        f"a{n}": Agent(f"a{n}", f"a{n}@x", f"A{n}", shifts=tuple(mine)) for n, mine in enumerate(weekly)
    }
    desk = Team("desk", team.pop("timezone", "America/Chicago"), tuple(agents), **team)
    return Roster(agents, {"desk": desk}, (Route("desk"),))


def test_an_uncovered_hour_is_a_gap_and_closed_time_is_none():
    """The gap is where the hours reach over the shifts; nights and holidays are no gaps."""
    hours = (Window(WEEKDAYS, 540, 1080),)
    rota = roster(
        [[Window(WEEKDAYS, 540, 720)], [Window(WEEKDAYS, 780, 1080)]], hours=hours, holidays=Holidays("US")
    )
    assert coverage_json(gaps(rota, date(2026, 11, 25), date(2026, 11, 29))) == {
        "gaps": [
            {"team": "desk", "from": "2026-11-25T12:00", "to": "2026-11-25T13:00"},
            {"team": "desk", "from": "2026-11-27T12:00", "to": "2026-11-27T13:00"},
        ]
    }


def test_gaps_that_touch_are_one():
    """A gap over midnights is told once, from the first date's beginning to the last one's end."""
    found = gaps(roster([[Window(frozenset({2}), 0, 60)]]), date(2026, 11, 23), date(2026, 11, 24))
    assert [gap.to_json() for gap in found] == [
        {"team": "desk", "from": "2026-11-23T00:00", "to": "2026-11-25T00:00"}
    ]
    assert render_coverage(found, date(2026, 11, 23), date(2026, 11, 24)).splitlines()[1] == (
        "desk  Mon 2026-11-23 00:00 - Wed 2026-11-25 00:00  (48 h)"
    )


def test_full_coverage_is_said_so():
    """No gap is one plain sentence."""
    assert "somebody is on duty whenever" in render_coverage(gaps(roster([[]]), FROM, TO), FROM, TO)


def test_what_cannot_be_asked_is_refused():
    """An unknown team, turned dates and a century are errors in words."""
    rota = roster([[]])
    for first, last, team in ((FROM, TO, "dek"), (TO, FROM, None), (FROM, date(2126, 1, 1), None)):
        with pytest.raises(CoverageError):
            gaps(rota, first, last, team)


windows = st.lists(
    st.builds(
        lambda days, start, length: Window(frozenset(days), start, start + length),
        st.sets(st.integers(0, 6), min_size=1),
        st.integers(0, 95).map(lambda n: n * 15),
        st.integers(1, 96).map(lambda n: n * 15),
    ),
    max_size=2,
)
calendar = st.lists(
    st.builds(
        lambda start, length: Shift(
            "a0",
            datetime(2026, 10, 30, tzinfo=UTC) + timedelta(minutes=15 * start),
            datetime(2026, 10, 30, tzinfo=UTC) + timedelta(minutes=15 * (start + length)),
        ),
        st.integers(0, 400),
        st.integers(1, 90),
    ),
    max_size=4,
).map(tuple)
rotas = st.builds(
    lambda zone, hours, closed, shifts, dated: roster(
        shifts, timezone=zone, hours=tuple(hours), holidays=Holidays(closed=closed), shifts=dated
    ),
    st.sampled_from(["America/Chicago", "Australia/Lord_Howe"]),
    windows,
    st.sets(st.sampled_from([FROM, date(2026, 11, 1)]), max_size=1).map(frozenset),
    st.lists(windows, max_size=3),
    st.none() | calendar,
)


@settings(max_examples=25, deadline=None)
@given(rotas)
def test_gaps_are_the_minutes_in_which_preview_finds_nobody_in_open_hours(rota):
    """Coverage, duty and preview say the same of every quarter of an hour, over a changed clock too."""
    team = rota.teams["desk"]
    zone = ZoneInfo(team.timezone)
    found = gaps(rota, FROM, TO)
    start = int(datetime(2026, 10, 31, tzinfo=zone).timestamp())
    end = int(datetime(2026, 11, 3, tzinfo=zone).timestamp())
    for second in range(start, end, 900):
        now = datetime.fromtimestamp(second, UTC)
        uncovered = any(gap.start <= now < gap.end for gap in found)
        assert uncovered == (
            is_open(team, now) and not any(on_duty(rota, team, key, now) for key in rota.agents)
        )
        if second % 10_800 == 0:
            seen = preview(rota, now, Ask())
            assert uncovered == (seen.agent is None and is_open(team, now))
    # As moments: in the hour that comes twice a gap may end at an earlier time of the clock.
    assert all(gap.start.timestamp() < gap.end.timestamp() for gap in found)


@pytest.mark.parametrize(
    "zone", ["America/Chicago", "Europe/London", "Australia/Lord_Howe", "America/Santiago", "UTC"]
)
def test_shifts_that_join_leave_no_gap_in_a_year(zone):
    """Three shifts that join, also inside doubled and skipped hours, cover a year without a gap."""
    cuts = [(0, 90), (90, 150), (150, 1440)]
    rota = roster([[Window(frozenset(range(7)), a, b)] for a, b in cuts], timezone=zone)
    assert gaps(rota, date(2026, 1, 1), date(2026, 12, 31)) == []
    short = roster([[Window(frozenset(range(7)), a, b)] for a, b in cuts[:2]], timezone=zone)
    missing = sum(
        (gap.end.timestamp() - gap.start.timestamp())
        for gap in gaps(short, date(2026, 1, 1), date(2026, 12, 31))
    )
    assert 364 * (DAY - 9000) < missing <= 365 * (DAY - 9000) + 3600


def _asking(*minimums, **team):
    """Amy speaks Spanish 9-13 on weekdays, Bo takes returns 11-17, Cy anything 12-14; open 9-17."""
    agents = {
        "amy": Agent("amy", "a@x", "Amy", languages=("es",), shifts=(Window(WEEKDAYS, 540, 780),)),
        "bo": Agent("bo", "b@x", "Bo", RETURNS, ("en",), shifts=(Window(WEEKDAYS, 660, 1020),)),
        "cy": Agent("cy", "c@x", "Cy", shifts=(Window(WEEKDAYS, 720, 840),)),
    }
    hours = (Window(WEEKDAYS, 540, 1020),)
    desk = Team("desk", "America/Chicago", tuple(agents), hours=hours, minimums=minimums, **team)
    return Roster(agents, {"desk": desk}, (Route("desk"),))


MONDAY = date(2026, 11, 23)
RETURNS = frozenset({"returns"})


def _missing(rota, *overrides):
    return [
        (gap.to_json()["from"][11:], gap.to_json()["to"][11:], gap.to_json()["missing"])
        for gap in gaps(rota, MONDAY, MONDAY, overrides=overrides)
    ]


@pytest.mark.parametrize(
    ("minimum", "wanted"),
    [
        (Minimum(2), [("09:00", "11:00", "2 agents"), ("14:00", "17:00", "2 agents")]),
        (Minimum(3), [("09:00", "12:00", "3 agents"), ("13:00", "17:00", "3 agents")]),
        (Minimum(language="es"), [("14:00", "17:00", "language es")]),
        (Minimum(topic="returns"), []),
        (Minimum(topic="repairs"), [("14:00", "17:00", "topic repairs")]),
        (Minimum(3, topic="repairs"), [("09:00", "17:00", "3 agents, topic repairs")]),
        (Minimum(language="es", during=(Window(WEEKDAYS, 600, 960),)), [("14:00", "16:00", "language es")]),
        (Minimum(language="es", during=(Window(frozenset({1}), 0, 1440),)), []),
    ],
)
def test_what_a_team_asks_for_is_missing_where_fewer_are_there(minimum, wanted):
    """Who names no languages or skills counts for any."""
    assert _missing(_asking(minimum)) == wanted


def test_nobody_at_all_is_a_gap_without_being_asked_for():
    """Also beside a minimum for some hours; asked for as a number it is told once."""
    during = (Window(WEEKDAYS, 600, 660),)
    off = Override(
        "amy", "off", datetime(2026, 11, 23, 15, tzinfo=UTC), datetime(2026, 11, 23, 17, tzinfo=UTC)
    )
    assert _missing(_asking(Minimum(language="es", during=during)), off) == [
        ("09:00", "11:00", "1 agent"),
        ("10:00", "11:00", "language es"),
    ]
    assert _missing(_asking(Minimum(1)), off) == [("09:00", "11:00", "1 agent")]


def test_several_minimums_are_told_in_the_order_of_time():
    """Then in the order in which they are written."""
    found = _missing(_asking(Minimum(2), Minimum(language="es")))
    assert found == [
        ("09:00", "11:00", "2 agents"),
        ("14:00", "17:00", "2 agents"),
        ("14:00", "17:00", "language es"),
    ]


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 20), st.integers(1, 12)), min_size=1, max_size=6), st.integers(1, 4))
def test_a_number_is_kept_exactly_where_so_many_are_counted(shifts, number):
    """Hour by hour, counted by hand."""
    rota = roster([[Window(frozenset({0}), a * 60, (a + length) * 60)] for a, length in shifts])
    desk = replace(rota.teams["desk"], minimums=(Minimum(number),))
    rota = replace(rota, teams={"desk": desk})
    found = gaps(rota, MONDAY, MONDAY)
    for hour in range(24):
        moment = datetime(2026, 11, 23, hour, 30, tzinfo=ZoneInfo("America/Chicago"))
        there = sum(a <= hour < a + length for a, length in shifts)
        assert any(gap.start <= moment < gap.end for gap in found) is (there < number)


@pytest.mark.parametrize(
    ("text", "monday"),
    [
        ("2026-11-26T07:59", None),
        ("2026-11-26T08:00", "2026-11-30"),
        ("2026-11-29T23:59", "2026-11-30"),
        ("2026-11-30T00:00", None),
    ],
)
def test_the_next_week_is_due_from_thursday_on(text, monday):
    """In the team's own time."""
    moment = datetime.fromisoformat(text).replace(tzinfo=ZoneInfo("America/Chicago")).timestamp()
    due = week_due(_asking().teams["desk"], moment)
    assert (due and due.isoformat()) == monday


def test_the_note_names_the_hours_and_what_is_missing():
    """And nothing where nobody is; what is said ahead counts."""
    rota = _asking(Minimum(language="es"))
    note = week_note(rota, rota.teams["desk"], MONDAY)
    assert note.splitlines()[:2] == [
        "Next week in desk some hours lack people:",
        "- Mon 2026-11-23 14:00 - 17:00  (3 h)  language es",
    ]
    assert len(note.splitlines()) == 6
    everybody = _asking()
    assert week_note(everybody, everybody.teams["desk"], MONDAY) == ""
