"""What every deed of the bot needs: the answer to whoever asked, names and times as Webex may see them."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from bridge.domain.bot.commands import Asker
from bridge.domain.bot.words import one_line
from bridge.domain.conversation.desk import DutyBook
from bridge.domain.conversation.masking import Masks, mask, masked
from bridge.domain.conversation.model import Conversation
from bridge.domain.conversation.splitting import split_text
from bridge.domain.duty.roster import Roster, Team
from bridge.domain.duty.table import day_and_time
from bridge.domain.duty.windows import local
from bridge.domain.identity import reference
from bridge.ports import Clock
from bridge.store import bot_reads
from bridge.store.bot import Effects, Saying
from bridge.store.overrides import Deed
from bridge.store.store import Store


class Answering:
    """`roster()` gives the configuration in force, `masks(source)` what is hidden of its customers' words."""

    def __init__(self, store: Store, clock: Clock, roster: Callable[[], Roster], masks: Masks) -> None:
        self._store = store
        self._masks = masks
        self._clock = clock
        self._roster = roster

    def _said(self, asker: Asker, what: object, text: str, outcome: str = "done", about: str = "") -> Effects:
        says = tuple(Saying(asker.email, part, about) for part in split_text(text))
        return Effects(says, deeds=(Deed(self._clock.now(), asker.email, str(what), outcome),))

    def _refused(self, asker: Asker, what: str, text: str) -> Effects:
        return self._said(asker, what, text, "refused")

    async def _book(self) -> tuple[DutyBook, bot_reads.Desk, float]:
        now = self._clock.now()
        desk = await self._store.read(bot_reads.desk, now)
        return DutyBook(self._roster(), desk.overrides.agents, desk.overrides.paused), desk, now

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
