from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest

from bridge.domain.duty.roster import DatedWindow, Holidays, Pick, Route, Sticky, Window
from config.load import Loaded, fingerprint, load
from config.problems import ConfigError, Problem
from config.roster import name_from_email
from tests.config.conftest import ENVIRON, MINIMAL, SECRET

WHOLE = """\
webex:
  guests: service-app
  reissue_at: 0.8
  token_budget: 700
  replies: auto
  poll_seconds: 2
sources:
  kiosk:
    auth: {scheme: standard-webhooks, secrets: [env:KIOSK_SECRET, env:KIOSK_SECRET_OLD]}
    idle_minutes: 5
    namespace: kiosk
    rename: new-guest
    callback: {url: https://forms.example.com/hook, secret: env:FORMS_HOOK_SECRET, allow_private: false}
    share_guest_token: false
    origins: []
    rate_per_minute: 0
    files: {max_mb: 20, types: [image/*, application/pdf]}
    map: {}
  lobby-page:
    auth: {scheme: page}
    origins: [https://shop.example.com]
agents:
  amy: {email: amy@example.com, name: Amy Chen, skills: [returns], languages: [en, es], capacity: 4,
        shifts: ["mon-fri 09:00-13:00", "sat 22:00-02:00"]}
  bo: {email: bo@example.com}
teams:
  front-desk:
    timezone: America/Chicago
    hours: ["mon-fri 09:00-18:00", "sat 10:00-02:00"]
    holidays: {country: US, subdivision: IL, closed: [2026-12-24], open: ["2026-12-25 10:00-12:00"]}
    agents: [amy, bo]
    leads: [kim@example.com]
    pick: longest-idle
    sticky: {days: 30, wait_seconds: 60}
    answer_within_seconds: 120
    overflow: [back-office]
    overflow_after_seconds: 60
    alert_after_seconds: 300
    calendar: rota.ics
  back-office: {timezone: America/New_York, agents: [bo]}
routes:
  - when: {source: kiosk, store: ["S1*", S20], topic: [returns], language: [es]}
    team: front-desk
  - team: back-office
messages:
  en: {queued: "...", closed: "We open again {opens_at}.", ended: "..."}
privacy:
  mask: [card-number]
  keep_days: 30
"""


def test_the_smallest_configuration_loads_with_the_documented_defaults(read: Callable[..., Loaded]) -> None:
    """Four sections are enough; all else has a default."""
    loaded = read()
    config, team = loaded.config, loaded.roster.teams["front-desk"]
    assert loaded.warnings == ()
    assert (config.webex.guests, config.webex.reissue_at, config.webex.token_budget) == (
        "service-app",
        0.8,
        700,
    )
    assert (config.webex.replies, config.webex.poll_seconds) == ("auto", 2)
    kiosk = config.sources["kiosk"]
    assert [secret.get_secret_value() for secret in kiosk.auth.secrets] == [SECRET]
    assert (kiosk.idle_minutes, kiosk.rename, kiosk.share_guest_token, kiosk.rate_per_minute) == (
        30,
        "new-guest",
        False,
        0,
    )
    assert (kiosk.files.max_mb, kiosk.files.types) == (20, ("image/*", "application/pdf"))
    assert (kiosk.callback, kiosk.origins, kiosk.map) == (None, (), {})
    assert config.namespace("kiosk") == "kiosk"
    assert (config.privacy.mask, config.privacy.keep_days) == ((), 30)
    assert team.pick is Pick.LONGEST_IDLE
    assert (team.sticky.days, team.answer_within_seconds) == (0, 0)
    assert (team.overflow_after_seconds, team.alert_after_seconds) == (60, 300)
    assert loaded.roster.agents["amy"].capacity is None
    assert loaded.roster.routes == (Route("front-desk"),)


