from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given

from bridge.domain.duty.roster import Window
from config.effects import WITHOUT_EFFECT
from config.lint import overlap
from config.load import Loaded
from tests.config.conftest import MINIMAL
from tests.config.test_windows import windows

AGENT, TEAM, ROUTE = "{email: amy@example.com}", "agents: [amy]", "  - team: front-desk"


@pytest.mark.parametrize(
    ("change", "where", "said"),
    [
        ((AGENT, AGENT + "\n  bo: {email: bo@example.com}"), "agents.bo", "in no team"),
        ((TEAM + "}", TEAM + "}\n  x: {timezone: UTC}"), "teams.x", "no"),
        ((TEAM + "}", TEAM + "}\n  x: {timezone: UTC, agents: amy}"), "teams.x", "no route"),
        ((ROUTE, ROUTE + "\n" + ROUTE), "routes[1]", "routes[0]"),
        ((ROUTE, ROUTE + "\n  - {when: {store: S1}, team: front-desk}"), "routes[1]", "never match"),
        ((ROUTE, "  - {when: {store: S1}, team: front-desk}"), "routes[0]", "reaches nobody"),
        ((ROUTE, "  - {when: {language: de}, team: front-desk}\n" + ROUTE), "", ""),
        (("timezone: Europe/London", "timezone: EST"), "teams.front-desk.timezone", "no summer time"),
        ((AGENT, "{email: a@b.de, shifts: [sat 09:00-12:00]}"), "", ""),
        ((AGENT, "{email: аmy@example.com}"), "agents.amy.email", "cyrillic small letter a"),
        ((AGENT, "{email: a@b.de, shifts: ['mon 00:00-23:59']}"), "agents.amy.shifts[0]", "minute before"),
        (("timezone: Europe/London", "timezone: Etc/GMT+5"), "teams.front-desk.timezone", "behind UTC"),
        (
            (AGENT + "\n", "{email: a@b.de, shifts: [sat 09:00-12:00]}\n  bo: {email: bo@b.de}\n"),
            "agents.bo",
            "in no team",
        ),
        (
            (ROUTE, "  - {when: {store: S1-S99}, team: front-desk}\n" + ROUTE),
            "routes[0].when.store[0]",
            "no range",
        ),
        (
            (TEAM, TEAM + ", coverage: [{at_least: 2}]"),
            "teams.front-desk.coverage[0]",
            "only 1 of its agents",
        ),
        (("routes:", "messages: {en: {closed: 'Back {opens_at'}}\nroutes:"), "messages.en.closed", "a brace"),
        (
            ("routes:", "messages: {en: {closed: '{{team}} is closed'}}\nroutes:"),
            "messages.en.closed",
            "a brace",
        ),
        (("routes:", "messages: {sv: {ended: Slut.}}\nroutes:"), "messages.sv", "read in English"),
        (("routes:", "messages: {de-AT: {ended: Ende.}}\nroutes:"), "", ""),
    ],
)
def test_what_is_probably_not_meant_is_warned_of(
    read: Callable[..., Loaded], change: tuple[str, str], where: str, said: str
) -> None:
    """A warning names its place and does not keep the configuration from loading."""
    warnings = read(MINIMAL, change).warnings
    assert {(problem.severity, problem.where) for problem in warnings} == (
        {("warning", where)} if where else set()
    )
    assert all(said in problem.message and problem.line for problem in warnings)


@pytest.mark.parametrize(
    ("earlier", "later", "shadowed"),
    [
        ("{store: 'S*'}", "{store: S1}", True),
        ("{store: 'S*'}", "{store: [S1, 'S*']}", True),
        ("{store: 'S*'}", "{store: [S1, T1]}", False),
        ("{store: 'S*'}", "{store: 'S1*'}", False),
        ("{store: '*'}", "{store: 'S1*'}", True),
        ("{store: '*'}", "{topic: x}", False),
        ("{store: S1}", "{store: S1, topic: x}", True),
        ("{store: S1, topic: x}", "{store: S1}", False),
        ("{store: '[S]1'}", "{store: S1}", True),
    ],
)
def test_a_route_behind_a_wider_one_can_never_match(
    read: Callable[..., Loaded], earlier: str, later: str, shadowed: bool
) -> None:
    """Only what is certain is warned of."""
    routes = f"  - {{when: {earlier}, team: front-desk}}\n  - {{when: {later}, team: front-desk}}\n{ROUTE}"
    assert [item.where for item in read(MINIMAL, (ROUTE, routes)).warnings] == (
        ["routes[1]"] if shadowed else []
    )


