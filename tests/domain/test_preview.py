"""Who would get a customer, told before it happens."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from bridge.domain.duty.localtime import LocalTimeError, SkippedTime, resolve_local
from bridge.domain.duty.preview import preview, render_preview
from bridge.domain.duty.roster import Agent, Ask, Holidays, Roster, Route, Team, Window

CHICAGO = "America/Chicago"
MORNING = Window(frozenset(range(5)), 540, 780)
DAYTIME = Window(frozenset(range(5)), 540, 1080)
TEN = "2026-11-23T10:00"


def chain(**desk):
    agents = {
        "amy": Agent("amy", "amy@example.com", "Amy Chen", shifts=(MORNING,)),
        "bo": Agent("bo", "bo@example.com", "Bo"),
    }
    teams = {
        "desk": Team("desk", CHICAGO, ("amy",), hours=(DAYTIME,), holidays=Holidays("US"), **desk),
        "office": Team("office", "America/New_York", ("bo",)),
    }
    return Roster(agents, teams, (Route("desk", store=("S*",)), Route("office", source=("form",))))


def seen(text, ask=Ask(store="S1"), **desk):  # noqa: B008 - Ask is a frozen value
    return preview(chain(**desk), resolve_local(text, CHICAGO), ask).to_json()


def test_the_agent_on_duty_is_named_with_the_reason():
    """Someone on duty: open, with team, agent, and sentences."""
    assert seen(TEN) == {
        "at": "2026-11-23T10:00:00-06:00",
        "team": "desk",
        "agent": "amy",
        "status": "open",
        "opensAt": None,
        "reasons": [
            "route 1 sends this customer to desk",
            "Amy Chen is the only one on duty who is free for this customer",
        ],
        "passedOver": [],
    }


def test_nobody_on_duty_is_queued():
    """In open hours without an agent there is no opening time, and the absent one has a reason."""
    answer = seen("2026-11-23T14:00")
    assert (answer["agent"], answer["team"], answer["status"], answer["opensAt"]) == (
        None,
        "desk",
        "queued",
        None,
    )
    assert answer["passedOver"] == [{"agent": "amy", "reason": "off duty until Tue 24 Nov 09:00"}]


def test_a_closed_team_tells_when_it_opens():
    """Over Thanksgiving the customer is queued until Friday morning, in the team's zone."""
    answer = seen("2026-11-25T19:00")
    assert (answer["status"], answer["opensAt"]) == ("queued", "2026-11-27T09:00:00-06:00")


@pytest.mark.parametrize("text", ["2026-11-23T14:00", "2026-11-25T19:00"])
def test_overflow_names_who_gets_it_in_the_end_and_when(text):
    """Overflow: another team gets the customer after the wait, also when the own one is closed."""
    answer = seen(text, overflow=("office",), overflow_after_seconds=90)
    assert (answer["team"], answer["agent"], answer["status"]) == ("office", "bo", "open")
    assert answer["reasons"][-1].startswith("after 90 seconds, office takes the customer")
    assert [one["agent"] for one in answer["passedOver"]] == ["amy"]


def test_an_agent_who_comes_before_the_overflow_gets_the_customer():
    """Half a minute before the shift starts, waiting a minute for the overflow is not needed."""
    answer = seen("2026-11-23T08:59:30", overflow=("office",), overflow_after_seconds=60)
    assert (answer["team"], answer["agent"]) == ("desk", "amy")
    assert "after 30 seconds" in answer["reasons"][-1]


def test_an_overflow_with_nobody_leaves_the_customer_queued():
    """When nobody of the overflow is on duty either, that is said."""
    rota = chain(overflow=("office",))
    rota.teams["office"] = Team("office", "America/New_York", ())
    answer = preview(rota, resolve_local("2026-11-23T14:00", CHICAGO), Ask(store="S1")).to_json()
    assert (answer["team"], answer["agent"], answer["status"]) == ("desk", None, "queued")
    assert "nor can anyone in the overflow after 60 seconds: office" in answer["reasons"]


def test_a_customer_without_a_route_is_queued_nowhere():
    """No route: no team, no agent, and the reason."""
    answer = seen(TEN, Ask())
    assert (answer["team"], answer["agent"], answer["status"]) == (None, None, "queued")
    assert answer["reasons"] == ["no route matches this customer"]


def test_times_are_those_of_the_routes_team():
    """A time with an offset of its own is told in the zone of the team that the route names."""
    answer = preview(chain(), datetime(2026, 11, 23, 15, tzinfo=UTC), Ask(source="form"))
    assert answer.at.isoformat() == "2026-11-23T10:00:00-05:00"


def test_people_read_the_same_in_plain_words():
    """The text names the agent, the reasons, and who was passed over."""
    text = render_preview(preview(chain(), resolve_local("2026-11-25T19:00", CHICAGO), Ask(store="S1")))
    assert text.splitlines() == [
        "Wed 2026-11-25 19:00 CST: nobody: the customer is queued",
        "  route 1 sends this customer to desk",
        "  desk is closed at this time",
        "  desk opens Fri 27 Nov 09:00",
        "Passed over:",
        "  amy  desk is closed at this time",
    ]


def test_a_time_is_local_unless_it_has_an_offset():
    """`--at` is the team's wall-clock time; with an offset it is that instant."""
    zone = ZoneInfo(CHICAGO)
    assert resolve_local("2026-11-28T18:30", CHICAGO) == datetime(2026, 11, 28, 18, 30, tzinfo=zone)
    assert resolve_local("2026-11-28T18:30Z", CHICAGO).isoformat() == "2026-11-28T12:30:00-06:00"
    assert resolve_local("2026-11-28 18:30:05+01:00", CHICAGO).isoformat() == "2026-11-28T11:30:05-06:00"


def test_a_skipped_time_is_refused_with_its_neighbours():
    """02:30 on the spring day does not exist; 01:59 and 03:00 are the nearest."""
    with pytest.raises(SkippedTime, match="2026-03-08T01:59 and 2026-03-08T03:00") as refusal:
        resolve_local("2026-03-08T02:30", CHICAGO)
    assert refusal.value.after.isoformat() == "2026-03-08T03:00:00-05:00"
    assert resolve_local("2026-03-08T03:00", CHICAGO) == refusal.value.after


def test_a_doubled_time_is_the_first():
    """01:30 on the autumn day is the one in summer time."""
    assert resolve_local("2026-11-01T01:30", CHICAGO).isoformat() == "2026-11-01T01:30:00-05:00"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "tomorrow",
        "2026-11-28",
        "2026-13-01T10:00",
        "2026-11-28T25:00",
        "9999-01-01T00:00",
        "٢٠٢٦-11-28T10:00",
    ],
)
def test_nonsense_is_refused_in_words(text):
    """What is no date and time gives an error that a person understands."""
    with pytest.raises(LocalTimeError):
        resolve_local(text, CHICAGO)
