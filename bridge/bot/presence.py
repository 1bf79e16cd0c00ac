"""Presence as a veto: who is out of office or does not want to be disturbed gets nobody new.

Only where the bot's token may see `status` (https://developer.webex.com/docs/api/v1/people); a person
without one is not held back, for the rota decides. Asked slowly, for agents on duty only.
"""

from __future__ import annotations

from collections.abc import Callable

import structlog

from bridge.domain.conversation.desk import DutyBook
from bridge.domain.duty.roster import Agent, Roster
from bridge.domain.errors import Throttled, WebexError
from bridge.domain.throttling import OwnedToken
from bridge.ports import Clock
from bridge.store import bot, bot_reads
from bridge.store.bot import Seen
from bridge.store.store import Store
from bridge.webex.client import WebexClient

LOOK_SECONDS = 60.0
_VETO = {"OutOfOffice": "out of office in Webex", "DoNotDisturb": "does not want to be disturbed, says Webex"}
_HOLDS_SECONDS = 3 * LOOK_SECONDS  # should nobody look again, the veto ends by itself
_AT_ONCE = 50  # people asked for in one look; more take turns


class Presence:
    def __init__(
        self, store: Store, webex: WebexClient, clock: Clock, token: OwnedToken, roster: Callable[[], Roster]
    ) -> None:
        self._store = store
        self._webex = webex
        self._clock = clock
        self._token = token
        self._roster = roster
        self._turn = 0
        self._log = structlog.get_logger()

    async def look(self) -> None:
        """Asks for the agents on duty now, and writes down what is against them or no longer is."""
        now = self._clock.now()
        desk = await self._store.read(bot_reads.desk, now)
        on_duty = self._on_duty(desk, now)
        for _ in range(min(_AT_ONCE, len(on_duty))):
            self._turn = (self._turn + 1) % len(on_duty)
            try:
                await self._look_at(on_duty[self._turn], desk)
            except Throttled:
                return
            except WebexError as error:
                self._log.info("presence.not_seen", reason=str(error))

    def _on_duty(self, desk: bot_reads.Desk, now: float) -> list[Agent]:
        book = DutyBook(self._roster(), desk.overrides.agents, desk.overrides.paused)
        keys = {key for team in book.roster.teams.values() for key in book.table(team, now).on_duty}
        return [agent for key, agent in book.roster.agents.items() if key in keys]

    async def _look_at(self, agent: Agent, desk: bot_reads.Desk) -> None:
        people = await self._webex.people_by_email(self._token, agent.email)
        mine = [one for one in people if agent.email.casefold() in (each.casefold() for each in one.emails)]
        why = _VETO.get(mine[0].status or "") if mine else None
        known = desk.states.get(agent.key)
        if why is None and (known is None or known.absent is None):
            return  # as it was
        until = self._clock.now() + _HOLDS_SECONDS if why else None
        await self._store.do(bot.note_presence, Seen(agent.key, why, until))