@pytest.mark.parametrize(
    ("hours", "shift", "covered"),
    [
        ("mon-fri 09:00-18:00", "sat 09:00-12:00", False),
        ("mon-fri 09:00-18:00", "fri 17:59-20:00", True),
        ("mon-fri 09:00-18:00", "fri 18:00-20:00", False),
        ("mon 00:00-02:00", "sun 22:00-01:00", True),
        ("sun 22:00-01:00", "mon 00:30-02:00", True),
    ],
)
def test_a_team_whose_shifts_never_meet_its_hours_is_warned_of(
    read: Callable[..., Loaded], hours: str, shift: str, covered: bool
) -> None:
    """Windows are half-open, and Sunday night reaches into Monday."""
    changes = ((AGENT, f"{{email: a@b.de, shifts: {shift}}}"), (TEAM, f"{TEAM}, hours: {hours}"))
    assert bool(read(MINIMAL, *changes).warnings) is not covered


def test_a_route_nobody_can_serve_is_warned_of(read: Callable[..., Loaded]) -> None:
    """A topic or language that no agent of the team takes would wait for ever."""
    routes = "  - {when: {topic: [repair, returns], language: [es, fr]}, team: front-desk}\n" + ROUTE
    agent = (AGENT, "{email: a@b.de, skills: returns, languages: [en, es]}")
    warnings = read(MINIMAL, agent, (ROUTE, routes)).warnings
    assert [item.where for item in warnings] == ["routes[0].when.topic[0]", "routes[0].when.language[1]"]


@given(windows(), windows())
def test_windows_overlap_exactly_when_they_share_a_minute(first: Window, second: Window) -> None:
    """Compared with a count of every minute of the week."""

    def minutes(window: Window) -> set[int]:
        return {
            (day * 1440 + minute) % 10080 for day in window.days for minute in range(window.start, window.end)
        }

    assert overlap([first], [second]) is bool(minutes(first) & minutes(second))


def test_a_part_without_effect_is_warned_of_where_it_is_used(
    read: Callable[..., Loaded], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing in the file does nothing in silence."""
    monkeypatch.setitem(WITHOUT_EFFECT, "teams.*.sticky", "sticky agents come later")
    monkeypatch.setitem(WITHOUT_EFFECT, "routes.*.when.language", "languages come later")
    assert read().warnings == ()
    warnings = read(
        MINIMAL,
        (TEAM, f"{TEAM}, sticky: {{days: 3}}"),
        (ROUTE, "  - {when: {language: de}, team: front-desk}\n" + ROUTE),
    ).warnings
    assert [(item.where, item.message, item.line) for item in warnings] == [
        ("teams.front-desk.sticky", "sticky agents come later", 7),
        ("routes[0].when.language", "languages come later", 9),
    ]


def test_one_agent_who_never_works_is_warned_of(read: Callable[..., Loaded]) -> None:
    """Also where somebody else covers the team."""
    agents = "{email: a@b.de}\n  bo: {email: bo@b.de, shifts: [sun 09:00-12:00]}"
    team = "agents: [amy, bo], hours: ['mon-fri 09:00-17:00']"
    (warning,) = read(MINIMAL, (AGENT, agents), (TEAM, team)).warnings
    assert (warning.where, "never meet" in warning.message) == ("teams.front-desk.agents[1]", True)


def test_reopened_hours_in_which_nobody_can_work_are_warned_of(read: Callable[..., Loaded]) -> None:
    """Weekly shifts do not count on a closed day."""
    days = "holidays: {closed: [2026-12-24..2026-12-26], open: ['2026-12-24 09:00-12:00', '2026-12-27 09:00-12:00']}"
    shifts = "{email: a@b.de, shifts: [daily 09:00-12:00]}"
    (warning,) = read(MINIMAL, (AGENT, shifts), (TEAM, f"{TEAM}, {days}")).warnings
    assert warning.where == "teams.front-desk.holidays.open[0]"
    assert read(MINIMAL, (TEAM, f"{TEAM}, {days}")).warnings == ()


def test_a_skill_that_was_mistyped_is_warned_of(read: Callable[..., Loaded]) -> None:
    """One that resembles a topic of a route; others are the sources' affair."""
    routes = "  - {when: {topic: returns}, team: front-desk}\n" + ROUTE
    (warning,) = read(
        MINIMAL, (AGENT, "{email: a@b.de, skills: [retruns, returns, orders]}"), (ROUTE, routes)
    ).warnings
    assert warning.where == "agents.amy.skills[0]"
    assert "returns" in str(warning)
