"""The whole state of a simulated Webex, in memory, and what people do in it.

Everything here is synchronous and belongs to one event loop's thread; only webhooks go out by themselves, and
only while a server runs (see `bridge.simulator.app`).
"""

from __future__ import annotations

import random  # noqa: TID251 - a seeded generator, so that chance repeats itself
import time
from collections import deque
from collections.abc import Callable, Iterable
from typing import Any, Protocol
from uuid import NAMESPACE_URL, uuid5

from bridge.simulator import faults, hooks, seeds, talk
from bridge.simulator.evidence import Evidence
from bridge.simulator.ids import make_id
from bridge.simulator.model import Call, File, Message, Person, Room, Webhook
from bridge.simulator.settings import Settings
from bridge.simulator.tokens import Tokens

Upload = tuple[str, bytes, str]
"""A file: its name, its bytes, its media type."""

ORG = make_id("ORGANIZATION", "11111111-1111-4111-8111-111111111111")
GUEST_ORG = make_id("ORGANIZATION", "99999999-9999-4999-8999-999999999999")


class Carrier(Protocol):
    def send(self, hook: Webhook, envelope: dict[str, Any]) -> None: ...


class Teller(Protocol):
    def hears(self, person: Person) -> bool: ...
    def tell(
        self, person: Person, resource: str, event: str, actor: Person, data: dict[str, Any]
    ) -> None: ...


