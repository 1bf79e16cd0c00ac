"""The context card as Webex wants it: built with Cisco's models, completed to schema 1.3 where they lack.

Sources: https://developer.webex.com/docs/buttons-and-cards, https://adaptivecards.io/explorer (1.3:
`label` of inputs, `associatedInputs` of Action.Submit).
"""

from __future__ import annotations

from typing import Any

from webexteamssdk.models.cards import AdaptiveCard, Choice, Choices, Fact, FactSet, TextBlock
from webexteamssdk.models.cards.actions import Submit

from bridge.domain.bot.card import Context, escaped

CONTENT_TYPE = "application/vnd.microsoft.card.adaptive"
VERSION = "1.3"
_TO = "to"


def attachment(card: Context, buttons: bool) -> dict[str, Any]:
    """What goes into `attachments` of POST /messages. `buttons`: whether anybody would hear of a press."""
    body: list[Any] = [
        TextBlock(escaped(card.title), weight="Bolder", size="Medium", wrap=True),
        TextBlock(escaped(card.lead), isSubtle=True, wrap=True, spacing="None"),
    ]
    if card.handed:
        body.append(TextBlock(escaped(card.handed), wrap=True))
    if card.facts:
        body.append(FactSet([Fact(escaped(title), escaped(value)) for title, value in card.facts]))
    body += [TextBlock(escaped(words), wrap=True, maxLines=4, isSubtle=True) for words in card.last]
    hands_over = buttons and bool(card.choices)
    if hands_over:
        body.append(Choices([Choice(title, value) for title, value in card.choices], _TO, style="compact"))
    actions = _actions(card.conversation_id, hands_over) if buttons else None
    content = AdaptiveCard(body, actions, fallbackText=card.title).to_dict()
    return {"contentType": CONTENT_TYPE, "content": _completed(content)}


def _actions(conversation_id: str, hands_over: bool) -> list[Submit]:
    wanted = [("done", "Done"), ("transfer", "Transfer"), ("not-me", "Not me"), ("away", "Away")]
    return [
        Submit({"do": do, "conversation": conversation_id}, title)
        for do, title in wanted
        if do != "transfer" or hands_over
    ]


def _completed(content: dict[str, Any]) -> dict[str, Any]:
    """What the SDK's models, which stop at schema 1.1, cannot say."""
    content["version"] = VERSION
    for part in content["body"]:
        if part["type"] == "Input.ChoiceSet":
            part |= {"label": "Hand over to", "placeholder": "Somebody on duty now"}
    for action in content.get("actions", ()):
        action["associatedInputs"] = "auto" if action["data"]["do"] == "transfer" else "none"
    return content
