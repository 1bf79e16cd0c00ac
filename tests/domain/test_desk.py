"""Who gets a customer, as the running service decides it with places taken and given."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bridge.domain.conversation.desk import AgentState, Desk, DutyBook, ask_of
from bridge.domain.conversation.model import Conversation
from bridge.domain.duty.duty import on_duty
from bridge.domain.duty.preview import preview
from bridge.domain.duty.roster import Agent, Ask, Holidays, Pick, Roster, Route, Sticky, Team, Window

NOW = 1_795_435_200.0  # Monday 2026-11-23, noon UTC


def customer(now=NOW, **values) -> Conversation:
    base = Conversation("c1", "kiosk", "cust", "ada", "Ada", "g1", "new", 1, now)
    for name, value in values.items():
        setattr(base, name, value)
    return base


def roster(*agents: Agent, **team) -> Roster:
    known = {agent.key: agent for agent in agents}
    return Roster(known, {"front": Team("front", "UTC", tuple(known), **team)}, (Route("front"),))


def agent(key, **more) -> Agent:
    return Agent(key, f"{key}@example.com", key.title(), **more)


def desk(rota: Roster, *states: AgentState) -> Desk:
    return Desk(DutyBook(rota), {state.key: state for state in states})


# --- what preview says is what happens ------------------------------------------------------------

windows = st.lists(
    st.builds(
        lambda days, start, length: Window(frozenset(days), start, start + length),
        st.sets(st.integers(0, 6), min_size=1),
        st.integers(0, 95).map(lambda n: n * 15),
        st.integers(1, 96).map(lambda n: n * 15),
    ),
    max_size=2,
).map(tuple)
zones = st.sampled_from(["America/Chicago", "Europe/London", "Australia/Lord_Howe"])
people = st.lists(
    st.tuples(
        windows,
        st.sets(st.sampled_from(["returns", "orders"]), max_size=1).map(frozenset),
        st.sets(st.sampled_from(["en", "es"]), max_size=1).map(frozenset),
    ),
    min_size=1,
    max_size=5,
)
asks = st.builds(
    Ask,
    st.just("kiosk"),
    st.sampled_from([None, "S1", "T1"]),
    st.sampled_from([None, "returns", "orders"]),
    st.sampled_from([None, "en", "es-MX"]),
)
closed = st.sets(st.sampled_from([date(2026, 10, 31), date(2026, 11, 1)]), max_size=1).map(frozenset)


@st.composite
def chains(draw) -> Roster:
    """Two teams that may overflow into one another, over agents of whom some are in both."""
    agents = {
        f"a{n}": agent(f"a{n}", shifts=shifts, skills=skills, languages=languages)
        for n, (shifts, skills, languages) in enumerate(draw(people))
    }
    keys = st.lists(st.sampled_from(sorted(agents)), unique=True).map(tuple)
    teams = {
        key: Team(
            key,
            draw(zones),
            draw(keys),
            hours=draw(windows),
            holidays=Holidays(closed=draw(closed)),
            pick=draw(st.sampled_from(list(Pick))),
            overflow=draw(st.sampled_from([(), (other,)])),
            overflow_after_seconds=draw(st.sampled_from([0, 60, 1800])),
        )
        for key, other in (("front", "back"), ("back", "front"))
    }
    return Roster(agents, teams, (Route("front", store=("S*",)), Route("back")))


def served(rota: Roster, ask: Ask, begun: datetime) -> tuple[str, float] | None:
    """(agent, seconds waited) of the running service, looking every half minute until the overflow was asked."""
    desk_ = desk(rota)
    waiting = customer(begun.timestamp(), store=ask.store, topic=ask.topic, language=ask.language)
    team = desk_.book.team_for(ask_of(waiting))
    wait = team.overflow_after_seconds if team.overflow else 0
    for seconds in range(0, int(wait) + 1, 30):
        place = desk_.place(waiting, begun.timestamp() + seconds)
        if place.agent:
            return place.agent, seconds
        waiting.status, waiting.queued_at = "queued", begun.timestamp()
    return None


@settings(max_examples=150, deadline=None)
@given(chains(), asks, st.integers(0, 3 * 96))
def test_preview_names_whom_the_service_picks(rota, ask, quarters):
    """At any time, over a changed clock and a holiday too: the same agent, at once or after the same wait."""
    begun = datetime(2026, 10, 31, tzinfo=UTC) + timedelta(minutes=15 * quarters)
    told = preview(rota, begun, ask)
    found = served(rota, ask, begun)
    assert (told.agent, told.status) == ((found[0], "open") if found else (None, "queued"))
    if found and found[1]:
        assert any(f"after {found[1]:g} seconds" in reason for reason in told.reasons)
    if found is None:
        place = desk(rota).place(
            customer(store=ask.store, topic=ask.topic, language=ask.language), begun.timestamp()
        )
        assert place.opens_at == (told.opens_at.timestamp() if told.opens_at else None)


# --- nobody off duty, nobody over capacity --------------------------------------------------------

deeds = st.lists(st.tuples(st.booleans(), st.integers(1, 4 * 3600)), min_size=1, max_size=40)


@settings(max_examples=60, deadline=None)
@given(chains(), deeds, st.lists(st.none() | st.integers(1, 2), min_size=5, max_size=5))
def test_nobody_is_chosen_off_duty_or_over_capacity(rota, what, places):
    """Customers come and go at random: each choice is of somebody on duty with a place, and counts add up."""
    limited = {
        key: agent(key, shifts=one.shifts, capacity=places[n])
        for n, (key, one) in enumerate(rota.agents.items())
    }
    rota = Roster(limited, rota.teams, rota.routes)
    desk_, now, held = desk(rota), datetime(2026, 10, 31, tzinfo=UTC).timestamp(), []
    for comes, seconds in what:
        now += seconds
        if not comes and held:
            desk_.freed(held.pop(0))
            continue
        place = desk_.place(customer(now, store="S1"), now)
        if place.agent is None:
            continue
        asked = [rota.teams["front"], *(rota.teams[key] for key in rota.teams["front"].overflow)]
        assert any(on_duty(rota, team, place.agent, datetime.fromtimestamp(now, UTC)) for team in asked)
        desk_.given(place.agent, now)
        held.append(place.agent)
        capacity = rota.agents[place.agent].capacity
        assert capacity is None or held.count(place.agent) <= capacity
        assert {key: state.open for key, state in desk_.states.items() if state.open} == Counter(held)


# --- everybody the same share ---------------------------------------------------------------------


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from(list(Pick)),
    st.integers(1, 6),
    st.lists(st.tuples(st.sampled_from([0.0, 0.0, 1.0, 600.0]), st.booleans()), min_size=1, max_size=120),
)
def test_equal_duty_is_an_equal_share(pick, number, arrivals):
    """Whoever comes when, also many in one moment: numbers given differ by one at most."""
    desk_, now, held = desk(roster(*(agent(f"a{n}") for n in range(number)), pick=pick)), NOW, []
    shares = Counter({f"a{n}": 0 for n in range(number)})
    for later, leaves in arrivals:
        now += later
        chosen = desk_.place(customer(now), now).agent
        desk_.given(chosen, now)
        shares[chosen] += 1
        held.append(chosen)
        if leaves and pick is not Pick.LEAST_BUSY:  # who is rid of customers sooner may get more of them
            desk_.freed(held.pop(0))
        assert max(shares.values()) - min(shares.values()) <= 1


@pytest.mark.parametrize("pick", [Pick.LONGEST_IDLE, Pick.ROUND_ROBIN])
def test_a_new_colleague_does_not_get_everybody_who_comes_at_once(pick):
    """Amy and Bo have had a hundred, Cy none: of six in one moment everybody gets two."""
    had = [AgentState(key, given=100, last_given_at=NOW - 9 + n) for n, key in enumerate(("amy", "bo"))]
    desk_ = desk(roster(agent("amy"), agent("bo"), agent("cy"), pick=pick), *had)
    shares = Counter()
    for _ in range(6):
        chosen = desk_.place(customer(), NOW).agent
        desk_.given(chosen, NOW)
        shares[chosen] += 1
    assert shares == {"amy": 2, "bo": 2, "cy": 2}


def test_a_clock_set_back_keeps_the_turns():
    """Times of giving only grow, so that nobody is passed over until the clock has caught up."""
    desk_ = desk(roster(agent("amy"), agent("bo")))
    chosen = []
    for moment in (NOW, NOW - 3600, NOW - 3600, NOW - 3599):
        chosen.append(desk_.place(customer(moment), moment).agent)
        desk_.given(chosen[-1], moment)
    assert chosen == ["amy", "bo", "amy", "bo"]


# --- the former agent -----------------------------------------------------------------------------


def test_nobody_waits_for_the_former_agent_after_a_silence():
    """The present agent did not answer: whoever is free gets the customer, though the former one is busy."""
    rota = roster(agent("amy", capacity=1), agent("bo"), agent("cy"), sticky=Sticky(30, 60))
    desk_ = desk(rota, AgentState("amy", open=1))
    again = customer(former_agent="amy", former_at=NOW - 60, status="open", team="front")
    assert desk_.place(again, NOW).agent is None  # a newcomer would wait
    assert desk_.place(again, NOW, excluding=["bo"], overflow_now=True).agent == "cy"


# --- who waits ------------------------------------------------------------------------------------


def test_who_waits_goes_by_the_routes_in_force():
    """The team that was chosen stands only for whom an agent has."""
    rota = Roster(
        {"amy": agent("amy"), "bo": agent("bo")},
        {"front": Team("front", "UTC", ("amy",)), "back": Team("back", "UTC", ("bo",))},
        (Route("back", topic=("returns",)), Route("front")),
    )
    waiting = customer(topic="returns", team="front", status="queued", queued_at=NOW - 5)
    assert desk(rota).place(waiting, NOW).team == "back"
    waiting.status = "open"
    assert desk(rota).place(waiting, NOW).team == "front"


def test_whom_all_had_before_is_given_to_one_of_them_rather_than_nobody():
    """Somebody else first; when nobody else is there, somebody who had the customer before."""
    rota = roster(agent("amy"), agent("bo"))
    assert desk(rota).place_again(customer(), NOW, excluding=["amy"]).agent == "bo"
    assert desk(rota).place_again(customer(), NOW, excluding=["amy", "bo"]).agent == "amy"


def test_room_is_where_somebody_on_duty_has_a_place():
    """Own room or an overflow's; not in a paused team, a full one, or a closed one."""
    agents = {key: agent(key, capacity=1) for key in ("amy", "bo")}
    teams = {
        "front": Team("front", "UTC", ("amy",), overflow=("back",)),
        "back": Team("back", "UTC", ("bo",)),
        "closed": Team("closed", "UTC", ("bo",), hours=(Window(frozenset({6}), 0, 60),)),
    }
    rota = Roster(agents, teams, (Route("front"),))
    full = AgentState("bo", open=1)
    assert desk(rota).teams_with_room(NOW) == {"front", "back"}
    assert desk(rota, full).teams_with_room(NOW) == {"front"}
    assert desk(rota, full, AgentState("amy", open=1)).teams_with_room(NOW) == set()
    paused = Desk(DutyBook(rota, paused=frozenset({"back"})), {"amy": AgentState("amy", open=1)})
    assert paused.teams_with_room(NOW) == set()
