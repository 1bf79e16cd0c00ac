"""What the bot shows of the desk: who is on duty, who waits, the shifts of a day. Values in, text out. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime, time, timedelta

from bridge.domain.bot.words import duration, one_line
from bridge.domain.conversation.desk import AgentState, DutyBook
from bridge.domain.conversation.model import Conversation, Said
from bridge.domain.duty.duty import team_duty
from bridge.domain.duty.roster import Team
from bridge.domain.duty.table import day_and_time
from bridge.domain.duty.windows import local, resolve, span_at
from bridge.domain.identity import reference

States = Mapping[str, AgentState]
_MOST_LINES = 40


def who(book: DutyBook, states: States, now: float, team: str | None) -> str:
    """Who is on duty and how busy, and why the others are not."""
    lines: list[str] = []
    for each in _teams(book, team):
        table = book.table(each, now)
        paused = ", takes nobody new" if each.key in book.paused else ""
        lines.append(f"{each.key}: {'open' if table.open else table.reason}{paused}")
        for key in table.members:
            name = book.roster.agents[key].name
            lines.append(f"  {name}: {table.off[key] if key in table.off else _busy(book, states, key, now)}")
    return _joined(lines)


def board(book: DutyBook, waiting: Sequence[Conversation], open_now: int, now: float) -> str:
    """A line for each team."""
    lines = []
    for team in book.roster.teams.values():
        table = book.table(team, now)
        queue = [one for one in waiting if one.team == team.key]
        longest = max((now - (one.queued_at or now) for one in queue), default=0)
        waits = f"{len(queue)} waiting, the longest {duration(longest)}" if queue else "nobody waiting"
        state = "open" if table.open else "closed"
        paused = ", paused" if team.key in book.paused else ""
        lines.append(f"{team.key}: {state}{paused}, {len(table.on_duty)} on duty, {waits}")
    return _joined([*lines, f"Open conversations: {open_now}"])


def queue(waiting: Sequence[Conversation], now: float) -> str:
    """Who waits, longest first."""
    if not waiting:
        return "Nobody is waiting."
    return _joined([f"{_line(one)}, waiting {duration(now - (one.queued_at or now))}" for one in waiting])


def mine(conversations: Sequence[Conversation], now: float) -> str:
    """An agent's own conversations, oldest first."""
    if not conversations:
        return "You have no open conversation."
    return _joined([f"{_line(one)}, {_turn(one, now)}" for one in conversations])


def status(book: DutyBook, states: States, agent: str, now: float) -> str:
    """Whether customers come to this agent, team by team."""
    lines = []
    for team in book.roster.teams.values():
        table = book.table(team, now)
        if agent not in table.members:
            continue
        if agent in table.off:
            lines.append(f"{team.key}: {table.off[agent]}")
            continue
        spans = team_duty(book.roster, team, int(now), int(now) + 2 * 86400, book.overrides).agents[agent]
        span = span_at(spans, int(now))
        here = local(now, team.timezone)
        ends = local(span[1], team.timezone) if span and span[1] < int(now) + 2 * 86400 else None
        until = f" until {day_and_time(ends, here)}" if ends else ""
        lines.append(f"{team.key}: on duty{until}, {_busy(book, states, agent, now)}")
    return _joined(lines or ["You are in no team."])


def roster(book: DutyBook, day: Mapping[str, date]) -> str:
    """The shifts of a day (by team, for zones differ), overrides included; times are the team's."""
    lines: list[str] = []
    for team in book.roster.teams.values():
        midnight = datetime.combine(day[team.key], time())
        start, end = resolve(midnight, team.timezone), resolve(midnight + timedelta(days=1), team.timezone)
        duty = team_duty(book.roster, team, start, end, book.overrides)
        lines.append(f"{team.key}, {day[team.key]:%a %d %b}: {_spans(duty.open, team, end) or 'closed'}")
        for key, spans in duty.agents.items():
            if spans:
                lines.append(f"  {book.roster.agents[key].name}: {_spans(spans, team, end)}")
        if duty.open and not any(duty.agents.values()):
            lines.append("  nobody")
    return _joined(lines)


def today(team: Team, now: float) -> date:
    return local(now, team.timezone).date()


def history(
    conversation: Conversation, said: Sequence[Said], notes: Sequence[tuple[str, str]], timezone: str
) -> str:
    """A conversation's transcript; `notes`: (who, text) that never left."""
    names = {"customer": one_line(conversation.display_name, 60), "system": "(to the customer)"}
    lines = [_line(conversation) + f", {conversation.status}"]
    for one in said:
        author = names.get(one.author) or one.agent or "agent"
        files = "".join(f" [{one_line(str(file.get('name', 'file')), 60)}]" for file in one.files)
        lines.append(f"{local(one.at, timezone):%H:%M} {author}: {one.text}{files}")
    return "\n".join([*lines, *(f"note by {email}: {text}" for email, text in notes)])


def _teams(book: DutyBook, team: str | None) -> list[Team]:
    return [book.roster.teams[team]] if team else list(book.roster.teams.values())


def _busy(book: DutyBook, states: States, key: str, now: float) -> str:
    state, capacity = states.get(key) or AgentState(key), book.roster.agents[key].capacity
    load = state.load(now)
    against = load.refused or load.absent
    most = f" of {capacity}" if capacity is not None else ""
    return f"{load.open}{most} open" + (f", but gets nobody: {against}" if against else "")


def _line(one: Conversation) -> str:
    where = [one_line(part, 40) for part in (one.team, one.store, one.topic) if part]
    return f"{reference(one.id)} {one_line(one.display_name, 60)} ({', '.join(where) or one.source})"


def _turn(one: Conversation, now: float) -> str:
    waits = one.customer_at is not None and (one.agent_at is None or one.agent_at < one.customer_at)
    if waits:
        return f"waiting for your answer for {duration(now - (one.customer_at or now))}"
    return f"open for {duration(now - (one.opened_at or now))}"


def _spans(spans: Sequence[tuple[int, int]], team: Team, end: int) -> str:
    def clock(second: int) -> str:
        return "24:00" if second == end else f"{local(second, team.timezone):%H:%M}"

    return ", ".join(f"{clock(start)}-{clock(stop)}" for start, stop in spans)


def _joined(lines: Sequence[str]) -> str:
    rest = len(lines) - _MOST_LINES
    return "\n".join(lines if rest <= 0 else [*lines[:_MOST_LINES], f"... and {rest} more"])
