"""Which team, and which of its agents, get a customer."""

from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bridge.domain.duty.duty import Override, on_duty
from bridge.domain.duty.roster import Agent, Ask, Pick, Roster, Route, Sticky, Team, Window
from bridge.domain.duty.routing import AgentLoad, choose, find_team, teams_to_try
from bridge.domain.duty.table import duty_table

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
EVERY_DAY = frozenset(range(7))


def agent(key, **more):
    return Agent(key, f"{key}@example.com", key.title(), **more)


def roster(*agents, **team):
    known = {one.key: one for one in agents}
    return Roster(known, {"desk": Team("desk", "UTC", tuple(known), **team)}, (Route("desk"),))


def pick(rota, ask=Ask(), load=None, **more):  # noqa: B008 - Ask is a frozen value
    return choose(rota.teams["desk"], rota, NOW, ask, load or {}, **more)


def routed(ask, **when):
    rota = replace(roster(agent("amy")), routes=(Route("desk", **when),))
    return find_team(rota, ask) is not None


@pytest.mark.parametrize(
    ("patterns", "value", "matches"),
    [
        (("S1*", "S20"), "S12", True),
        (("S1*", "S20"), "S20", True),
        (("S1*",), "AS12", False),
        (("S2",), "S20", False),
        (("S?",), "S2", True),
        (("S1*",), "s12", False),
        (("*",), None, False),
    ],
)
def test_a_pattern_is_a_glob_over_the_whole_value(patterns, value, matches):
    """Patterns match whole values, with their case, and never a field that the event lacks."""
    assert routed(Ask(store=value), store=patterns) is matches


def test_languages_are_compared_without_case():
    """A language pattern is a glob as well: `es` is not `es-MX`, `ES*` is."""
    assert routed(Ask(language="es"), language=("ES",))
    assert not routed(Ask(language="es-MX"), language=("es",))
    assert routed(Ask(language="es-MX"), language=("ES*",))
    assert routed(Ask(language="es_MX"), language=("es-MX",))
    assert routed(Ask(language="es-MX"), language=("es_*",))


def test_the_first_route_that_matches_wins():
    """Routes are asked in order, and all conditions of one must hold."""
    teams = {key: Team(key, "UTC", ()) for key in ("a", "b")}
    rota = Roster({}, teams, (Route("a", source=("kiosk",), topic=("returns",)), Route("b")))
    assert find_team(rota, Ask("kiosk", None, "returns"))[1].key == "a"
    assert find_team(rota, Ask("kiosk"))[1].key == "b"
    assert find_team(replace(rota, routes=rota.routes[:1]), Ask("kiosk")) is None


def test_whoever_was_given_nobody_yet_goes_first():
    """Longest idle: never given before longest since, and the configuration's order among equals."""
    rota = roster(agent("amy"), agent("bo"), agent("cy"))
    assert pick(rota).agent == "amy"
    assert pick(rota, load={"amy": AgentLoad(last_given_at=5)}).agent == "bo"
    given = {key: AgentLoad(last_given_at=when) for key, when in (("amy", 9), ("bo", 3), ("cy", 7))}
    assert pick(rota, load=given).agent == "bo"


def test_least_busy_counts_open_conversations():
    """Fewest open first, then the longest idle."""
    rota = roster(agent("amy"), agent("bo"), agent("cy"), pick=Pick.LEAST_BUSY)
    load = {"amy": AgentLoad(2, 1), "bo": AgentLoad(1, 9), "cy": AgentLoad(1, 8)}
    assert pick(rota, load=load).agent == "cy"


def test_round_robin_goes_on_after_the_last_one():
    """The turn is after whoever was given the last customer, also when they have gone home since."""
    rota = roster(
        agent("amy"), agent("bo", shifts=(Window(EVERY_DAY, 0, 60),)), agent("cy"), pick=Pick.ROUND_ROBIN
    )
    assert pick(rota).agent == "amy"
    assert (
        pick(rota, load={"amy": AgentLoad(last_given_at=1), "bo": AgentLoad(last_given_at=2)}).agent == "cy"
    )
    assert pick(rota, load={"cy": AgentLoad(last_given_at=3)}).agent == "amy"


