"""The part of the Adaptive Cards 1.3 schema that the bot may use, as JSON Schema; anything else is an error.

Source: https://adaptivecards.io/explorer (AdaptiveCard, TextBlock, FactSet, Input.ChoiceSet, Action.Submit).
"""

from __future__ import annotations

from typing import Any

TEXT: dict[str, Any] = {"type": "string", "minLength": 1}
SPACING = {"enum": ["default", "none", "small", "medium", "large", "extraLarge", "padding", "None", "Medium"]}


def _thing(kind: str, required: list[str], **properties: Any) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": {"type": {"const": kind}, **properties},
        "required": ["type", *required],
        "additionalProperties": False,
    }


TEXT_BLOCK = _thing(
    "TextBlock", ["text"], text=TEXT, wrap={"type": "boolean"}, isSubtle={"type": "boolean"}, spacing=SPACING,
    weight={"enum": ["Default", "Lighter", "Bolder"]}, maxLines={"type": "integer", "minimum": 1},
    size={"enum": ["Default", "Small", "Medium", "Large", "ExtraLarge"]},
)  # fmt: skip
PAIR = {
    "type": "object",
    "properties": {"title": TEXT, "value": TEXT},
    "required": ["title", "value"],
    "additionalProperties": False,
}
FACT_SET = _thing("FactSet", ["facts"], facts={"type": "array", "items": PAIR, "minItems": 1})
CHOICES = _thing(
    "Input.ChoiceSet", ["id", "choices"], id=TEXT, label=TEXT, placeholder=TEXT,
    style={"enum": ["compact", "expanded"]}, choices={"type": "array", "items": PAIR, "minItems": 1},
)  # fmt: skip
SUBMIT = _thing(
    "Action.Submit",
    ["title"],
    title=TEXT,
    data={"type": "object"},
    associatedInputs={"enum": ["auto", "none"]},
)
CARD = {
    **_thing(
        "AdaptiveCard", ["version", "body", "$schema"], version={"const": "1.3"}, fallbackText=TEXT,
        body={"type": "array", "items": {"oneOf": [TEXT_BLOCK, FACT_SET, CHOICES]}, "minItems": 1},
        actions={"type": "array", "items": SUBMIT, "minItems": 1, "maxItems": 5},
        **{"$schema": {"const": "http://adaptivecards.io/schemas/adaptive-card.json"}},
    ),
}  # fmt: skip
