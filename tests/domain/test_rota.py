"""A calendar file becomes dated shifts, or an error in words."""

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bridge.domain.duty import icsguard
from bridge.domain.duty.roster import Agent
from bridge.domain.duty.rota import RotaError, read_shifts

CHICAGO = ZoneInfo("America/Chicago")
AGENTS = {
    "amy": Agent("amy", "amy@example.com", "Amy Chen"),
    "bo": Agent("bo", "bo@example.com", "Bo"),
    "bob": Agent("bob", "b2@example.com", "bo"),
}
MONDAY = "DTSTART:20261123T090000|DTEND:20261123T170000|SUMMARY:amy"


def calendar(*events, extra=""):
    bodies = (
        f"BEGIN:VEVENT|UID:u{number}|DTSTAMP:20260101T000000Z|{event}|END:VEVENT|"
        if "UID:" not in event
        else f"BEGIN:VEVENT|DTSTAMP:20260101T000000Z|{event}|END:VEVENT|"
        for number, event in enumerate(events)
    )
    return f"BEGIN:VCALENDAR|VERSION:2.0|PRODID:test|{extra}{''.join(bodies)}END:VCALENDAR|".replace(
        "|", "\r\n"
    )


def read(*events, start=(2026, 11, 23), end=(2026, 11, 30), extra=""):
    first, last = datetime(*start, tzinfo=CHICAGO), datetime(*end, tzinfo=CHICAGO)
    return read_shifts(calendar(*events, extra=extra), AGENTS, "America/Chicago", first, last)


def told(rota):
    return [
        f"{shift.agent} {shift.start.astimezone(CHICAGO):%d %H:%M}-{shift.end.astimezone(CHICAGO):%d %H:%M}"
        for shift in rota.shifts
    ]


def test_times_without_a_zone_are_the_teams():
    """A floating event is in the team's zone, one in UTC or with a TZID is where it says."""
    hours = ("DTSTART", "DTEND")
    there = MONDAY
    for name in hours:
        there = there.replace(f"{name}:", f"{name};TZID=America/New_York:")
    assert told(read(MONDAY)) == ["amy 23 09:00-23 17:00"]
    assert told(read(there)) == ["amy 23 08:00-23 16:00"]
    assert told(read(MONDAY.replace("0000|", "0000Z|"))) == ["amy 23 03:00-23 11:00"]


def test_rules_repeat_but_for_their_exceptions():
    """RRULE repeats, EXDATE leaves a day out, RECURRENCE-ID moves one, in another agent's name too."""
    rota = read(
        f"UID:s|{MONDAY}|RRULE:FREQ=DAILY;COUNT=4|EXDATE:20261124T090000",
        "UID:s|RECURRENCE-ID:20261125T090000|DTSTART:20261125T120000|DTEND:20261125T130000|SUMMARY:bob",
    )
    assert told(rota) == ["amy 23 09:00-23 17:00", "bob 25 12:00-25 13:00", "amy 26 09:00-26 17:00"]


def test_a_night_keeps_its_wall_clock_times_over_a_changed_clock():
    """22:00-06:00 every night stays that when the clock goes back in between, and reaches into the range."""
    night = "DTSTART:20261030T220000|DTEND:20261031T060000|SUMMARY:amy|RRULE:FREQ=DAILY;COUNT=3"
    rota = read(night, start=(2026, 10, 31), end=(2026, 11, 3))
    assert told(rota) == ["amy 30 22:00-31 06:00", "amy 31 22:00-01 06:00", "amy 01 22:00-02 06:00"]
    assert [(s.end - s.start).total_seconds() / 3600 for s in rota.shifts] == [8, 9, 8]


def test_an_event_of_whole_days_lasts_from_midnight_to_midnight():
    """Whole days are the team's days, the last date not included."""
    assert told(read("DTSTART;VALUE=DATE:20261124|DTEND;VALUE=DATE:20261126|SUMMARY:amy")) == [
        "amy 24 00:00-26 00:00"
    ]


def test_an_agent_is_named_by_key_address_or_name_in_any_case():
    """SUMMARY and ATTENDEE find agents; an attendee counts before the summary, and each one has the shift."""
    for name in ("AMY", "Amy  chen", "AMY@example.com"):
        assert told(read(MONDAY.replace("SUMMARY:amy", f"SUMMARY:{name}"))) == ["amy 23 09:00-23 17:00"]
    invited = "|ATTENDEE:MAILTO:Amy@Example.com|ATTENDEE;CN=bob:mailto:other@example.com"
    assert told(read(MONDAY.replace("SUMMARY:amy", "SUMMARY:Desk") + invited)) == [
        "amy 23 09:00-23 17:00",
        "bob 23 09:00-23 17:00",
    ]


@pytest.mark.parametrize(
    ("event", "problem"),
    [
        (MONDAY.replace("SUMMARY:amy", "SUMMARY:zed"), "'zed' is no agent's key"),
        (
            MONDAY.replace("SUMMARY:amy", "SUMMARY:Late") + "|ATTENDEE:mailto:zed@example.com",
            "'zed@example.com' is no agent's key",
        ),
        (MONDAY + "|X-MICROSOFT-CDO-BUSYSTATUS:OOF", "out of office"),
        (MONDAY + "|ATTENDEE;PARTSTAT=DECLINED:mailto:amy@example.com", "declined"),
        (MONDAY.replace("DTSTART:", "DTSTART;TZID=Mars/Base:"), "time zone 'Mars/Base' is not known"),
        (MONDAY.replace("20261123T09", "20261323T09"), "its DTSTART cannot be read"),
        (MONDAY.replace("DTEND:20261123T17", "DTEND:20271123T17"), "longer than 31 days"),
        (MONDAY.replace("DTEND:20261123T170000", "DTEND;VALUE=DATE:20261124"), "do not fit together"),
        (MONDAY.replace("DTEND:20261123T170000", "DTEND:20261123T170000Z"), "not of one kind"),
        (MONDAY.replace("DTEND:20261123T170000", "DTEND:20261123T090000"), "does not end after it starts"),
    ],
)
def test_what_is_left_out_is_told(event, problem):
    """An event that cannot be a shift is a problem with its name, and the others still count."""
    rota = read(event, MONDAY.replace("amy", "bob"))
    assert told(rota) == ["bob 23 09:00-23 17:00"]
    assert len(rota.problems) == 1
    assert problem in rota.problems[0]


