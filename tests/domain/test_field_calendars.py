"""Calendars as programs really write them, and who is on duty by them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from bridge.domain.duty.roster import Agent, Roster, Team
from bridge.domain.duty.rota import newest_of, read_shifts
from bridge.service.calendars import with_shifts

HERE = Path(__file__).with_name("ics")
LONDON = ZoneInfo("Europe/London")
AGENTS = {"amy": Agent("amy", "amy@example.com", "Amy Chen"), "bo": Agent("bo", "bo@example.com", "Bo Li")}
START, END = datetime(2026, 10, 20, tzinfo=UTC), datetime(2026, 12, 31, tzinfo=UTC)


def on_duty(path: Path) -> tuple[list[str], list[str]]:
    """Who works when, in London's time, and what was told."""
    team = Team(key="desk", timezone="Europe/London", agents=("amy", "bo"), calendar=str(path))
    roster, problems = with_shifts(Roster(AGENTS, {"desk": team}, ()), START, END)
    shifts = roster.teams["desk"].shifts or ()
    return [
        f"{shift.agent} {shift.start.astimezone(LONDON):%d %b %H:%M}-{shift.end.astimezone(LONDON):%H:%M}"
        for shift in shifts
    ], problems


@pytest.mark.parametrize(
    ("file", "expected"),
    [
        ("same-uid.ics", ["amy 07 Dec 09:00-10:00", "bo 07 Dec 11:00-12:00"]),
        ("until-date.ics", ["amy 07 Dec 09:00-10:00", "amy 08 Dec 09:00-10:00"]),
        ("geo.ics", ["amy 07 Dec 09:00-10:00"]),
        ("bom.ics", ["amy 07 Dec 09:00-10:00"]),
        ("xwr-empty.ics", ["amy 07 Dec 09:00-10:00"]),
        ("xwr-utc-rrule.ics", ["amy 26 Oct 13:00-14:00", "amy 02 Nov 13:00-14:00", "amy 09 Nov 13:00-14:00"]),
        ("method-cancel.ics", []),
        ("email-param.ics", ["amy 07 Dec 09:00-10:00"]),
    ],
)
def test_the_cases(file: str, expected: list[str]) -> None:
    """Each file's right answer, as its author would have it."""
    assert on_duty(HERE / file)[0] == expected


def test_a_shared_uid_is_told() -> None:
    """Both count, and whoever looks after the calendar learns of it."""
    assert "has its UID" in on_duty(HERE / "same-uid.ics")[1][0]


def test_an_update_replaces_its_invitation_across_files() -> None:
    """The same UID with a higher SEQUENCE, in another file of the folder."""
    assert on_duty(HERE / "folder-update")[0] == ["amy 07 Dec 15:00-16:00"]


EVENT = "BEGIN:VEVENT\r\nUID:{uid}\r\n{body}\r\nSUMMARY:amy\r\nEND:VEVENT\r\n"


def calendar(*bodies: str) -> str:
    events = "".join(
        EVENT.format(uid=f"u{n}", body=body.replace("|", "\r\n")) for n, body in enumerate(bodies)
    )
    return f"BEGIN:VCALENDAR\r\nVERSION:2.0\r\n{events}END:VCALENDAR\r\n"


def shifts(text: str, zone: str = "America/New_York") -> list[str]:
    rota = read_shifts(text, AGENTS, zone, datetime(2026, 3, 1, tzinfo=UTC), END)
    there = ZoneInfo(zone)
    return [
        f"{one.start.astimezone(there):%d %b %H:%M}-{one.end.astimezone(there):%d %H:%M}"
        for one in rota.shifts
    ]


def test_a_duration_is_exact_over_a_changed_clock() -> None:
    """Eight hours from ten at night in New York: 05:00 when the clock goes back, 07:00 when it goes forward."""
    assert shifts(calendar("DTSTART:20261031T220000|DURATION:PT8H")) == ["31 Oct 22:00-01 05:00"]
    assert shifts(calendar("DTSTART:20260307T220000|DURATION:PT8H")) == ["07 Mar 22:00-08 07:00"]
    assert shifts(calendar("DTSTART:20261031T220000|DTEND:20261101T060000")) == ["31 Oct 22:00-01 06:00"]
    weekly = "DTSTART:20261024T220000|DURATION:PT8H|RRULE:FREQ=WEEKLY;COUNT=2"
    assert shifts(calendar(weekly)) == ["24 Oct 22:00-25 06:00", "31 Oct 22:00-01 05:00"]


def test_a_date_as_recurrence_id_means_that_day_s_event() -> None:
    """The exception replaces the day's shift and does not come beside it."""
    text = calendar("DTSTART:20261207T090000|DTEND:20261207T100000|RRULE:FREQ=DAILY;COUNT=2")
    moved = EVENT.format(
        uid="u0", body="RECURRENCE-ID;VALUE=DATE:20261208\r\nDTSTART:20261208T150000\r\nDTEND:20261208T160000"
    )
    text = text.replace("END:VCALENDAR", moved + "END:VCALENDAR")
    assert shifts(text) == ["07 Dec 09:00-07 10:00", "08 Dec 15:00-08 16:00"]


@pytest.mark.parametrize(
    "broken",
    [
        "DTSTAMP:yesterday", "CREATED:", "PRIORITY:high", "GEO:;", "CLASS", ":", "ATTACH;VALUE=BINARY:%%%",
        "DESCRIPTION:one\r\nnot folded: at all\r\nBEGIN",
    ],
)  # fmt: skip
def test_what_does_not_say_when_or_who_costs_no_shift(broken: str) -> None:
    """However broken it is."""
    assert shifts(calendar(f"DTSTART:20261207T090000|DTEND:20261207T100000|{broken}")) == [
        "07 Dec 09:00-07 10:00"
    ]


def test_several_calendars_in_a_file_count_all() -> None:
    """Some programs write one after the other."""
    text = calendar("DTSTART:20261207T090000|DTEND:20261207T100000")
    other = calendar("DTSTART:20261208T090000|DTEND:20261208T100000")
    assert shifts("\ufeff" + text + "X-WR-TIMEZONE:Eastern Standard Time\r\n" + other) == [
        "07 Dec 09:00-07 10:00",
        "08 Dec 09:00-08 10:00",
    ]


def test_what_is_over_counts_for_no_limit() -> None:
    """Twelve thousand shifts of former years, and one to come."""
    begin = datetime(2005, 1, 1, 9)
    ago = (begin + timedelta(hours=9 * number) for number in range(12_000))
    old = [f"DTSTART:{one:%Y%m%dT%H%M%S}|DTEND:{one + timedelta(hours=8):%Y%m%dT%H%M%S}" for one in ago]
    assert shifts(calendar(*old, "DTSTART:20261207T090000|DTEND:20261207T100000")) == [
        "07 Dec 09:00-07 10:00"
    ]


def test_guests_who_are_no_agents_leave_it_to_the_title() -> None:
    """A room, a customer: the title names the agent."""
    body = "DTSTART:20261207T090000|DTEND:20261207T100000|ATTENDEE;CN=Room 5:mailto:room5@example.com"
    rota = read_shifts(calendar(body), AGENTS, "Europe/London", START, END)
    assert [one.agent for one in rota.shifts] == ["amy"]
    assert rota.problems == ()


def test_newest_of_anything() -> None:
    """A file that is no calendar has no events."""
    assert newest_of("") == newest_of("\x00\n:\n;") == {}
    assert newest_of(calendar("SEQUENCE:3", "SEQUENCE:x", "SEQUENCE:-1")) == {"u0": 3, "u1": 0, "u2": 0}
