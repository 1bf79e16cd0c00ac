"""The demo on a machine that Webex cannot reach."""

from __future__ import annotations

import json
from typing import Any

import aiohttp
import pytest
from rich.console import Console

from bridge.commands import demo
from bridge.commands.timeline import Timeline
from bridge.simulator import BOT_EMAIL
from tests.harness import AMY, eventually, free_port, signed


async def test_buttons_work_without_a_public_address(monkeypatch: pytest.MonkeyPatch) -> None:
    """The bot hears by websocket: Amy's card has buttons, and her press ends the conversation."""
    whole = demo._environ
    monkeypatch.setattr(demo, "CONFIG", "webex: {bot_events: websocket, poll_seconds: 1}\n" + demo.CONFIG)
    monkeypatch.setattr(
        demo,
        "_environ",
        lambda *given: {name: value for name, value in whole(*given).items() if name != "PUBLIC_URL"},
    )
    port = free_port()
    async with demo.staged(Timeline(Console(quiet=True)), port, once=False) as stage:
        assert stage.service.bot is not None
        await eventually(lambda: stage.service.bot.socket.connected)  # type: ignore[union-attr]
        event = {
            "type": "conversation.requested",
            "data": {"subject": "ada", "displayName": "Ada", "message": "hi"},
        }
        body = json.dumps(event).encode()
        headers = signed(body, stage.secret, stage.service.clock.now())
        async with (
            aiohttp.ClientSession() as session,
            session.post(f"http://127.0.0.1:{port}/v1/events/orders", data=body, headers=headers) as answer,
        ):
            assert answer.status == 202

        def buttons() -> list[tuple[str, Any]]:
            return [
                (one["id"], action["data"])
                for one in stage.world.messages_to(AMY)
                if one["personEmail"] == BOT_EMAIL
                for card in one.get("attachments", ())
                for action in card["content"].get("actions", ())
                if action.get("data", {}).get("do") == "done"
            ]

        card, pressed = (await eventually(buttons))[0]
        stage.world.press(AMY, card, pressed)
        told = "is closed"
        await eventually(lambda: any(told in one.get("text", "") for one in stage.world.messages_to(AMY)))
