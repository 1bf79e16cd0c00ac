"""Hours, shifts, holidays, calendars and overrides decide who is on duty."""

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bridge.domain.duty.duty import Override, closes_at, is_open, next_change, on_duty, opens_at, team_duty
from bridge.domain.duty.roster import Agent, DatedWindow, Holidays, Roster, Shift, Team, Window
from bridge.domain.duty.table import duty_table
from bridge.domain.duty.windows import span_at

CHICAGO = ZoneInfo("America/Chicago")
EVERY_DAY = frozenset(range(7))
SAT, SUN = frozenset({5}), frozenset({6})


def at(text, zone=CHICAGO, fold=0):
    return datetime.fromisoformat(text).replace(tzinfo=zone, fold=fold)


def roster(*agents, **team):
    known = {agent.key: agent for agent in agents}
    desk = Team("desk", team.pop("timezone", "America/Chicago"), tuple(known), **team)
    return Roster(known, {"desk": desk}, ())


def agent(key, *shifts):
    return Agent(key, f"{key}@example.com", key.title(), shifts=shifts)


def duty(rota, key, text, *overrides, fold=0):
    return on_duty(rota, rota.teams["desk"], key, at(text, fold=fold), overrides)


NINE_TO_FIVE = Window(frozenset(range(5)), 9 * 60, 17 * 60)
NIGHT = Window(SAT, 22 * 60, 26 * 60)


@pytest.mark.parametrize(
    ("text", "on"),
    [
        ("2026-11-23T08:59:59", False),
        ("2026-11-23T09:00", True),
        ("2026-11-23T16:59:59", True),
        ("2026-11-23T17:00", False),
    ],
)
def test_a_window_holds_its_first_moment_and_not_its_last(text, on):
    """A shift 09:00-17:00 begins at 09:00 and is over at 17:00."""
    assert duty(roster(agent("amy", NINE_TO_FIVE)), "amy", text) is on


def test_several_windows_a_day_leave_the_time_between_them_free():
    """Two shifts on one day are two stretches of duty."""
    rota = roster(agent("amy", Window(EVERY_DAY, 540, 720), Window(EVERY_DAY, 780, 1020)))
    assert [duty(rota, "amy", f"2026-11-23T{hour}:30") for hour in ("11", "12", "13")] == [True, False, True]


def test_a_shift_past_midnight_belongs_to_the_day_on_which_it_starts():
    """Saturday 22:00-02:00 holds Sunday 01:59 and neither Saturday 01:00 nor Monday 01:00."""
    rota = roster(agent("amy", NIGHT))
    on = [
        duty(rota, "amy", f"2026-11-{day}")
        for day in ("21T01:00", "21T22:00", "22T01:59", "22T02:00", "23T01:00")
    ]
    assert on == [False, True, True, False, False]


def test_an_agent_without_shifts_works_the_teams_hours():
    """No shifts means whenever the team is open; shifts outside the team's hours count for nothing."""
    rota = roster(agent("amy"), agent("bo", Window(EVERY_DAY, 0, 1440)), hours=(NINE_TO_FIVE,))
    for key in ("amy", "bo"):
        assert duty(rota, key, "2026-11-23T12:00")
        assert not duty(rota, key, "2026-11-23T18:00")


def test_a_skipped_hour_lasts_no_time():
    """On the day the clock goes forward 01:00-02:30 ends, and 02:30-04:00 begins, with the change."""
    rota = roster(agent("amy", Window(SUN, 60, 150)), agent("bo", Window(SUN, 150, 240)))
    table = duty_table(rota, rota.teams["desk"], at("2026-03-08T01:59"))
    assert table.on_duty == ("amy",)
    assert table.valid_until == at("2026-03-08T03:00")
    assert duty_table(rota, rota.teams["desk"], at("2026-03-08T03:00")).on_duty == ("bo",)


