"""What a note says, in words: alerts together, a card for a customer who was given, else one sentence."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from bridge.bot.cards import attachment
from bridge.domain.bot.card import Context, choices, context_facts, plain_text
from bridge.domain.bot.words import About, duration, one_line, to_agent, to_leads
from bridge.domain.conversation.desk import DutyBook
from bridge.domain.conversation.masking import CARD, Masks, mask, masked, masked_words
from bridge.domain.conversation.model import Conversation
from bridge.domain.conversation.splitting import split_text
from bridge.domain.duty.roster import Roster
from bridge.domain.identity import reference
from bridge.ports import Clock
from bridge.store import bot_reads
from bridge.store.bot import Waiting
from bridge.store.outbox import Work
from bridge.store.store import Store

_LAST_WORDS = 4


@dataclass(frozen=True, slots=True)
class Note:
    """A claimed note and the others that are said along with it."""

    work: Work
    kind: str
    lead: bool
    fields: Mapping[str, Any]
    along: tuple[Waiting, ...] = ()


@dataclass(frozen=True, slots=True)
class Words:
    """What is said; nothing at all where `text` is empty."""

    text: str = ""
    card: Mapping[str, Any] | None = None


class Wording:
    """`buttons()` says whether a pressed button would be heard of, `masks(source)` what is hidden of its customers'
    words."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        roster: Callable[[], Roster],
        buttons: Callable[[], bool],
        masks: Masks,
    ) -> None:
        self._store = store
        self._clock = clock
        self._roster = roster
        self._buttons = buttons
        self._masks = masks

    async def of(self, note: Note) -> Words:
        """Puts a note into words. Whatever was masked before: no card's number leaves, not in what somebody typed and
        the bot repeats."""
        words, kinds = await self._found(note), {CARD}.intersection(self._masks(""))
        return replace(words, text=mask(words.text, kinds)) if kinds else words

    async def _found(self, note: Note) -> Words:
        if note.lead:
            own = (note.work.conversation_id, {"kind": note.kind, "fields": note.fields})
            every = [own, *((one.conversation_id, one.payload) for one in note.along)]
            lines = [await self._alert(conversation_id, payload) for conversation_id, payload in every]
            told = list(dict.fromkeys(line for line in lines if line))
            return Words(split_text("\n".join(told))[0]) if told else Words()
        if note.kind == "say":
            return Words(str(note.fields["text"]))
        conversation = await self._conversation(note.work.conversation_id)
        if conversation is None:
            return Words()
        if note.kind == "card":
            return await self._card(note, conversation)
        return Words(to_agent(note.kind, note.fields, _about(conversation), 1 + len(note.along)) or "")

    async def _alert(self, conversation_id: str, payload: Mapping[str, Any]) -> str | None:
        conversation = await self._conversation(conversation_id) if conversation_id else None
        about = _about(conversation) if conversation else About("", "")
        fields = dict(payload["fields"])
        if "agent" in fields and (known := self._roster().agents.get(fields["agent"])):
            fields["agent"] = known.name
        return to_leads(payload["kind"], fields, about)

    async def _card(self, note: Note, conversation: Conversation) -> Words:
        """Nothing where the conversation is no longer this agent's: a card would only mislead."""
        if conversation.status != "open" or conversation.agent_email != note.work.address:
            return Words()
        buttons, now = self._buttons(), self._clock.now()
        desk = await self._store.read(bot_reads.desk, now)
        book = DutyBook(self._roster(), desk.overrides.agents, desk.overrides.paused)
        on_duty = {key: book.table(team, now).on_duty for key, team in book.roster.teams.items()}
        handed = note.fields.get("from")
        card = Context(
            conversation_id=conversation.id,
            title=f"{one_line(conversation.display_name, 80)} ({reference(conversation.id)})",
            lead=await self._lead(note, conversation),
            facts=context_facts(
                team=conversation.team,
                source=conversation.source,
                store=conversation.store,
                topic=conversation.topic,
                language=conversation.language,
                context=conversation.context,
                hide=partial(mask, kinds=self._masks(conversation.source)),
            ),
            choices=choices(book.roster, on_duty, conversation.agent),
            handed=f"From {handed}: {_WHY.get(note.fields['why'], note.fields['why'])}" if handed else None,
            last=await self._last_words(conversation) if handed else (),
        )
        return Words(plain_text(card, buttons), attachment(card, buttons))

    async def _lead(self, note: Note, conversation: Conversation) -> str:
        visits = await self._store.read(bot_reads.visits_before, conversation)
        known = f"Returning customer, {visits} earlier" if visits else "New customer"
        waited = note.fields.get("waited", 0)
        if "from" in note.fields:
            return f"{known}, came {duration(waited)} ago"
        return f"{known}, waited {duration(waited)}" if waited >= 1 else f"{known}, did not wait"

    async def _last_words(self, conversation: Conversation) -> tuple[str, ...]:
        said = await self._store.read(bot_reads.last_words, conversation, _LAST_WORDS + 4)
        names = {"customer": one_line(conversation.display_name, 40), "agent": "Agent"}
        shown = masked_words(said, self._masks(conversation.source))
        spoken = [one for one in shown if one.author in names and one.text]
        return tuple(f"{names[one.author]}: {one_line(one.text, 160)}" for one in spoken[-_LAST_WORDS:])

    async def _conversation(self, conversation_id: str) -> Conversation | None:
        """As it may be told to Webex; None where it was erased meanwhile."""
        found = await self._store.read(bot_reads.by_id, conversation_id)
        return masked(found, self._masks(found.source)) if found else None


def _about(conversation: Conversation) -> About:
    return About(
        reference(conversation.id),
        conversation.display_name,
        conversation.team,
        conversation.store,
        conversation.topic,
    )


_WHY = {"no answer": "not answered in time", "transfer": "handed over", "refused": "could not be reached"}
