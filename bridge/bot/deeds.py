"""What a command or a pressed button does: looks at the store, gives Effects. It writes nothing itself."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from bridge.domain.bot import views
from bridge.domain.bot.commands import Asker, Command, Refusal, help_text, parse
from bridge.domain.bot.times import day_meant, ends_at
from bridge.domain.bot.words import one_line
from bridge.domain.conversation.desk import DutyBook
from bridge.domain.conversation.masking import Masks, mask, masked, masked_words
from bridge.domain.conversation.model import Conversation
from bridge.domain.conversation.splitting import split_text
from bridge.domain.duty.localtime import LocalTimeError, resolve_local
from bridge.domain.duty.preview import preview, render_preview
from bridge.domain.duty.roster import Ask, Roster, Team
from bridge.domain.duty.routing import find_team
from bridge.domain.duty.table import day_and_time
from bridge.domain.duty.windows import local
from bridge.domain.identity import reference
from bridge.ports import Clock
from bridge.store import bot_reads
from bridge.store.bot import Effects, Saying, Wish
from bridge.store.overrides import NO_END, Change, Deed, Lift
from bridge.store.reads import transcript
from bridge.store.store import Store

OFF_SECONDS = 12 * 3600.0  # 'off' and 'on' without an end: nobody is forgotten for ever
_HISTORY = 200
_BUTTONS = ("done", "transfer", "not-me", "away")

Doer = Callable[[Command, Asker], Awaitable[Effects]]


class Deeds:
    """`roster()` gives the configuration in force, `masks(source)` what is hidden of its customers' words."""

    def __init__(self, store: Store, clock: Clock, roster: Callable[[], Roster], masks: Masks) -> None:
        self._store = store
        self._masks = masks
        self._clock = clock
        self._roster = roster
        self._doers: dict[str, Doer] = {
            "help": self._help, "on": self._on, "off": self._off, "status": self._status, "mine": self._mine,
            "done": self._done, "transfer": self._transfer, "assign": self._transfer, "history": self._history,
            "board": self._board, "queue": self._queue, "who": self._who, "roster": self._shifts,
            "cover": self._cover, "pause": self._pause, "resume": self._resume, "preview": self._preview,
        }  # fmt: skip

    def asker(self, emails: tuple[str, ...]) -> Asker | None:
        """Who this is in the configuration; None for a stranger."""
        roster, known = self._roster(), {email.casefold() for email in emails}
        agent = next((one for one in roster.agents.values() if one.email.casefold() in known), None)
        leads = (lead for team in roster.teams.values() for lead in team.leads)
        lead = next((one for one in leads if one.casefold() in known), None)
        if agent is None and lead is None:
            return None
        return Asker(agent.email if agent else lead or "", agent.key if agent else None, lead is not None)

    async def command(self, text: str, asker: Asker) -> Effects:
        """Does what was said; whatever it was, there is an answer and a line in the audit."""
        parsed = parse(text, asker, self._roster())
        if isinstance(parsed, Refusal):
            return self._refused(asker, "not understood", parsed.text)
        return await self._do(parsed, asker)

    async def press(self, inputs: Mapping[str, Any], asker: Asker) -> Effects | None:
        """Does what a card's button says; None where its conversation is not with whoever pressed it."""
        do, to = inputs.get("do"), inputs.get("to")
        found = await self._store.read(bot_reads.by_id, str(inputs.get("conversation", "")))
        if found is None or do not in _BUTTONS or found.status != "open" or found.agent != asker.agent:
            return None
        if do == "transfer":
            if not isinstance(to, str) or not to:
                return self._refused(asker, "press transfer", "Choose somebody on the card first.")
            return self._hand_over(Command("transfer", to=to), asker, found)
        if do == "done":
            return self._close(Command("done"), asker, found)
        handed = self._hand_over(Command("not-me"), asker, found)
        if do == "not-me":
            return handed
        away = await self._off(Command("off", agent=asker.agent), asker)
        return replace(away, wishes=handed.wishes)

    async def stale(self, inputs: Mapping[str, Any], asker: Asker) -> Effects:
        """The polite answer to a press that came too late."""
        found = await self._store.read(bot_reads.by_id, str(inputs.get("conversation", "")))
        mine = found if found and asker.agent in (found.agent, *json.loads(found.tried)) else None
        who = self._customer(mine) if mine else "the customer"
        late = f"That card is out of date: {who} is no longer with you, so nothing was done."
        return self._refused(asker, "press", late)

    async def _do(self, command: Command, asker: Asker) -> Effects:
        try:
            return await self._doers[command.word](command, asker)
        except LocalTimeError as error:
            return self._refused(asker, str(command), str(error))
        except OverflowError:
            return self._refused(asker, str(command), "That time is too far away.")

    # answers

    def _said(self, asker: Asker, what: object, text: str, outcome: str = "done", about: str = "") -> Effects:
        says = tuple(Saying(asker.email, part, about) for part in split_text(text))
        return Effects(says, deeds=(Deed(self._clock.now(), asker.email, str(what), outcome),))

    def _refused(self, asker: Asker, what: str, text: str) -> Effects:
        return self._said(asker, what, text, "refused")

    async def _book(self) -> tuple[DutyBook, bot_reads.Desk, float]:
        now = self._clock.now()
        desk = await self._store.read(bot_reads.desk, now)
        return DutyBook(self._roster(), desk.overrides.agents, desk.overrides.paused), desk, now

    async def _help(self, command: Command, asker: Asker) -> Effects:
        return self._said(asker, command, help_text(asker))

    async def _status(self, command: Command, asker: Asker) -> Effects:
        if asker.agent is None:
            return await self._board(command, asker)
        book, desk, now = await self._book()
        return self._said(asker, command, views.status(book, desk.states, asker.agent, now))

    async def _mine(self, command: Command, asker: Asker) -> Effects:
        conversations = self._shown(await self._store.read(bot_reads.of_agent, asker.agent or ""))
        return self._said(asker, command, views.mine(conversations, self._clock.now()))

    async def _board(self, command: Command, asker: Asker) -> Effects:
        book, _, now = await self._book()
        waiting = await self._store.read(bot_reads.in_queue)
        number = await self._store.read(bot_reads.open_count)
        return self._said(asker, command, views.board(book, waiting, number, now))

    async def _queue(self, command: Command, asker: Asker) -> Effects:
        waiting = self._shown(await self._store.read(bot_reads.in_queue))
        return self._said(asker, command, views.queue(waiting, self._clock.now()))

    async def _who(self, command: Command, asker: Asker) -> Effects:
        book, desk, now = await self._book()
        return self._said(asker, command, views.who(book, desk.states, now, command.team))

    async def _shifts(self, command: Command, asker: Asker) -> Effects:
        book, _, now = await self._book()
        days = {
            key: day_meant(command.day, views.today(team, now)) for key, team in book.roster.teams.items()
        }
        meant = {key: day for key, day in days.items() if day}
        if len(meant) < len(days):
            return self._refused(asker, "roster", "Write it like this: roster, roster sat, roster 2026-11-28")
        return self._said(asker, command, views.roster(book, meant))

    async def _preview(self, command: Command, asker: Asker) -> Effects:
        ask, roster = command.ask, self._roster()
        wanted = Ask(ask.get("source"), ask.get("store"), ask.get("topic"), ask.get("language"))
        found = find_team(roster, wanted)
        zone, now = found[1].timezone if found else "UTC", self._clock.now()
        moment = datetime.fromtimestamp(now, UTC)
        if "at" in ask:
            at = f"{local(now, zone):%Y-%m-%d}T{ask['at']:0>5}" if len(ask["at"]) <= 5 else ask["at"]
            moment = resolve_local(at, zone)
        return self._said(asker, command, render_preview(preview(roster, moment, wanted, ask.get("subject"))))

    # duty

    async def _off(self, command: Command, asker: Asker) -> Effects:
        agent, team = command.agent or "", self._team_of(command.agent)
        now = self._clock.now()
        until = ends_at(command.end, team.timezone, now) if command.end else now + OFF_SECONDS
        held = await self._store.read(bot_reads.of_agent, agent)
        what = (
            f"off until {self._time(until, team)}"
            if command.end
            else f"off until {'you say' if agent == asker.agent else 'somebody says'} on"
        )
        left = f" {len(held)} open: {', '.join(reference(one.id) for one in held[:20])}." if held else ""
        return self._changed(
            command, asker, agent, f"{{who}} {what}{'' if command.end else ', at most 12 hours'}.{left}",
            change=Change("off", now, until, asker.email, now, agent=agent),
        )  # fmt: skip

    async def _on(self, command: Command, asker: Asker) -> Effects:
        """Back to the rota; outside of one's shifts on duty nevertheless, for a while. A refusal is forgotten."""
        agent, team = command.agent or "", self._team_of(command.agent)
        book, desk, now = await self._book()
        known = desk.states.get(agent)
        again = " Whom Webex refused is tried again." if known and known.load(now).refused else ""
        others = tuple(o for o in book.overrides if o.agent != agent)
        plain = DutyBook(book.roster, others, book.paused)
        teams = [one for one in book.roster.teams.values() if agent in one.agents]
        if command.end is None and any(agent in plain.table(one, now).on_duty for one in teams):
            effects = self._changed(command, asker, agent, f"{{who}} on duty.{again}", lift=Lift(agent=agent))
            return replace(effects, forgiven=(agent,))
        until = ends_at(command.end, team.timezone, now) if command.end else now + OFF_SECONDS
        closed = "" if any(plain.table(one, now).open for one in teams) else ", as soon as a team opens"
        text = f"{{who}} on duty outside the shifts until {self._time(until, team)}{closed}.{again}"
        effects = self._changed(
            command, asker, agent, text, change=Change("on", now, until, asker.email, now, agent=agent)
        )
        return replace(effects, forgiven=(agent,))

    async def _cover(self, command: Command, asker: Asker) -> Effects:
        absent, covering = command.agent or "", command.to or ""
        team, now, names = self._team_of(absent), self._clock.now(), self._roster().agents
        assert command.end is not None
        until = ends_at(command.end, team.timezone, now)
        change = Change("cover", now, until, asker.email, now, agent=covering, for_agent=absent)
        text = f"{names[covering].name} covers for {names[absent].name} until {self._time(until, team)}."
        effects = replace(self._said(asker, command, text), changes=(change,))
        others = [one for one in (absent, covering) if one != asker.agent]
        return replace(effects, says=(*effects.says, *(Saying(names[one].email, text) for one in others)))

    def _changed(
        self,
        command: Command,
        asker: Asker,
        agent: str,
        text: str,
        change: Change | None = None,
        lift: Lift | None = None,
    ) -> Effects:
        """The answer to whoever said it, and word of it to whom it is about."""
        known = self._roster().agents[agent]
        own = agent == asker.agent
        effects = self._said(asker, command, text.format(who="You are" if own else f"{known.name} is"))
        says = (
            effects.says
            if own
            else (*effects.says, Saying(known.email, text.format(who="A lead said so: you are")))
        )
        return replace(effects, says=says, changes=(change,) if change else (), lifts=(lift,) if lift else ())

    async def _pause(self, command: Command, asker: Asker) -> Effects:
        team, now = self._roster().teams[command.team or ""], self._clock.now()
        until = ends_at(command.end, team.timezone, now) if command.end else NO_END
        text = f"{team.key} takes nobody new until {self._time(until, team) if command.end else 'you say resume'}."
        change = Change("pause", now, until, asker.email, now, team=team.key)
        return replace(self._said(asker, command, text), changes=(change,))

    async def _resume(self, command: Command, asker: Asker) -> Effects:
        effects = self._said(asker, command, f"{command.team} takes customers again.")
        return replace(effects, lifts=(Lift(team=command.team),))

    # conversations

    async def _done(self, command: Command, asker: Asker) -> Effects:
        found = await self._meant(command, asker)
        return (
            self._refused(asker, str(command), found)
            if isinstance(found, str)
            else self._close(command, asker, found)
        )

    async def _transfer(self, command: Command, asker: Asker) -> Effects:
        found = await self._meant(command, asker)
        if isinstance(found, str):
            return self._refused(asker, str(command), found)
        return self._hand_over(command, asker, found)

    async def _history(self, command: Command, asker: Asker) -> Effects:
        found = await self._meant(command, asker, over=True)
        if isinstance(found, str):
            return self._refused(asker, str(command), found)
        said = await self._store.read(transcript, found.id, max(0, found.last_seq - _HISTORY), _HISTORY)
        kinds = self._masks(found.source)
        notes = [
            (who, mask(note, kinds)) for who, note in await self._store.read(bot_reads.notes_of, found.id)
        ]
        zone = self._roster().teams[found.team].timezone if found.team in self._roster().teams else "UTC"
        text = views.history(masked(found, kinds), masked_words(said, kinds), notes, zone)
        return self._said(asker, command, text, about=found.id)

    async def _meant(self, command: Command, asker: Asker, over: bool = False) -> Conversation | str:
        """The conversation of this reference, or why not. Without one: the only one that the asker has."""
        if command.ref is None:
            mine = await self._store.read(bot_reads.of_agent, asker.agent) if asker.agent else []
            if len(mine) == 1:
                return mine[0]
            return f"Say which one: {command.word} <ref>. You have {len(mine) or 'no'} open conversations."
        found = await self._store.read(bot_reads.by_reference, command.ref)
        theirs = [one for one in found if asker.lead or one.agent == asker.agent]
        if not theirs:  # the same words whether there is none or it is somebody else's
            who = "There is" if asker.lead else "You have"
            return f"{who} no conversation {command.ref}.{'' if asker.lead else ' Say mine for yours.'}"
        if not over and theirs[0].status not in ("open", "queued"):
            return f"{self._customer(theirs[0])} is over already."
        return theirs[0]

    def _close(self, command: Command, asker: Asker, found: Conversation) -> Effects:
        effects = self._said(
            asker, f"{command.word} {reference(found.id)}", f"{self._customer(found)} is closed."
        )
        return replace(effects, wishes=(self._wish("ended", found, asker, {"reason": "agent"}),))

    def _hand_over(self, command: Command, asker: Asker, found: Conversation) -> Effects:
        """No answer here: whether it worked is told when it is decided."""
        body = {"to": command.to, "hand_over": command.to is None}
        what = " ".join(part for part in (command.word, reference(found.id), command.to) if part)
        says: tuple[Saying, ...] = ()
        if (
            asker.agent is None or found.agent != asker.agent
        ):  # a lead: the agents concerned are told, so are they
            name = self._named(command.to)
            says = (
                Saying(
                    asker.email, f"{self._customer(found)} goes to {name}, if they can take it.", found.id
                ),
            )
        deed = Deed(self._clock.now(), asker.email, what, "asked for")
        return Effects(says, wishes=(self._wish("transfer", found, asker, body),), deeds=(deed,))

    def _wish(self, kind: str, found: Conversation, asker: Asker, body: Mapping[str, Any]) -> Wish:
        """`agent`: whose it was when it was asked for; should it have moved by then, nothing is done."""
        return Wish(kind, found.id, found.customer, {**body, "by": asker.email, "agent": found.agent})

    # names and times, as they may be told to Webex

    def _shown(self, found: Sequence[Conversation]) -> list[Conversation]:
        return [masked(one, self._masks(one.source)) for one in found]

    def _customer(self, conversation: Conversation) -> str:
        name = mask(conversation.display_name, self._masks(conversation.source))
        return f"{one_line(name, 60)} ({reference(conversation.id)})"

    def _named(self, to: str | None) -> str:
        known = self._roster().agents.get(to or "")
        return known.name if known else to or "whoever is next"

    def _team_of(self, agent: str | None) -> Team:
        """The team whose clock counts for an agent: the first that they are in."""
        teams = self._roster().teams.values()
        return next((one for one in teams if agent in one.agents), next(iter(teams)))

    def _time(self, moment: float, team: Team) -> str:
        return day_and_time(local(moment, team.timezone), local(self._clock.now(), team.timezone))