class World(Settings):
    """A Webex with an organization, a bot, a Service App and a legacy Guest Issuer (see `seeds`).

    `now` gives epoch seconds. Every setting (see `Settings`) may be given here and changed later, as an
    attribute. `seed` makes whatever happens by chance repeatable.
    """

    def __init__(self, now: Callable[[], float] | None = None, *, seed: int = 0, **settings: Any) -> None:
        super().__init__(**settings)
        self.now: Callable[[], float] = now or time.time  # noqa: TID251 - ships alone, so has its own clock
        self.chance = random.Random(seed)  # noqa: S311 - guards nothing
        self.root = ""  # the server's own address, which files' addresses begin with
        self.carrier: Carrier | None = None
        self.teller: Teller | None = None
        self._watchers: set[Callable[[], None]] = set()
        self.reset()

    def reset(self) -> None:
        """Everything back to the seeds, except the settings."""
        self.people: dict[str, Person] = {}
        self.people_by_email: dict[str, Person] = {}
        self.guests: dict[str, Person] = {}
        self.rooms: dict[str, Room] = {}
        self.messages: dict[str, Message] = {}
        self.files: dict[str, File] = {}
        self.hooks: dict[str, Webhook] = {}
        self.actions: dict[str, tuple[Room, dict[str, Any]]] = {}
        self.faults: list[faults.Fault] = []
        self.pairs: dict[tuple[str, str], Room] = {}
        self.tokens = Tokens(self)
        self.evidence = Evidence(self)
        self._guests_by_app: dict[tuple[str, str], Person] = {}
        self._seq = 0
        self._seed()
        self.touch()

    def _seed(self) -> None:
        for email, name in seeds.PEOPLE.items():
            self.add_person(email, name)
        developer = self.add_person(seeds.PERSONAL_EMAIL, "Dev Person")
        self.tokens.seed(seeds.PERSONAL_TOKEN, developer, self.now() + self.personal_expires_in)
        self.bot = self.add_person(seeds.BOT_EMAIL, "Help", type="bot", licensed=False)
        self.bot.owner = "bot"
        self.tokens.seed(seeds.BOT_TOKEN, self.bot)
        self.service_app = self.add_person("sim@serviceapp.webex.com", "Guests", type="bot", licensed=False)
        self.service_app.owner = self.service_app.app = "service-app"
        self.tokens.keep_refresh(seeds.REFRESH_TOKEN, self.now() + self.refresh_expires_in)

    # People

    def add_person(
        self,
        email: str,
        name: str,
        type: str = "person",
        licensed: bool = True,
        external_blocked: bool = False,
    ) -> Person:
        """Somebody of the organization, with an own token (`seeds.person_token`). ValueError: is there."""
        if email.lower() in self.people_by_email:
            raise ValueError(f"{email} is already there")
        person = Person(
            make_id("PEOPLE", str(uuid5(NAMESPACE_URL, email))), email, name, type, ORG, self.now(), email,
            licensed=licensed, external_blocked=external_blocked,
        )  # fmt: skip
        self.tokens.seed(seeds.person_token(email), person)
        return self._keep(person)

    def guest(self, subject: str, name: str, app: str = "service-app") -> Person:
        """The guest of this subject in this app's pool, made or renamed as need be."""
        guest = self._guests_by_app.get((app, subject))
        if guest is not None:
            guest.name = name
            return guest
        uuid = str(uuid5(NAMESPACE_URL, f"{app}/{subject}"))
        guest = Person(
            make_id("PEOPLE", uuid), f"{uuid}@appid.ciscospark.com", name, "appuser", GUEST_ORG, self.now(),
            f"guest:{subject}", subject=subject, app=app,
        )  # fmt: skip
        self._guests_by_app[app, subject] = guest
        self.guests[subject if app == "service-app" else f"{app}/{subject}"] = guest
        return self._keep(guest)

    def _keep(self, person: Person) -> Person:
        self.people[person.id] = self.people_by_email[person.email.lower()] = person
        return person

    def rename(self, email: str, new_email: str) -> Person:
        """This person has another address from now on, and is still reached by the old one. LookupError, ValueError."""
        person = self.find_person(email)
        if new_email.lower() in self.people_by_email:
            raise ValueError(f"{new_email} is already there")
        person.email = new_email
        return self._keep(person)

    def find_person(self, who: str) -> Person:
        """By e-mail, id, or a guest's subject. LookupError where there is nobody."""
        found = self.people_by_email.get(who.lower()) or self.people.get(who) or self.guests.get(who)
        if found is None:
            raise LookupError(f"there is no {who}")
        return found

    # What agents do

    def say(
        self,
        agent_email: str,
        guest_email_or_id: str,
        text: str | None = None,
        markdown: str | None = None,
        file: Upload | None = None,
        *,
        html: str | None = None,
        cards: list[dict[str, Any]] | None = None,
    ) -> dict[str, Any]:
        """An agent writes in the existing 1:1 with a guest (by e-mail, id, subject or room id), or to a bot.

        `html`: as a Webex client made it, headings and tables included; `cards`: one, with or without words.
        Gives the message as the API shows it. LookupError: they have no 1:1; Refusal: Webex says no.
        """
        agent = self.find_person(agent_email)
        room = self.rooms.get(guest_email_or_id)
        other = room.other(agent) if room and agent in room.members else self.find_person(guest_email_or_id)
        if other.is_guest and self.room_of(agent, other) is None:
            raise LookupError(f"{agent_email} has no 1:1 with {guest_email_or_id}")
        kept = talk.keep_file(self, *file) if file else None
        room = talk.open_room(self, agent, other)
        message = talk.send(self, agent, room, text, markdown, kept, cards, html=html)
        message.room.read[agent.id] = message.seq
        return message.data

    def edit(
        self, agent_email: str, message_id: str, text: str | None = None, markdown: str | None = None
    ) -> dict[str, Any]:
        """An agent changes an own message. LookupError, Refusal."""
        return talk.edit(self, self.find_person(agent_email), self._message(message_id), text, markdown).data

    def delete(self, agent_email: str, message_id: str) -> None:
        """An agent deletes an own message. LookupError, Refusal."""
        talk.delete(self, self.find_person(agent_email), self._message(message_id))

    def press(self, agent_email: str, message_id: str, inputs: dict[str, Any]) -> dict[str, Any]:
        """An agent submits a card that was sent to them; gives the action. LookupError, Refusal."""
        return talk.press(self, self.find_person(agent_email), self._message(message_id), inputs)

    def _message(self, message_id: str) -> Message:
        if message_id not in self.messages:
            raise LookupError("there is no such message")
        return self.messages[message_id]

    def messages_to(self, agent_email: str) -> list[dict[str, Any]]:
        """All messages others sent to that person, in order of arrival, deleted ones included."""
        return list(self.find_person(agent_email).inbox)

    def room_of(self, one: Person, other: Person) -> Room | None:
        """Their 1:1, whichever of them opened it."""
        return self.pairs.get((one.id, other.id) if one.id < other.id else (other.id, one.id))

    def next_seq(self) -> int:
        self._seq += 1
        return self._seq

    def set_scan(self, file_id_or_url: str, state: str) -> None:
        """What becomes of a file's GET from now on: clean, scanning, infected, unscannable, refused or failing."""
        file = self.files[file_id_or_url.rpartition("/")[2]]
        file.scan, file.clean_at = state, self.now() + self.scan_seconds

    # What goes wrong

    def spoil(self, message_id: str, how: str, seconds: float = float("inf")) -> None:
        """From now on nobody can read this message: `kms`, `content` or `shape` (see `Message`); empty: all can.

        LookupError: there is no such message; ValueError: nonsense.
        """
        if how not in ("kms", "content", "shape", ""):
            raise ValueError(f"a message is spoiled by kms, content or shape, not {how!r}")
        self._message(message_id).spoiled = how, self.now() + seconds

    def fault(
        self,
        match: str,
        action: object = None,
        times: int | None = 1,
        after: int = 0,
        probability: float = 1.0,
        *,
        owner: str | None = None,
        **detail: Any,
    ) -> faults.Fault:
        """From now on calls that match meet trouble; gives the rule, whose `used` counts them.

        `match`: `"POST /v1/messages"` or only a path, a prefix unless it ends in `$`; `owner` as in `Call`,
        or `"guest:"` for every guest. The first `after` matching calls pass; `times` None means for ever.
        `action`: 429 or `"status=429"` or `{"status": 429, ...}`, with `retry_after` (number, any text,
        `"date:30"` for the HTTP-date in 30 s, None: absent), `html`, `message`, `effect`; `"drop_before"`,
        `"drop_after"`, `"never"`, `"slow=2"`, `"late=2"`, `"hold"`, `"revoke"`, `"block_agent"`, `"kms"` (see
        `faults.KINDS`). A rule's `seconds` may be changed while a call waits for them.
        Details may be keywords too: `fault("/v1/messages", status=429, retry_after=3)`. ValueError: nonsense.
        """
        rule = faults.make(match, action, owner, times, after, probability, detail)
        self.faults.append(rule)
        return rule

    def pick_fault(self, method: str, path: str, owner: str | None) -> faults.Fault | None:
        """The first rule that hits this call; a rule that is used up leaves."""
        for rule in self.faults:
            if rule.hits(method, path, owner, self.chance):
                if rule.over:
                    self.faults.remove(rule)
                return rule
        return None

    def clear_faults(self) -> None:
        self.faults.clear()

    # What is known afterwards

    @property
    def calls(self) -> deque[Call]:
        """The last million calls, oldest first."""
        return self.evidence.calls

    @property
    def most_tokens(self) -> int:
        """The most live tokens that any guest ever held at once."""
        return max((guest.most_tokens for guest in self.guests.values()), default=0)

    def violations(self) -> list[str]:
        """Broken promises, in words: calls with an expired token, calls before their Retry-After."""
        return list(self.evidence.violations)

    # News

    def hears(self, person: Person) -> bool:
        """Whether anything of a person's is told of news."""
        return bool(person.hooks) or (self.teller is not None and self.teller.hears(person))

    def emit(
        self,
        audience: Iterable[Person],
        resource: str,
        event: str,
        actor: Person,
        data: dict[str, Any],
        **facts: str,
    ) -> None:
        """Tells the webhooks and sockets of those who can see it. `facts`: what filters may ask beyond `data`."""
        for person in audience:
            if self.teller:
                self.teller.tell(person, resource, event, actor, data)
            for hook in person.hooks:
                if self.carrier and hooks.matches(hook, resource, event, {**data, **facts}):
                    self.carrier.send(hook, hooks.envelope(hook, resource, event, actor.id, data))

    def watch(self, watcher: Callable[[], None]) -> Callable[[], None]:
        """Has `watcher` called at every change of what people see; gives the function that ends it."""
        self._watchers.add(watcher)
        return lambda: self._watchers.discard(watcher)

    def touch(self) -> None:
        for watcher in self._watchers:
            watcher()
