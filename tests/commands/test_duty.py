"""bridge preview and bridge coverage, as leads and their scripts use them."""

from __future__ import annotations

import json

import pytest

from tests.commands.conftest import EXAMPLE_CHAIN, SMALLEST

TWO_SOURCES = """\
sources:
  kiosk: {auth: {scheme: standard-webhooks, secrets: [env:KIOSK_SECRET]}}
  form: {auth: {scheme: standard-webhooks, secrets: [env:FORM_SECRET]}}
agents:
  amy: {email: amy@example.com, shifts: ["mon-fri 09:00-17:00"]}
teams:
  front-desk: {timezone: Europe/London, hours: ["mon-fri 09:00-18:00"], agents: [amy]}
routes:
  - {when: {source: kiosk}, team: front-desk}
  - team: front-desk
"""


def test_preview_says_who_and_why(bridge) -> None:
    """The agent, the team, the reasons, and who was passed over, for people; 0 for somebody."""
    ran = bridge("preview", "--config", EXAMPLE_CHAIN, "--store", "S050", "--at", "2026-11-29T01:30")
    assert ran.code == 0
    assert ran.out.startswith("Sun 2026-11-29 01:30 CST: grace (chicago)\n")
    assert "Passed over:" in ran.out
    assert "off duty until Mon 30 Nov 08:00" in ran.out
    assert ran.err == ""


def test_preview_json_is_the_contracts(bridge) -> None:
    """--json prints one JSON object and nothing else, with the contract's keys, after the overflow."""
    ran = bridge(
        "preview", "--config", EXAMPLE_CHAIN, "--store", "S150", "--at", "2026-11-28T11:00", "--json"
    )
    answer = json.loads(ran.out)
    assert list(answer) == ["at", "team", "agent", "status", "opensAt", "reasons", "passedOver"]
    assert (answer["team"], answer["agent"], answer["status"]) == ("chicago", "elena", "open")
    assert answer["at"] == "2026-11-28T11:00:00-05:00"
    assert any("after 90 seconds" in reason for reason in answer["reasons"])
    assert all(set(one) == {"agent", "reason"} for one in answer["passedOver"])


def test_preview_exits_1_when_nobody(bridge, write) -> None:
    """Nobody on duty: 1, queued, and when the team opens."""
    write(TWO_SOURCES)
    ran = bridge("preview", "--at", "2026-11-28T12:00", "--source", "form", "--json")
    answer = json.loads(ran.out)
    assert ran.code == 1
    assert (answer["agent"], answer["status"], answer["opensAt"]) == (
        None,
        "queued",
        "2026-11-30T09:00:00+00:00",
    )


def test_preview_takes_an_offset(bridge) -> None:
    """A time with an offset is that instant, whatever the team's zone."""
    args = ("preview", "--config", EXAMPLE_CHAIN, "--store", "S050", "--json", "--at")
    assert json.loads(bridge(*args, "2026-11-29T07:30Z").out)["at"] == "2026-11-29T01:30:00-06:00"


def test_preview_asks_for_the_source_only_where_it_matters(bridge, write) -> None:
    """Several sources and a route that names one: --source is needed. Else it is not."""
    write(TWO_SOURCES)
    ran = bridge("preview", "--at", "2026-11-27T12:00")
    assert ran.code == 2
    assert "--source is needed" in ran.err
    assert "kiosk, form" in ran.err
    write(TWO_SOURCES.replace("when: {source: kiosk}, ", ""))
    assert bridge("preview", "--at", "2026-11-27T12:00").code == 0
    write(SMALLEST.replace("  - team", "  - when: {source: kiosk}\n    team"))
    assert bridge("preview", "--at", "2026-11-27T12:00").code == 0


@pytest.mark.parametrize(
    ("at", "words"),
    [
        ("2026-03-08T02:30", "2026-03-08T01:59 and 2026-03-08T03:00"),
        ("tomorrow", "write it like 2026-11-28T18:30"),
        ("2026-11-31T10:00", "no date and time"),
        ("2026-11-28", "write it like"),
        ("", "write it like"),
        ("9999-12-31T23:59", "1970 to 2900"),
        ("2026-11-28T18:30+99:00", "no date and time"),
        ("0001-01-01T00:00", "1970"),
    ],
)
def test_preview_refuses_wrong_times(bridge, at: str, words: str) -> None:
    """A wrong time is wrong use: 2, with what would be right; a skipped one with its neighbours."""
    ran = bridge("preview", "--config", EXAMPLE_CHAIN, "--store", "S050", "--at", at)
    assert (ran.code, ran.out) == (2, "")
    assert words in ran.err


def test_doubled_time_means_the_first(bridge) -> None:
    """01:30 on the day the clock goes back is the one in summer time."""
    ran = bridge(
        "preview", "--config", EXAMPLE_CHAIN, "--store", "S050", "--at", "2026-11-01T01:30", "--json"
    )
    assert json.loads(ran.out)["at"] == "2026-11-01T01:30:00-05:00"


def test_unknown_source_comes_with_the_nearest(bridge) -> None:
    """A mistyped name is refused with what it was probably meant to be."""
    ran = bridge("preview", "--config", EXAMPLE_CHAIN, "--at", "2026-11-28T10:00", "--source", "kiosc")
    assert ran.code == 2
    assert "did you mean kiosk?" in ran.err