@pytest.mark.parametrize(
    ("languages", "asked", "takes"),
    [
        ({"es"}, "es-MX", True),
        ({"es-MX"}, "es", True),
        ({"es-MX"}, "es-ES", False),
        ({"es"}, "est", False),
        ({"en", "es"}, "ES_mx", True),
        ({"en"}, None, True),
        (set(), "fr", True),
    ],
)
def test_an_agent_takes_the_languages_they_have(languages, asked, takes):
    """A language takes its regions; no languages takes any; a customer who names none goes to anyone."""
    rota = roster(agent("amy", languages=frozenset(languages)))
    assert (pick(rota, Ask(language=asked)).agent == "amy") is takes


@pytest.mark.parametrize(("topic", "takes"), [("returns", True), ("garden", False), (None, True)])
def test_an_agent_with_skills_takes_only_these(topic, takes):
    """Skills are the only topics taken; a customer who names no topic goes to anyone."""
    rota = roster(agent("amy", skills=frozenset({"returns"})))
    assert (pick(rota, Ask(topic=topic)).agent == "amy") is takes


def test_everyone_who_is_passed_over_has_a_reason():
    """A choice names all the others, in configuration order, with a sentence each."""
    rota = roster(
        agent("off", shifts=(Window(EVERY_DAY, 780, 840),)),
        agent("full", capacity=2),
        agent("refused"),
        agent("away"),
        agent("had"),
        agent("skilled", skills=frozenset({"garden"})),
        agent("spanish", languages=frozenset({"es"})),
        agent("amy"),
        agent("bo"),
    )
    load = {
        "full": AgentLoad(open=2),
        "refused": AgentLoad(refused="Webex does not let guests write to them"),
        "away": AgentLoad(absent="out of office"),
    }
    choice = pick(rota, Ask(topic="returns", language="en"), load, not_these=frozenset({"had"}))
    assert choice.agent == "amy"
    assert choice.reason == "on duty and not given a customer yet; of several, the first in the configuration"
    assert choice.passed_over == (
        ("off", "off duty until 13:00"),
        ("full", "busy: holds 2 of at most 2 conversations"),
        ("refused", "Webex does not let guests write to them"),
        ("away", "out of office"),
        ("had", "had this conversation before"),
        ("skilled", "takes only garden, not returns"),
        ("spanish", "speaks only es, not en"),
        ("bo", "free, but Amy has been without a new customer for longer or comes first"),
    )


def test_the_former_agent_is_preferred_while_free():
    """Sticky beats every way of picking, when it is on, the agent is on duty, and suits the customer."""
    rota = roster(agent("amy"), agent("bo", skills=frozenset({"garden"})), sticky=Sticky(30, 60))
    assert pick(rota, sticky="bo").agent == "bo"
    assert pick(rota, Ask(topic="returns"), sticky="bo").agent == "amy"
    assert pick(rota, sticky="gone").agent == "amy"
    assert pick(rota, sticky="bo", not_these=frozenset({"bo"})).agent == "amy"
    off = [Override("bo", "off", NOW, NOW + timedelta(hours=1))]
    assert pick(rota, sticky="bo", overrides=off).agent == "amy"
    assert pick(roster(agent("amy"), agent("bo")), sticky="bo").agent == "amy"


def test_a_busy_former_agent_is_waited_for_a_while():
    """On duty but full: nobody is chosen until the wait is over, then anyone is."""
    rota = roster(agent("amy"), agent("bo", capacity=1), sticky=Sticky(30, 60))
    load = {"bo": AgentLoad(open=1)}
    waiting = pick(rota, load=load, sticky="bo", waited_seconds=15)
    assert (waiting.agent, waiting.wait_for_sticky) == (None, 45)
    assert ("amy", "free, but the customer waits for Bo first") in waiting.passed_over
    later = pick(rota, load=load, sticky="bo", waited_seconds=60)
    assert (later.agent, later.wait_for_sticky) == ("amy", None)
    refused = {"bo": AgentLoad(open=1, refused="refused")}
    assert pick(rota, load=refused, sticky="bo").agent == "amy"


