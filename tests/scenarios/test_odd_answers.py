"""Agents' answers in forms that are not just words."""

from __future__ import annotations

from bridge.simulator import Simulator, World
from bridge.stages.markup import safe_html
from tests.harness import AMY, ShiftedClock, config, eventually, running
from tests.scenarios.steps import greeted

CARD = {
    "contentType": "application/vnd.microsoft.card.adaptive",
    "content": {"type": "AdaptiveCard", "body": []},
}


async def test_a_card_alone_is_no_answer(sim: Simulator, world: World, clock: ShiftedClock) -> None:
    """It is not shown; a card with words is those words."""
    async with running(config(), sim, clock=clock) as bridge:
        ada = await greeted(bridge)
        guest = world.messages_to(AMY)[0]["personId"]
        alone, worded = world.say(AMY, guest, "x"), world.say(AMY, guest, "see the card")
        alone["attachments"] = worded["attachments"] = [CARD]
        del alone["text"]
        await eventually(lambda: _texts(ada))
        assert await _texts(ada) == ["see the card"]


async def _texts(customer: object) -> list[str]:
    items = await customer.messages()  # type: ignore[attr-defined]
    return [item["text"] for item in items if item["from"] == "agent"]


def test_headings_and_tables_do_not_stick_together() -> None:
    """What is not kept parts what it stood between."""
    assert safe_html("<h1>Two</h1><table><tr><td>a</td><td>b</td></tr><tr><td>c</td></tr></table>") == (
        "<p><strong>Two</strong></p>a b <br>c <br>"
    )
    assert safe_html("<div>one</div><div>two</div>") == "one<br>two<br>"
    assert safe_html("<details><summary>more</summary>inside</details>") == "more<br>inside"