def test_preview_needs_no_environment(bridge, write) -> None:
    """A database that cannot be, a wrong PORT and missing secrets do not matter: only files are read."""
    write(SMALLEST)
    ran = bridge("preview", "--at", "2026-11-28T10:00", DATABASE_URL="oracle://x", PORT="many")
    assert ran.code == 0


def test_preview_of_a_broken_configuration_is_2(bridge, write) -> None:
    """So that a script can tell 'nobody' from 'cannot say'; each fault with file and line, on stderr."""
    write(SMALLEST.replace("Europe/London", "Europe/Londno"))
    ran = bridge("preview", "--at", "2026-11-28T10:00", "--json")
    assert (ran.code, ran.out) == (2, "")
    assert "config/bridge.yaml:7: " in ran.err
    assert "Europe/London" in ran.err


def test_broken_calendar_is_told(bridge, write) -> None:
    """A calendar that cannot be used stops the answer; an event that names nobody is a warning beside it."""
    path = write(SMALLEST.replace("agents: [amy]", "agents: [amy], calendar: rota.ics"))
    (path.parent / "rota.ics").write_text("hello")
    ran = bridge("preview", "--at", "2026-11-28T10:00")
    assert (ran.code, ran.out) == (2, "")
    assert "rota.ics" in ran.err
    (path.parent / "rota.ics").write_text(_calendar("amy", "zoe"))
    ran = bridge("preview", "--at", "2026-11-28T10:00", "--json")
    assert (ran.code, json.loads(ran.out)["agent"]) == (0, "amy")
    assert ran.err.startswith("warning: ")
    assert "zoe" in ran.err


def _calendar(*names: str) -> str:
    events = "".join(
        f"BEGIN:VEVENT\r\nUID:{name}\r\nDTSTART:20261128T080000Z\r\nDTEND:20261128T180000Z\r\n"
        f"SUMMARY:{name}\r\nEND:VEVENT\r\n"
        for name in names
    )
    return f"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:x\r\n{events}END:VCALENDAR\r\n"


def test_coverage_lists_gaps_and_exits_1(bridge, write) -> None:
    """An hour in which the team is open and nobody is on duty, in local time, both dates included."""
    write(TWO_SOURCES)
    ran = bridge("coverage", "--from", "2026-11-26", "--to", "2026-11-28", "--json")
    assert ran.code == 1
    assert json.loads(ran.out) == {
        "gaps": [
            {"team": "front-desk", "from": "2026-11-26T17:00", "to": "2026-11-26T18:00"},
            {"team": "front-desk", "from": "2026-11-27T17:00", "to": "2026-11-27T18:00"},
        ]
    }
    assert (
        "Thu 2026-11-26 17:00 - 18:00" in bridge("coverage", "--from", "2026-11-26", "--to", "2026-11-26").out
    )


def test_coverage_without_gaps_exits_0(bridge, write) -> None:
    """Closed days are no gap."""
    write(TWO_SOURCES)
    ran = bridge("coverage", "--from", "2026-11-28", "--to", "2026-11-29", "--team", "front-desk", "--json")
    assert (ran.code, json.loads(ran.out)) == (0, {"gaps": []})


def test_coverage_reads_calendars_as_far_as_it_is_asked(bridge, write) -> None:
    """A calendar counts also years ahead of now, where a running service does not look yet."""
    path = write(SMALLEST.replace("agents: [amy]", "agents: [amy], calendar: rota.ics"))
    repeated = _calendar("amy").replace("SUMMARY", "RRULE:FREQ=DAILY\r\nSUMMARY")
    (path.parent / "rota.ics").write_text(repeated)
    ran = bridge("coverage", "--from", "2031-01-01", "--to", "2031-01-01", "--json")
    times = [(gap["from"][11:], gap["to"][11:]) for gap in json.loads(ran.out)["gaps"]]
    assert times == [("00:00", "08:00"), ("18:00", "00:00")]


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (["--from", "2026-11-28", "--to", "2026-11-27"], "is before"),
        (["--from", "2026-11-31", "--to", "2026-12-01"], "is no date"),
        (["--from", "20261128", "--to", "2026-12-01"], "write it like 2026-11-28"),
        (["--from", "2026-11-28", "--to", "2046-12-01"], "ten years"),
        (["--from", "9998-11-28", "--to", "9999-12-31"], "1970 to 2900"),
        (["--from", "2026-11-28", "--to", "2026-11-28", "--team", "chigaco"], "did you mean chicago?"),
        (
            ["--from", "2026-11-28", "--to", "2026-11-28", "--config", "nowhere.yaml"],
            "nowhere.yaml: there is no such",
        ),
        (["--from", "2026-11-28"], "--to"),
    ],
)
def test_coverage_refuses_wrong_use(bridge, args: list[str], words: str) -> None:
    """Wrong dates and names are wrong use, said in a sentence."""
    ran = bridge("coverage", *(args if "--config" in args else ["--config", EXAMPLE_CHAIN, *args]))
    assert (ran.code, ran.out) == (2, "")
    assert words in ran.err