def test_a_name_of_two_agents_is_no_name():
    """'bo' is one agent's key and so that agent; a name that two share is refused as ambiguous."""
    assert told(read(MONDAY.replace("amy", "Bo"))) == ["bo 23 09:00-23 17:00"]
    twins = {key: Agent(key, f"{key}@example.com", "Sam") for key in ("s1", "s2")}
    text = calendar(MONDAY.replace("amy", "Sam"))
    rota = read_shifts(
        text, twins, "UTC", datetime(2026, 11, 1, tzinfo=CHICAGO), datetime(2026, 12, 1, tzinfo=CHICAGO)
    )
    assert rota.shifts == ()
    assert "names several agents" in rota.problems[0]


def test_a_cancelled_event_is_no_shift():
    """STATUS:CANCELLED takes a shift away without a word."""
    rota = read(MONDAY + "|STATUS:CANCELLED")
    assert (rota.shifts, rota.problems) == ((), ())


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        ("FREQ=SECONDLY", "FREQ must be DAILY"),
        ("FREQ=DAILY;INTERVAL=0", "INTERVAL must be"),
        ("FREQ=DAILY;BYMINUTE=0,1,2", "BYMINUTE with several values"),
        ("FREQ=DAILY;BYMONTH=2;BYMONTHDAY=31", "never happens"),
        ("FREQ=DAILY;INTERVAL=7;BYDAY=TU", "never happens"),
        ("FREQ=FOO", "FREQ must be DAILY"),
    ],
)
def test_a_rule_that_would_keep_the_service_busy_leaves_its_event_out(rule, words):
    """Rules that run for ever, or that a rota cannot need, are told and not hours of work; the other events count."""
    rota = read(f"{MONDAY}|RRULE:{rule}", MONDAY.replace("amy", "bob"))
    assert told(rota) == ["bob 23 09:00-23 17:00"]
    assert "event 'amy': left out, because" in rota.problems[0]
    assert words in rota.problems[0]


def test_a_rule_without_end_is_read_as_far_as_asked():
    """A daily shift for ever gives the days of the range."""
    assert len(read(f"{MONDAY}|RRULE:FREQ=DAILY", end=(2027, 11, 23)).shifts) == 365


def test_a_rule_in_a_time_zone_is_checked_too():
    """The rules of a VTIMEZONE are left out by the same measure."""
    zone = "BEGIN:VTIMEZONE|TZID:Q|BEGIN:STANDARD|DTSTART:20000101T000000|RRULE:FREQ=SECONDLY|"
    rota = read(MONDAY, extra=zone + "TZOFFSETFROM:+0100|TZOFFSETTO:+0200|END:STANDARD|END:VTIMEZONE|")
    assert told(rota) == ["amy 23 09:00-23 17:00"]
    assert "line 8" in rota.problems[0]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "hello",
        "\0",
        "BEGIN:VCALENDAR",
        "BEGIN:VEVENT\r\nEND:VEVENT",
        "BEGIN:VEVENT\n" * 20,
        "x" * (icsguard.MAX_CHARACTERS + 1),
    ],
    ids=["empty", "words", "nul", "cut", "no-calendar", "deep", "large"],
)
def test_what_is_no_calendar_is_one_typed_error(text):
    """Broken, huge and ancient files raise RotaError, whatever the parser makes of them."""
    with pytest.raises(RotaError):
        read_shifts(
            text, AGENTS, "UTC", datetime(2026, 1, 1, tzinfo=CHICAGO), datetime(2027, 1, 1, tzinfo=CHICAGO)
        )


def test_too_many_shifts_are_refused(monkeypatch):
    """A flood of occurrences ends at the limit."""
    monkeypatch.setattr("bridge.domain.duty.rota.MAX_SHIFTS", 20)
    with pytest.raises(RotaError, match="more than 20 shifts"):
        read(f"{MONDAY}|RRULE:FREQ=DAILY", end=(2027, 1, 30))


@settings(max_examples=60)
@given(st.data())
def test_a_damaged_calendar_is_shifts_or_a_typed_error(data):
    """Whatever is cut out of or put into a good file, nothing but RotaError comes out."""
    text = calendar(
        f"UID:s|{MONDAY}|RRULE:FREQ=DAILY;COUNT=4|EXDATE:20261124T090000|ATTENDEE;CN=bo:mailto:x@y"
    )
    at, length = data.draw(st.integers(0, len(text))), data.draw(st.integers(0, 12))
    damaged = text[:at] + data.draw(st.text(max_size=6)) + text[at + length :]
    try:
        rota = read_shifts(
            damaged,
            AGENTS,
            "UTC",
            datetime(2026, 11, 1, tzinfo=CHICAGO),
            datetime(2026, 12, 1, tzinfo=CHICAGO),
        )
    except RotaError:
        return
    assert all(shift.start < shift.end and shift.agent in AGENTS for shift in rota.shifts)