def test_a_doubled_hour_counts_twice():
    """On the day the clock goes back, what holds 01:15 holds it both times, and a night is an hour longer."""
    rota = roster(agent("amy", Window(SUN, 0, 90)), agent("bo", NIGHT))
    for fold in (0, 1):
        assert duty(rota, "amy", "2026-11-01T01:15", fold=fold)
        assert not duty(rota, "amy", "2026-11-01T01:45", fold=fold)
        assert duty(rota, "bo", "2026-11-01T01:45", fold=fold)
    start = int(at("2026-10-31T12:00").timestamp())
    ((begin, end),) = team_duty(rota, rota.teams["desk"], start, start + 86400).agents["bo"]
    assert end - begin == 5 * 3600


def test_a_holiday_takes_away_what_starts_on_it():
    """A closed day ends nothing that began on the eve, and takes its own night with it."""
    closed = Holidays(closed=frozenset({date(2026, 11, 21)}))
    rota = roster(agent("amy"), hours=(Window(EVERY_DAY, 20 * 60, 26 * 60),), holidays=closed)
    on = [duty(rota, "amy", f"2026-11-{day}") for day in ("21T01:00", "21T21:00", "22T01:00", "22T21:00")]
    assert on == [True, False, False, True]


def test_a_shift_that_starts_on_a_holiday_does_not_count_on_the_morning_after():
    """A team without hours is open again at midnight, but the closed day's night shift is still off."""
    rota = roster(agent("amy", NIGHT), holidays=Holidays(closed=frozenset({date(2026, 11, 21)})))
    team = rota.teams["desk"]
    assert not is_open(team, at("2026-11-21T23:00"))
    assert is_open(team, at("2026-11-22T00:00"))
    assert not duty(rota, "amy", "2026-11-22T01:00")
    assert duty(rota, "amy", "2026-11-29T01:00")


def test_public_holidays_are_those_of_the_country_and_its_part():
    """Lincoln's Birthday closes a team of Illinois and no other; Thanksgiving closes both."""
    illinois = roster(agent("amy"), holidays=Holidays("US", "IL")).teams["desk"]
    nation = roster(agent("amy"), holidays=Holidays("US")).teams["desk"]
    assert [is_open(team, at("2026-02-12T12:00")) for team in (illinois, nation)] == [False, True]
    assert [is_open(team, at("2026-11-26T12:00")) for team in (illinois, nation)] == [False, False]


def test_a_dated_opening_reopens_its_hours_of_a_holiday():
    """On a reopened holiday agents without shifts work, and a weekly shift still does not count."""
    holidays = Holidays("US", open=(DatedWindow(date(2026, 12, 25), 600, 720),))
    rota = roster(agent("amy"), agent("bo", NINE_TO_FIVE), holidays=holidays)
    assert [
        is_open(rota.teams["desk"], at(f"2026-12-25T{t}")) for t in ("09:59", "10:00", "11:59", "12:00")
    ] == [
        False,
        True,
        True,
        False,
    ]
    assert duty_table(rota, rota.teams["desk"], at("2026-12-25T11:00")).on_duty == ("amy",)


def test_a_calendar_rules_instead_of_weekly_shifts():
    """With a calendar, only its shifts count, on a holiday within that day's openings."""
    shifts = (
        Shift("amy", at("2026-11-23T20:00"), at("2026-11-24T02:00")),
        Shift("bo", at("2026-12-25T08:00"), at("2026-12-25T20:00")),
    )
    holidays = Holidays("US", open=(DatedWindow(date(2026, 12, 25), 600, 720),))
    rota = roster(agent("amy", NINE_TO_FIVE), agent("bo"), shifts=shifts, holidays=holidays)
    assert [duty(rota, "amy", f"2026-11-23T{hour}:00") for hour in (10, 20)] == [False, True]
    assert duty(rota, "amy", "2026-11-24T01:59")
    assert not duty(rota, "bo", "2026-11-23T10:00")
    assert [duty(rota, "bo", f"2026-12-25T{hour}:00") for hour in ("09", "10", "12")] == [False, True, False]


def override(kind, key, start="2026-11-23T10:00", end="2026-11-23T12:00", **more):
    return Override(key, kind, at(start), at(end), **more)


def test_an_agent_who_is_off_is_off_until_then():
    """'off' holds from its start to its end, not included, and in the named team only."""
    rota = roster(agent("amy"))
    off = override("off", "amy")
    assert [duty(rota, "amy", f"2026-11-23T{t}", off) for t in ("09:59", "10:00", "11:59", "12:00")] == [
        True,
        False,
        False,
        True,
    ]
    assert duty(rota, "amy", "2026-11-23T11:00", replace(off, team="elsewhere"))