def test_the_whole_configuration_becomes_the_roster(tmp_path: Path) -> None:
    """Every setting about agents, teams and routes reaches the decisions."""
    (tmp_path / "rota.ics").touch()
    (tmp_path / "bridge.yaml").write_text(WHOLE)
    loaded = load(tmp_path / "bridge.yaml", ENVIRON)
    team, amy = loaded.roster.teams["front-desk"], loaded.roster.agents["amy"]
    assert loaded.warnings == ()
    assert amy.shifts == (Window(frozenset(range(5)), 540, 780), Window(frozenset({5}), 1320, 1560))
    assert (amy.name, amy.skills, amy.languages, amy.capacity) == (
        "Amy Chen",
        frozenset({"returns"}),
        frozenset({"en", "es"}),
        4,
    )
    assert loaded.roster.agents["bo"].name == "Bo"
    assert team.hours[1] == Window(frozenset({5}), 600, 1560)
    assert team.holidays == Holidays(
        "US", "IL", frozenset({date(2026, 12, 24)}), (DatedWindow(date(2026, 12, 25), 600, 720),)
    )
    assert (team.agents, team.leads, team.overflow) == (("amy", "bo"), ("kim@example.com",), ("back-office",))
    assert (team.sticky, team.answer_within_seconds) == (Sticky(30, 60), 120)
    assert (team.calendar, team.shifts) == (str(tmp_path / "rota.ics"), None)
    assert loaded.calendars == (tmp_path / "rota.ics",)
    assert loaded.roster.routes[0] == Route("front-desk", ("kiosk",), ("S1*", "S20"), ("returns",), ("es",))
    assert loaded.config.messages["en"].closed == "We open again {opens_at}."


def test_values_stay_what_the_lead_wrote(read: Callable[..., Loaded]) -> None:
    """Numbers with leading zeros, times, dates and the language no are not turned into something else."""
    loaded = read(
        MINIMAL,
        (
            "{email: amy@example.com}",
            "{email: amy@example.com, languages: [no], skills: [2026-12-24, on, 012]}",
        ),
        ("  - team", "  - when: {store: [0012, 12:30, 1e3, true], topic: 0x1F}\n    team"),
    )
    assert loaded.roster.agents["amy"].languages == frozenset({"no"})
    assert loaded.roster.agents["amy"].skills == frozenset({"2026-12-24", "on", "012"})
    assert loaded.roster.routes[0].store == ("0012", "12:30", "1e3", "true")
    assert loaded.roster.routes[0].topic == ("0x1F",)


def test_a_single_value_stands_for_a_list_of_one(read: Callable[..., Loaded]) -> None:
    """Brackets may be forgotten."""
    loaded = read(
        MINIMAL, ("agents: [amy]", "agents: amy, hours: mon-fri 09:00-18:00, leads: kim@example.com")
    )
    team = loaded.roster.teams["front-desk"]
    assert (team.agents, len(team.hours), team.leads) == (("amy",), 1, ("kim@example.com",))


def test_a_key_without_a_value_counts_as_not_written(read: Callable[..., Loaded]) -> None:
    """A list whose items are commented out does no harm."""
    loaded = read(MINIMAL + "webex:\nmessages:\nprivacy:\n  mask:\n  # - email\n")
    assert loaded.config.privacy.mask == ()


@pytest.mark.parametrize("written", ["off", "no", "false"])
def test_sticky_may_be_switched_off_by_name(read: Callable[..., Loaded], written: str) -> None:
    """`sticky: off` is what the reference calls the default."""
    assert (
        read(MINIMAL, ("agents: [amy]", f"agents: [amy], sticky: {written}"))
        .config.teams["front-desk"]
        .sticky
        is None
    )


def test_small_numbers_are_legal(read: Callable[..., Loaded]) -> None:
    """Short times serve trials and tests."""
    loaded = read(
        MINIMAL + "webex: {poll_seconds: 1, token_budget: 1, reissue_at: 0.01}\n",
        ("secrets: [env:KIOSK_SECRET]}", "secrets: [env:KIOSK_SECRET]}\n    idle_minutes: 0.1"),
        ("agents: [amy]", "agents: [amy], answer_within_seconds: 0.5, overflow_after_seconds: 0"),
    )
    assert loaded.config.sources["kiosk"].idle_minutes == 0.1
    assert loaded.roster.teams["front-desk"].answer_within_seconds == 0.5


