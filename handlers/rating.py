"""POST .../rating: one touch after the end of a conversation."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from bridge.store.ratings import Rating, rate
from handlers.customer import opened_by_key
from handlers.events import clean
from handlers.parts import PARTS
from handlers.problems import Problem, wrong_field
from handlers.reading import need_json, parse_json, read_body
from handlers.source_events import json_answer

# Contract 11: within 10 minutes of the end; the key opens nothing else by then.
_RATING_SECONDS = 600.0
_LONGEST = 2_000
_A_MINUTE = 10


async def post_rating(request: web.Request) -> web.Response:
    """Keeps a score of 1 to 5 and a comment, once, within ten minutes of the end."""
    conversation = (await opened_by_key(request)).conversation
    door = request.app[PARTS].door
    door.check_rate(f"rating:{conversation.id}", _A_MINUTE)
    need_json(request)
    score, comment = _given(parse_json(await read_body(request)))
    ended_at, now = conversation.ended_at or conversation.key_dead_at, door.clock.now()
    if ended_at is None or ended_at > now:
        raise Problem(409, "The conversation is not over yet.")
    if now - ended_at > _RATING_SECONDS:
        raise Problem(410, "A conversation can be rated within ten minutes of its end.")
    if not await door.store.do(rate, Rating(conversation.id, score, comment, now)):
        raise Problem(409, "The conversation was rated before.")
    return json_answer({"score": score})


def _given(value: Any) -> tuple[int, str | None]:
    value = value if isinstance(value, dict) else {}
    score, comment = value.get("score"), value.get("comment")
    if type(score) is not int or not 1 <= score <= 5:
        raise wrong_field("score", "must be a whole number from 1 to 5")
    if comment is not None and (not isinstance(comment, str) or len(comment) > _LONGEST):
        raise wrong_field("comment", f"must be a text of at most {_LONGEST} characters")
    try:
        return score, clean(comment).strip() or None if comment else None
    except ValueError as error:
        raise wrong_field("comment", str(error)) from None