def test_an_agent_who_is_called_on_does_not_open_the_team():
    """'on' adds duty in open hours and none when the team is closed; 'off' beats it."""
    rota = roster(agent("amy", NIGHT), hours=(NINE_TO_FIVE,))
    on = override("on", "amy", "2026-11-23T16:00", "2026-11-23T20:00")
    assert duty(rota, "amy", "2026-11-23T16:30", on)
    assert not duty(rota, "amy", "2026-11-23T18:00", on)
    assert not duty(rota, "amy", "2026-11-23T16:30", on, override("off", "amy", end="2026-11-23T20:00"))


def test_cover_moves_the_shifts_for_its_time():
    """The covering agent has the covered one's shifts, who is off meanwhile; afterwards all is as before."""
    rota = roster(agent("amy", NINE_TO_FIVE), agent("bo", NIGHT))
    cover = override("cover", "bo", "2026-11-23T00:00", "2026-11-24T00:00", for_agent="amy")
    team = rota.teams["desk"]
    assert duty_table(rota, team, at("2026-11-23T11:00"), [cover]).on_duty == ("bo",)
    assert duty_table(rota, team, at("2026-11-23T18:00"), [cover]).on_duty == ()
    assert duty_table(rota, team, at("2026-11-24T11:00"), [cover]).on_duty == ("amy",)
    assert duty_table(rota, team, at("2026-11-23T11:00"), [cover]).off == {
        "amy": "covered by Bo until Tue 24 Nov 00:00"
    }


def test_somebody_from_another_team_can_cover():
    """A covering agent need not be of the team; two who cover each other have changed places."""
    rota = roster(agent("amy", NINE_TO_FIVE), agent("bo", NIGHT))
    guest = Roster({**rota.agents, "cy": agent("cy")}, rota.teams, ())
    cover = override("cover", "cy", for_agent="amy")
    assert duty_table(guest, guest.teams["desk"], at("2026-11-23T11:00"), [cover]).on_duty == ("cy",)
    swap = [override("cover", "bo", for_agent="amy"), override("cover", "amy", for_agent="bo")]
    assert duty_table(rota, rota.teams["desk"], at("2026-11-23T11:00"), swap).on_duty == ("bo",)


def test_opening_and_closing_times_are_found_over_holidays():
    """The next opening skips closed days and weekends; a team that is always open never closes."""
    team = roster(agent("amy"), hours=(NINE_TO_FIVE,), holidays=Holidays("US")).teams["desk"]
    assert closes_at(team, at("2026-11-25T10:00")) == at("2026-11-25T17:00")
    assert opens_at(team, at("2026-11-25T17:00")) == at("2026-11-27T09:00")
    assert closes_at(team, at("2026-11-25T17:00")) is None
    always = roster(agent("amy")).teams["desk"]
    assert closes_at(always, at("2026-11-25T10:00")) is None
    assert opens_at(always, at("2026-11-25T10:00")) is None


def test_a_moment_without_a_zone_is_refused():
    """A naive time would mean the machine's zone, so it is an error."""
    with pytest.raises(ValueError, match="time zone"):
        is_open(roster(agent("amy")).teams["desk"], datetime(2026, 1, 1))


def test_a_table_tells_why_each_of_the_others_is_off():
    """Absent agents are given with the time of their next shift, and a closed team with its reason."""
    rota = roster(
        agent("amy", NINE_TO_FIVE), agent("bo"), hours=(Window(EVERY_DAY, 0, 1320),), holidays=Holidays("US")
    )
    table = duty_table(rota, rota.teams["desk"], at("2026-11-24T18:00"))
    assert table.off == {"amy": "off duty until Wed 25 Nov 09:00"}
    closed = duty_table(rota, rota.teams["desk"], at("2026-11-26T12:00"))
    assert (closed.open, closed.opens_at) == (False, at("2026-11-27T00:00"))
    assert closed.off["bo"] == "desk is closed (Thanksgiving Day)"