def test_overflow_teams_are_tried_after_the_wait_and_in_no_circle():
    """All overflow teams follow the own one at once after the wait; their own lists do not count."""
    teams = {
        "a": Team("a", "UTC", (), overflow=("b", "a", "c", "b"), overflow_after_seconds=60),
        "b": Team("b", "UTC", (), overflow=("a", "d"), overflow_after_seconds=0),
        "c": Team("c", "UTC", ()),
        "d": Team("d", "UTC", ()),
    }
    rota = Roster({}, teams, ())
    assert [team.key for team in teams_to_try(teams["a"], 59.9, rota)] == ["a"]
    assert [team.key for team in teams_to_try(teams["a"], 60, rota)] == ["a", "b", "c"]
    assert [team.key for team in teams_to_try(teams["b"], 0, rota)] == ["b", "a", "d"]


def test_a_kept_table_gives_the_same_choice():
    """Choosing from a table that is valid is choosing from the rota."""
    rota = roster(agent("amy", shifts=(Window(EVERY_DAY, 0, 60),)), agent("bo"))
    table = duty_table(rota, rota.teams["desk"], NOW)
    assert pick(rota, table=table) == pick(rota)


shifts = st.lists(
    st.builds(
        lambda days, start, length: Window(frozenset(days), start, start + length),
        st.sets(st.integers(0, 6), min_size=1),
        st.integers(0, 1439),
        st.integers(1, 1440),
    ),
    max_size=2,
).map(tuple)
people = st.lists(st.tuples(shifts, st.none() | st.integers(1, 2)), min_size=1, max_size=5)


@settings(max_examples=60)
@given(people, st.sampled_from(Pick), st.lists(st.tuples(st.integers(0, 600), st.booleans()), max_size=25))
def test_nobody_is_chosen_outside_duty_or_over_capacity(people, way, customers):
    """Over any rota and any stream of customers, whoever is chosen is on duty and has room."""
    agents = [agent(f"a{n}", shifts=mine, capacity=most) for n, (mine, most) in enumerate(people)]
    rota = roster(*agents, pick=way)
    team, now, load = rota.teams["desk"], NOW, {}
    for minutes, ends in customers:
        now += timedelta(minutes=minutes)
        choice = choose(team, rota, now, Ask(), load)
        fit = [
            one.key
            for one in agents
            if on_duty(rota, team, one.key, now)
            and (one.capacity is None or load.get(one.key, AgentLoad()).open < one.capacity)
        ]
        assert choice.agent in fit if fit else choice.agent is None
        assert {choice.agent, *(key for key, _ in choice.passed_over)} - {None} == set(rota.agents)
        if choice.agent:
            before = load.get(choice.agent, AgentLoad())
            load[choice.agent] = AgentLoad(before.open + (not ends), now.timestamp(), before.given + 1)


@settings(max_examples=30)
@given(st.integers(1, 7), st.integers(0, 40), st.sampled_from(Pick), st.booleans())
def test_equal_duty_means_equal_shares(people, customers, way, frozen):
    """With equal duty shares differ by at most one, however picked, also if the clock stands still."""
    rota = roster(*(agent(f"a{n}") for n in range(people)), pick=way)
    load, shares = {key: AgentLoad() for key in rota.agents}, Counter(dict.fromkeys(rota.agents, 0))
    table = duty_table(rota, rota.teams["desk"], NOW)
    for number in range(customers):
        key = choose(rota.teams["desk"], rota, NOW, Ask(), load, table=table).agent
        shares[key] += 1
        load[key] = AgentLoad(0, 0.0 if frozen else number, shares[key])
        assert max(shares.values()) - min(shares.values()) <= 1