def test_a_problem_names_file_line_place_fault_and_remedy(faults: Callable[..., dict[str, Problem]]) -> None:
    """One line tells a lead where to look and what to write."""
    found = faults(MINIMAL, ("timezone: Europe/London", "timezone: Europe/Londn"))
    problem = found["teams.front-desk.timezone"]
    assert (problem.line, problem.column) == (7, 16)
    assert str(problem).endswith(
        "bridge.yaml:7: teams.front-desk.timezone: 'Europe/Londn' is not a time zone. Try: Europe/London"
    )


@pytest.mark.parametrize(
    ("email", "name"),
    [
        ("amy@example.com", "Amy"),
        ("amy.chen+desk@example.com", "Amy Chen"),
        ("amy_o-hara@example.com", "Amy O Hara"),
        ("+@example.com", "+@example.com"),
    ],
)
def test_an_agent_without_a_name_is_called_by_the_address(email: str, name: str) -> None:
    """The local part, without a tag, each word with a capital."""
    assert name_from_email(email) == name


def test_offline_needs_no_environment(tmp_path: Path) -> None:
    """preview and coverage work on a lead's own machine, which has no secrets."""
    (tmp_path / "bridge.yaml").write_text(MINIMAL + "webex: {guests: personal-token}\n")
    with pytest.raises(ConfigError) as caught:
        load(tmp_path, {})
    assert [problem.where for problem in caught.value.problems] == [
        "sources.kiosk.auth.secrets[0]",
        "webex.guests",
    ]
    loaded = load(tmp_path, {}, offline=True)
    assert loaded.config.sources["kiosk"].auth.secrets[0].get_secret_value() == ""


def test_a_personal_token_is_for_development(tmp_path: Path) -> None:
    """What is for development only is refused in production."""
    (tmp_path / "bridge.yaml").write_text(MINIMAL + "webex: {guests: personal-token}\n")
    assert load(tmp_path, {**ENVIRON, "BRIDGE_ENV": "development"}).config.webex.guests == "personal-token"
    with pytest.raises(ConfigError, match="development only"):
        load(tmp_path, ENVIRON)


def test_secrets_may_come_from_files_and_are_never_printed(tmp_path: Path) -> None:
    """env:NAME honours NAME_FILE, and neither the models nor the problems show the value."""
    (tmp_path / "secret").write_text(f"{SECRET}\n")
    (tmp_path / "bridge.yaml").write_text(MINIMAL)
    loaded = load(tmp_path / "bridge.yaml", {"KIOSK_SECRET_FILE": str(tmp_path / "secret")})
    assert loaded.config.sources["kiosk"].auth.secrets[0].get_secret_value() == SECRET
    assert SECRET not in repr(loaded)


def test_the_fingerprint_changes_with_the_content_and_with_nothing_else(tmp_path: Path) -> None:
    """A reload is due when a file or a calendar has other content, also when it was replaced by rename."""
    file, calendar = tmp_path / "bridge.yaml", tmp_path / "rota.ics"
    file.write_text(WHOLE)
    calendar.write_text("one")
    loaded = load(file, ENVIRON)
    assert fingerprint(file, loaded.calendars) == loaded.fingerprint == load(file, ENVIRON).fingerprint
    file.touch()
    assert fingerprint(file, loaded.calendars) == loaded.fingerprint
    calendar.write_text("two")
    assert fingerprint(file, loaded.calendars) != loaded.fingerprint
    calendar.unlink()
    assert fingerprint(file, loaded.calendars) != loaded.fingerprint
    (tmp_path / "new").write_text(WHOLE + "# changed\n")
    (tmp_path / "new").rename(file)
    assert fingerprint(file, loaded.calendars) != loaded.fingerprint
    file.unlink()
    assert fingerprint(file, loaded.calendars) == "unreadable"
