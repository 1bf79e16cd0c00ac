"""What a command or a pressed button does: looks at the store, gives Effects. It writes nothing itself."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from bridge.bot.answering import Answering
from bridge.bot.duty_deeds import DutyDeeds
from bridge.domain.bot import views
from bridge.domain.bot.commands import Asker, Command, Refusal, help_text, parse
from bridge.domain.bot.times import day_meant
from bridge.domain.conversation.masking import Masks, mask, masked, masked_words
from bridge.domain.conversation.model import Conversation
from bridge.domain.duty.localtime import LocalTimeError, resolve_local
from bridge.domain.duty.preview import preview, render_preview
from bridge.domain.duty.roster import Ask, Roster
from bridge.domain.duty.routing import find_team
from bridge.domain.duty.windows import local
from bridge.domain.identity import reference
from bridge.ports import Clock
from bridge.store import bot_reads
from bridge.store.bot import Effects, Saying, Wish
from bridge.store.overrides import Deed
from bridge.store.reads import transcript
from bridge.store.store import Store

_HISTORY = 200
_BUTTONS = ("done", "transfer", "not-me", "away")

Doer = Callable[[Command, Asker], Awaitable[Effects]]


class Deeds(Answering):
    """`roster()` gives the configuration in force, `masks(source)` what is hidden of its customers' words."""

    def __init__(self, store: Store, clock: Clock, roster: Callable[[], Roster], masks: Masks) -> None:
        super().__init__(store, clock, roster, masks)
        self._duty = DutyDeeds(store, clock, roster, masks)
        self._doers: dict[str, Doer] = {
            "help": self._help, "on": self._duty.on, "off": self._duty.off, "status": self._status, "mine": self._mine,
            "done": self._done, "transfer": self._transfer, "assign": self._transfer, "history": self._history,
            "board": self._board, "queue": self._queue, "who": self._who, "roster": self._shifts,
            "cover": self._duty.cover, "pause": self._duty.pause, "resume": self._duty.resume, "preview": self._preview,
            "plans": self._duty.plans, "cancel": self._duty.cancel,
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
        away = await self._duty.off(Command("off", agent=asker.agent), asker)
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
        book, _, _ = await self._book()
        found_now = preview(roster, moment, wanted, ask.get("subject"), book.overrides)
        return self._said(asker, command, render_preview(found_now))

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