windows = st.builds(
    lambda days, start, length: Window(frozenset(days), start, start + length),
    st.sets(st.integers(0, 6), min_size=1),
    st.integers(0, 47).map(lambda half: half * 30),
    st.integers(1, 48).map(lambda half: half * 30),
)
closures = st.sets(st.integers(0, 9).map(lambda n: date(2026, 10, 27) + timedelta(n)), max_size=3).map(
    frozenset
)
dated = st.builds(
    lambda n, start, length: DatedWindow(date(2026, 10, 27) + timedelta(n), start, start + length),
    st.integers(0, 9),
    st.integers(0, 1439),
    st.integers(1, 1440),
)
rotas = st.builds(
    lambda zone, hours, closed, openings, *shifts: roster(
        *(agent(f"a{n}", *mine) for n, mine in enumerate(shifts)),
        timezone=zone,
        hours=tuple(hours),
        holidays=Holidays(closed=closed, open=tuple(openings)),
    ),
    st.sampled_from(["America/Chicago", "Europe/London", "Pacific/Auckland"]),
    st.lists(windows, max_size=3),
    closures,
    st.lists(dated, max_size=2),
    st.lists(windows, max_size=2),
    st.lists(windows, min_size=1, max_size=2),
)


def covers(window, wall):
    """Whether a weekly window holds a wall-clock time, and the day to which that stretch belongs."""
    minute = wall.hour * 60 + wall.minute
    for back in (0, 1):
        day = wall.date() - timedelta(days=back)
        if day.weekday() in window.days and window.start <= minute + back * 1440 < window.end:
            yield day


def is_dated_open(window, wall):
    begin = datetime.combine(window.day, time()) + timedelta(minutes=window.start)
    return begin <= wall < begin + timedelta(minutes=window.end - window.start)


def expected(team, agents, wall):
    """Contract section 4, word by word, for one wall-clock time: (open, keys on duty)."""
    closed = team.holidays.closed
    opened = any(is_dated_open(window, wall) for window in team.holidays.open) or (
        any(day not in closed for window in team.hours for day in covers(window, wall))
        if team.hours
        else wall.date() not in closed
    )
    working = [
        key
        for key, one in agents.items()
        if not one.shifts or any(day not in closed for shift in one.shifts for day in covers(shift, wall))
    ]
    return opened, working if opened else []


@settings(max_examples=40, deadline=None)
@given(rotas)
def test_duty_is_what_the_contract_says_at_every_quarter_of_an_hour(rota):
    """Over ten days with both kinds of changed clock near, duty is the contract's sentence at each moment."""
    team = rota.teams["desk"]
    start = int(datetime(2026, 10, 24, tzinfo=UTC).timestamp())
    found = team_duty(rota, team, start, start + 14 * 86400)
    for second in range(start, start + 14 * 86400, 900):
        wall = datetime.fromtimestamp(second, ZoneInfo(team.timezone)).replace(tzinfo=None)
        on = [key for key, spans in found.agents.items() if span_at(spans, second)]
        assert (span_at(found.open, second) is not None, on) == expected(team, rota.agents, wall)


@settings(max_examples=25, deadline=None)
@given(rotas, st.integers(0, 7 * 1440))
def test_a_table_is_valid_until_it_says_and_not_longer_than_duty_lasts(rota, minute):
    """Inside its validity a table's answers are those of any moment; the next change is the end of them."""
    team = rota.teams["desk"]
    now = datetime(2026, 10, 28, tzinfo=UTC) + timedelta(minutes=minute)
    table = duty_table(rota, team, now)
    assert table.valid_until > now
    last = duty_table(rota, team, table.valid_until - timedelta(seconds=1))
    assert (last.on_duty, last.open, last.off, last.opens_at) == (
        table.on_duty,
        table.open,
        table.off,
        table.opens_at,
    )
    change = next_change(rota, now)
    if change is not None:
        before, after = duty_table(rota, team, change - timedelta(seconds=1)), duty_table(rota, team, change)
        assert (before.on_duty, before.open) != (after.on_duty, after.open)
        assert (before.on_duty, before.open) == (table.on_duty, table.open)
