"""What the sender of an event is told: what came of it, in the same breath."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Any

import pytest

from bridge.simulator import Simulator, World
from tests.harness import RunningBridge, ShiftedClock, config, eventually, running

ONE_AT_A_TIME = config(agents={"amy": {"capacity": 1}})


def came(answer: Any) -> tuple[str, int | None, str | None]:
    return answer["status"], answer["queuePosition"], answer["opensAt"]


async def test_open_or_the_place_in_the_queue(sim: Simulator, world: World, database_url: str) -> None:
    """The first has the agent, the others learn their places, follow-ups and repeats the same."""
    async with running(ONE_AT_A_TIME, sim, database_url=database_url) as bridge:
        answers = {}
        for name in ("ada", "bob", "cyd"):
            _, answers[name] = await bridge.event(
                webhook_id=name, subject=name, displayName=name, message="hi"
            )
        assert [came(answers[name]) for name in ("ada", "bob", "cyd")] == [
            ("open", None, None),
            ("queued", 1, None),
            ("queued", 2, None),
        ]
        _, follow_up = await bridge.event("message.created", subject="cyd", message="still here")
        assert came(follow_up) == ("queued", 2, None)
        status, ended = await bridge.event("conversation.ended", subject="bob")
        assert (status, came(ended)) == (202, ("ended", None, None))
        for name in ("ada", "bob", "cyd"):
            status, again = await bridge.event(webhook_id=name, subject=name, displayName=name, message="hi")
            assert status == 200
            assert came(again) == came(answers[name])
        await bridge.restart()
        assert came((await bridge.event(webhook_id="cyd", subject="cyd", displayName="cyd"))[1]) == (
            "queued",
            2,
            None,
        )


async def test_a_closed_team_says_when_it_opens(sim: Simulator, clock: ShiftedClock) -> None:
    """Positions count from 1 there, too."""
    today = datetime.fromtimestamp(clock.now(), UTC)
    tomorrow = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")[(today.weekday() + 1) % 7]
    team = {"front-desk": {"timezone": "Etc/UTC", "hours": [f"{tomorrow} 12:00-13:00"], "agents": ["amy"]}}
    async with running(config(teams=team), sim, clock=clock) as bridge:
        for place, name in enumerate(("ada", "bob"), 1):
            _, answer = await bridge.event(subject=name, displayName=name, message="hi")
            assert (answer["status"], answer["queuePosition"]) == ("queued", place)
            assert answer["opensAt"].endswith("T12:00:00.000Z")


async def test_many_at_once_are_told_each_their_own(sim: Simulator) -> None:
    """Sixty together: one has the agent, the others have the places from 1 to 59, each once."""
    async with running(ONE_AT_A_TIME, sim) as bridge:
        wishes = (bridge.event(subject=f"s{n}", displayName="S", message="hi") for n in range(60))
        answers = [came(answer) for _, answer in await asyncio.gather(*wishes)]
        known = [answer for answer in answers if answer[0] != "accepted"]
        assert sum(answer[0] == "open" for answer in known) == 1
        assert len(known) >= 30
        assert all(answer[1] for answer in known if answer[0] == "queued")


async def test_a_slow_decision_is_not_waited_for(sim: Simulator, monkeypatch: pytest.MonkeyPatch) -> None:
    """What takes more than 0.2 s is `accepted`, and a repeat later says what came of it."""
    async with running(config(), sim) as bridge:
        intake = bridge.service.intake
        monkeypatch.setattr(intake, "wake", lambda: None)
        _, answer = await bridge.event(webhook_id="one", subject="ada", displayName="Ada", message="hi")
        assert came(answer) == ("accepted", None, None)
        monkeypatch.undo()
        intake.wake()
        await eventually(bridge.texts)
        status, again = await bridge.event(webhook_id="one", subject="ada", displayName="Ada", message="hi")
        assert (status, came(again)) == (200, ("open", None, None))


async def test_what_another_process_decided_is_told(sim: Simulator, postgres_url: str) -> None:
    """An event that this process stores and the other decides is answered as well."""
    async with (
        running(config(), sim, database_url=postgres_url) as one,
        running(config(), sim, database_url=postgres_url) as other,
    ):
        for number in range(12):
            bridge: RunningBridge = (one, other)[number % 2]
            _, answer = await bridge.event(subject=f"s{number}", displayName="S", message="hi")
            assert answer["status"] == "open"
