"""What is wrong with the desk or the service, as the leads should hear of it; looked at every few seconds."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date

import structlog

from bridge.domain.conversation.desk import DutyBook
from bridge.domain.duty.next_week import week_due, week_note
from bridge.domain.duty.roster import Roster
from bridge.ports import Clock
from bridge.store import alarms, bot_reads
from bridge.store.alarms import Alarm, Standing
from bridge.store.store import Store

LOOK_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class ServiceState:
    """What the composition root knows of the service. Texts are empty where nothing is wrong."""

    credential_dead: str = ""
    configuration_refused: str = ""
    webhooks: str = ""
    callbacks_paused: str = ""
    other_addresses: tuple[tuple[str, str], ...] = ()


class Alarms:
    """`woken` has the bot's workers look; `state` gives the service's own troubles."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        roster: Callable[[], Roster],
        state: Callable[[], ServiceState],
        woken: Callable[[str], None],
    ) -> None:
        self._store = store
        self._clock = clock
        self._roster = roster
        self._state = state
        self._woken = woken
        # The weeks of teams that the leads have heard of: a year of calendars is not looked through every five seconds.
        self._noted: set[tuple[str, date]] = set()
        self._log = structlog.get_logger()

    async def look(self) -> None:
        """Tells what became wrong, or worse, or right again since the last look."""
        now, roster = self._clock.now(), self._roster()
        desk = await self._store.read(bot_reads.desk, now)
        trouble = await self._store.read(bot_reads.trouble, now)
        book = DutyBook(roster, desk.overrides.agents, desk.overrides.paused)
        weeks = list(self._of_weeks(book, now))
        found = (
            *(alarm for _, alarm in weeks if alarm is not None),
            *_of_teams(book, trouble, now),
            *_of_agents(roster, trouble),
            *_of_service(roster, trouble, self._state()),
        )
        said = await self._store.do(alarms.look, Standing(now, found))
        self._noted.update(week for week, _ in weeks)
        if said:
            self._log.info("leads.alerted", lines=said)
            self._woken("bot")

    def _of_weeks(self, book: DutyBook, now: float) -> Iterator[tuple[tuple[str, date], Alarm | None]]:
        """The weeks of teams that are to be looked at, each with what is told of it once and for all."""
        for key, team in book.roster.teams.items():
            monday = week_due(team, now)
            if monday is None or not team.leads or (key, monday) in self._noted:
                continue
            text = week_note(book.roster, team, monday, book.overrides)
            yield (key, monday), Alarm(f"week:{key}:{monday}", text, "", team.leads) if text else None


def _of_teams(book: DutyBook, trouble: bot_reads.Trouble, now: float) -> Iterator[Alarm]:
    for key, team in book.roster.teams.items():
        table = book.table(team, now)
        if table.open and not table.on_duty:
            text = f"{key} is open and nobody is on duty."
            yield Alarm(f"nobody:{key}", text, f"{key} is staffed again, or closed.", team.leads)
        if trouble.waiting.get(key):
            yield Alarm(
                f"waiting:{key}", "", f"nobody waits too long for {key} any more.", team.leads, told=True
            )
        if trouble.unanswered.get(key):
            text = f"everybody of {key} who waited for an answer got one, or left."
            yield Alarm(f"unanswered:{key}", "", text, team.leads, told=True)


def _of_agents(roster: Roster, trouble: bot_reads.Trouble) -> Iterator[Alarm]:
    for key in trouble.refused:
        leads = (lead for team in roster.teams.values() if key in team.agents for lead in team.leads)
        if key in roster.agents:
            text = f"{roster.agents[key].name} gets customers again, should Webex let them."
            yield Alarm(f"refused:{key}", "", text, tuple(dict.fromkeys(leads)), told=True)


def _of_service(roster: Roster, trouble: bot_reads.Trouble, state: ServiceState) -> Iterator[Alarm]:
    leads = tuple(dict.fromkeys(lead for team in roster.teams.values() for lead in team.leads))
    if state.credential_dead:
        text = f"New customers cannot be brought to Webex: {state.credential_dead}"
        yield Alarm("credential", text, "customers can be brought to Webex again.", leads)
    if state.configuration_refused:
        text = f"The changed configuration has a mistake and is not in force: {state.configuration_refused}"
        yield Alarm("configuration", text, "the configuration is in force.", leads)
    if state.webhooks:
        yield Alarm("webhooks", state.webhooks, "Webex tells us of answers again.", leads)
    for configured, seen in state.other_addresses:
        text = f"{configured} writes in Webex as {seen}: put that address into the configuration."
        yield Alarm(f"address:{configured}", text, "", leads, told=False)
    if state.callbacks_paused:
        text = f"Answers are not sent to {state.callbacks_paused} any more: the receiver wants none (410)."
        yield Alarm("callbacks", text, "every receiver is sent its answers again.", leads)
    if trouble.tokens_ending:
        text = f"{trouble.tokens_ending} customers will soon be cut off: Webex does not renew their tokens."
        yield Alarm("tokens", text, "the customers' tokens are renewed again.", leads)
    if trouble.unread:
        text = f"The answers in {trouble.unread} open conversations cannot be read: Webex does not show them."
        yield Alarm("unread", text, "every answer can be read again.", leads)
    if trouble.dead:
        text = f"{trouble.dead} messages could not be delivered and are kept: see bridge dead-letters list."
        yield Alarm("dead-letters", text, "no undelivered message is left.", leads, level=trouble.dead)
