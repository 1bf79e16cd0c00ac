"""`bridge dead-letters`: what could not be delivered."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from bridge.commands.common import database, fail, misused, say
from bridge.commands.words import age, one_line

if TYPE_CHECKING:
    from bridge.store.operator.dead_letters import DeadLetter

app = typer.Typer(
    help="List, show, replay or drop what could not be delivered.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
)
Number = Annotated[int, typer.Argument(help="Its number in the list.", metavar="ID")]
Numbers = Annotated[list[int] | None, typer.Argument(help="Numbers in the list.", metavar="ID")]
Every = Annotated[bool, typer.Option("--all", help="All of them.")]
_MOST = 2**63  # what a number in the database can be
_WORDS = {
    "say": "message to the agent",
    "callback": "news for the source",
    "note": "what the bot was to say",
    "heard": "what the bot was told",
    "envelope": "event not understood",
}


@app.command("list")
def list_() -> None:
    """List them: number, age, source, conversation and reason. Message texts are not shown.

    \b
    bridge dead-letters list
    """
    from bridge.clock import SystemClock
    from bridge.store.engine.sql import time_by
    from bridge.store.operator.dead_letters import dead_letters

    count = 0
    with database() as connection:
        now = time_by(connection, SystemClock().now())
        for letter in dead_letters(connection):
            if not count:
                say(_line("ID", "AGE", "SOURCE", "CONVERSATION", "KIND", "REASON"))
            count += 1
            say(
                _line(
                    str(letter.id),
                    age(now - (letter.died_at or now)),
                    letter.source or "-",
                    letter.conversation_id,
                    letter.kind,
                    _reason(letter),
                )
            )
    if not count:
        say("There are no dead letters.")


@app.command()
def show(number: Number) -> None:
    """Show one with its content, which may hold what a customer wrote.

    \b
    bridge dead-letters show 17
    """
    from bridge.clock import SystemClock
    from bridge.store.engine.sql import time_by
    from bridge.store.operator.dead_letters import dead_letters

    with database() as connection:
        letter = next(dead_letters(connection, number), None) if abs(number) < _MOST else None
        now = time_by(connection, SystemClock().now())
    if letter is None:
        fail(f"there is no dead letter {number}")
    died = now - (letter.died_at or 0)
    for name, value in (
        ("number", str(letter.id)),
        ("kind", f"{letter.kind} ({_WORDS.get(letter.kind, letter.kind)})"),
        ("age", age(died)),
        ("source", letter.source or "-"),
        ("conversation", f"{letter.conversation_id} ({letter.status or 'not kept any more'})"),
        ("agent", letter.agent or "-"),
        ("attempts", str(letter.attempts)),
        ("reason", one_line(letter.error or "-")),
    ):
        say(f"{name + ':':<14}{value}")
    say(f"content:\n{_pretty(letter.payload)}")


@app.command()
def replay(numbers: Numbers = None, every: Every = False) -> None:
    """Put them back to work, in order; a running service takes them up at once.

    A message is looked for at Webex first, so that none is said twice. Exits 1 when one of them is not put
    back, with the reason.

    \b
    bridge dead-letters replay 17 18
    bridge dead-letters replay --all
    """
    from bridge.store.operator import dead_letters

    sentences = {
        dead_letters.UNKNOWN: "there is no dead letter {}",
        dead_letters.MOVED_ON: "{} stays: its conversation has another agent now, who was given these words too",
    }
    _deal(dead_letters.replay, dead_letters.REPLAYED, numbers, every, sentences)


@app.command()
def drop(numbers: Numbers = None, every: Every = False) -> None:
    """Give them up for good; nothing is sent.

    \b
    bridge dead-letters drop 17
    bridge dead-letters drop --all
    """
    from bridge.store.operator import dead_letters

    sentences = {dead_letters.UNKNOWN: "there is no dead letter {}"}
    _deal(dead_letters.drop, dead_letters.DROPPED, numbers, every, sentences)


def _deal(work: Any, done: str, numbers: list[int] | None, every: bool, sentences: dict[str, str]) -> None:
    from bridge.clock import SystemClock
    from bridge.store.engine.sql import time_by
    from bridge.store.operator.dead_letters import UNKNOWN, dead_ids

    if bool(numbers) == every:
        misused("give the numbers of dead letters (bridge dead-letters list), or --all")
    with database(writes=True) as connection:
        ids = dead_ids(connection) if every else list(dict.fromkeys(numbers or ()))
        outcomes = dict.fromkeys(ids, UNKNOWN)
        now = time_by(connection, SystemClock().now())
        outcomes |= work(connection, [ident for ident in ids if abs(ident) < _MOST], now)
    count = sum(outcome == done for outcome in outcomes.values())
    say(f"{done} {count} dead letter{'' if count == 1 else 's'}")
    refused = [sentences[outcome].format(ident) for ident, outcome in outcomes.items() if outcome != done]
    if refused:
        fail("\n".join(refused))


def _line(*parts: str) -> str:
    number, died, source, conversation, kind, reason = parts
    return f"{number:>6}  {died:>6}  {source:<16}  {conversation:<24}  {kind:<8}  {reason}"


def _reason(letter: DeadLetter) -> str:
    """One line. Of an event's fault only its kind: Python's words may quote what a customer wrote."""
    reason = letter.error or "-"
    return one_line(reason.partition(":")[0] if letter.kind == "envelope" else reason)[:200]


def _pretty(payload: str) -> str:
    import json

    try:
        text = json.dumps(json.loads(payload), ensure_ascii=False, indent=2)
    except ValueError:
        text = payload
    return "\n".join(one_line(line, strip=False) for line in text.split("\n"))
