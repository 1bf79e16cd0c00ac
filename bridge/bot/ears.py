"""What is said to the bot: fetched by its id with the bot's token, judged, done once, answered.

A webhook only names a message or an action; where none come (no PUBLIC_URL), the bot reads its 1:1s now and
then, and its cards have no buttons, for nobody could hear of a press.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence

import structlog

from bridge.bot.deeds import Deeds
from bridge.domain.bot.commands import Asker
from bridge.domain.bot.machines import is_machine
from bridge.domain.bot.words import STRANGER, UNREAD
from bridge.domain.conversation.masking import Masks
from bridge.domain.duty.roster import Roster
from bridge.domain.errors import NotFound, Throttled, WebexError
from bridge.domain.retry import Again, GiveUp, after_failure
from bridge.domain.throttling import OwnedToken
from bridge.ports import Clock
from bridge.stages.leases import LeaseLost
from bridge.stages.patience import WAIT_SECONDS, NotYet, Patience
from bridge.store import bot
from bridge.store.bot import Answered, Effects, News, Saying
from bridge.store.engine.committer import StoreUnavailable
from bridge.store.outbox import Claim, Work
from bridge.store.settling import Settled
from bridge.store.store import Store
from bridge.webex.client import WebexClient
from bridge.webex.wire import Person

STRANGER_SECONDS = 3600.0  # a stranger is answered once in so long
_FRESH_SECONDS = 900.0  # what was said longer ago while nobody listened is not acted on any more
_AT_ONCE = 20  # 1:1s read in one look
_NOT_THERE_YET = 3  # attempts: Webex may tell of a message a little before it can be read


class Ears:
    """The workers of the stage `bot-in`, and the look into the 1:1s where webhooks cannot be had.

    `rooms`: the bot's 1:1s that are known, and the configured address with which each was had. Whoever writes there
    is that person, from whatever address (renamed, an alias).
    """

    def __init__(
        self,
        store: Store,
        webex: WebexClient,
        clock: Clock,
        token: OwnedToken,
        roster: Callable[[], Roster],
        woken: Callable[[str], None],
        rooms: dict[str, str],
        lease_seconds: float,
        masks: Masks,
    ) -> None:
        self._store = store
        self._webex = webex
        self._clock = clock
        self._token = token
        self._roster = roster
        self._woken = woken
        self._rooms = rooms
        self._lease = lease_seconds
        self._patience = Patience(store, clock)
        self._deeds = Deeds(store, clock, roster, masks)
        self._people: dict[str, Person] = {}
        self._turn = 0
        self._log = structlog.get_logger()

    async def claim(self, room: int) -> Sequence[Work]:
        wish = Claim("bot-in", self._store.owner, self._clock.now(), self._lease, room)
        return await self._store.do(bot.claim, wish)

    async def work(self, work: Work) -> Work | None:
        """Fetches one thing that was said, does it, settles it; the next of the same person."""
        heard = json.loads(work.payload)
        try:
            effects = await (self._message if heard["what"] == "message" else self._press)(heard["id"], work)
        except NotYet as later:
            return await self._settle(work, "again", Effects(), again_at=self._clock.now() + later.after)
        except WebexError as error:
            return await self._failed(work, error)
        except (StoreUnavailable, LeaseLost):
            raise
        except Exception as error:  # noqa: BLE001 - one command that fails must not silence its person for good
            self._log.error("bot.crashed", delivery=work.id, error=type(error).__name__)
            return await self._settle(work, "dead", Effects(), error=f"it failed: {type(error).__name__}")
        following = await self._settle(work, "done", effects)
        self._woken("bot")
        if effects.wishes or effects.changes or effects.lifts:
            self._woken("in")
        return following

    async def _message(self, message_id: str, work: Work) -> Effects:
        message = await self._webex.get_message(self._token, message_id)
        asker = self._asker((message.person_email,), message.room_id)
        if asker is None and not is_machine(message.person_email):
            # Renamed, or an alias: Webex knows the configured address of the same person as well.
            person = await self._person(message.person_id)
            asker = self._deeds.asker(person.emails) if person else None
        if asker is None:
            return await self._stranger(message.person_email)
        if message.room_type != "direct":
            return Effects()
        if message.kms_failed:
            await self._patience.wait(message_id)
            return Effects((Saying(asker.email, UNREAD),))
        return await self._deeds.command(message.text or message.markdown or "", asker)

    def _asker(self, emails: tuple[str, ...], room_id: str | None) -> Asker | None:
        known = self._rooms.get(room_id or "")
        return self._deeds.asker(emails) or (self._deeds.asker((known,)) if known else None)

    async def _press(self, action_id: str, work: Work) -> Effects:
        action = await self._webex.attachment_action(self._token, action_id)
        person = self._people.get(action.person_id) or await self._webex.person(self._token, action.person_id)
        self._people[action.person_id] = person
        asker = self._asker(person.emails, action.room_id)
        if asker is None:
            return await self._stranger(person.emails[0] if person.emails else "")
        effects = await self._deeds.press(action.inputs, asker)
        if effects is None:
            await self._take_away(action.message_id)
            return await self._deeds.stale(action.inputs, asker)
        return effects

    async def _take_away(self, message_id: str) -> None:
        """A card that misled somebody; should it stay, the next press is answered as well."""
        try:
            await self._webex.delete_message(self._token, message_id)
        except WebexError as error:
            self._log.info("card.not_taken_away", reason=str(error))

    async def _stranger(self, email: str) -> Effects:
        """One polite sentence, seldom; machines get none, for two of them could talk for ever."""
        if not email or is_machine(email):
            return Effects()
        name, now = f"stranger:{email.casefold()}", self._clock.now()
        if await self._store.read(bot.hushed_until, name) > now:
            return Effects()
        return Effects((Saying(email, STRANGER),), hush=(name, now + STRANGER_SECONDS))

    async def _failed(self, work: Work, error: WebexError) -> Work | None:
        now = self._clock.now()
        self._log.warning("bot.not_heard", delivery=work.id, attempt=work.attempt, reason=str(error))
        if isinstance(error, NotFound):  # taken back, or not to be read yet
            if work.attempt >= _NOT_THERE_YET:
                return await self._settle(work, "done", Effects())
            return await self._settle(work, "again", Effects(), again_at=now + 1, error=str(error))
        verdict = after_failure(
            error, attempt=work.attempt, created_at=work.created_at, now=now, jitter=self._clock.chance()
        )
        passing = isinstance(error, Throttled) or now < work.created_at + WAIT_SECONDS
        person = None if passing else await self._person(work.address or "")
        # Where Webex does not even say who somebody is, it is not this one thing that is wrong.
        if isinstance(verdict, Again) and person is None:
            return await self._settle(work, "again", Effects(), again_at=verdict.at, error=str(error))
        why = verdict.reason if isinstance(verdict, GiveUp) else f"not given within two minutes: {error}"
        return await self._give_up(work, person or await self._person(work.address or ""), why)

    async def _give_up(self, work: Work, person: Person | None, why: str) -> Work | None:
        """A dead letter, and a word to whoever said it, if they are of this desk."""
        asker = self._deeds.asker(person.emails) if person else None
        said = Effects((Saying(asker.email, UNREAD),)) if asker else Effects()
        following = await self._settle(work, "dead", said, error=why)
        self._woken("bot")
        return following

    async def _person(self, person_id: str) -> Person | None:
        """None where Webex does not say who that is."""
        try:
            person = self._people.get(person_id) or await self._webex.person(self._token, person_id)
        except WebexError:
            return None
        self._people[person_id] = person
        return person

    async def _settle(
        self, work: Work, outcome: str, effects: Effects, *, again_at: float = 0, error: str | None = None
    ) -> Work | None:
        settled = Settled(work, outcome, self._clock.now(), self._lease, again_at=again_at, error=error)
        following = await self._store.do(bot.answer, Answered(settled, effects))
        if following.lost:
            self._log.warning("lease.lost", delivery=work.id)
        return following.work

    # where no webhook tells

    async def look(self, everybody: bool = False) -> None:
        """Reads the 1:1s of the next few people (or of everybody, after a time without ears)."""
        people = self._known_people()
        count = len(people) if everybody else min(_AT_ONCE, len(people))
        for _ in range(count):
            self._turn = (self._turn + 1) % len(people)
            if not await self.look_at(people[self._turn]):
                return

    def _known_people(self) -> list[str]:
        roster = self._roster()
        leads = (lead for team in roster.teams.values() for lead in team.leads)
        return list(dict.fromkeys([*(agent.email for agent in roster.agents.values()), *leads]))

    async def look_at(self, email: str) -> bool:
        """Reads the 1:1 with one person; False where Webex has us wait, so that others need not be tried."""
        try:
            await self._look_at(email)
        except Throttled:
            return False
        except WebexError as error:
            self._log.warning("bot.not_looked", reason=str(error))
        return True

    async def _look_at(self, email: str) -> None:
        since = self._clock.now() - _FRESH_SECONDS
        thread = await self._webex.list_direct(self._token, person_email=email)
        self._rooms.update((one.room_id, email) for one in thread)
        # Of the two in a 1:1, whoever is no machine is the person, whatever address they write from.
        said = [one for one in thread if not is_machine(one.person_email) and one.created > since]
        new = await self._store.read(bot.unheard, [one.id for one in said])
        for message in reversed(said):
            if message.id in new:
                await self._store.do(
                    bot.note_news, News("message", message.id, message.person_id, self._clock.now())
                )
        if new:
            self._woken("bot-in")
