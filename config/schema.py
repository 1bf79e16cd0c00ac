"""The JSON Schema that editors use for config/*.yaml: `python -m config.schema` writes it from the models."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from config.models import Config

SHIPPED = Path(__file__).with_name("bridge.schema.json")


def schema() -> dict[str, Any]:
    """The schema of the whole configuration, JSON Schema draft 2020-12."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **_without_titles(Config.model_json_schema()),
        "title": "webex-guest-bridge configuration",
    }


def text() -> str:
    """The content of the shipped file."""
    return json.dumps(schema(), indent=2, ensure_ascii=False) + "\n"


def _without_titles(value: Any) -> Any:
    # pydantic repeats every key's name as its title, which editors would show beside the description.
    if isinstance(value, dict):
        kept = {key: item for key, item in value.items() if key != "title" or not isinstance(item, str)}
        return {key: _without_titles(item) for key, item in kept.items()}
    return [_without_titles(item) for item in value] if isinstance(value, list) else value


if __name__ == "__main__":
    SHIPPED.write_text(text(), encoding="utf-8")
