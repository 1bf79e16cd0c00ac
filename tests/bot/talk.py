"""How agents, leads and strangers deal with the bot in the simulated Webex."""

from __future__ import annotations

from typing import Any

from sqlalchemy import insert, select

from bridge.simulator import BOT_EMAIL, BOT_TOKEN
from bridge.store.bot_reads import in_queue
from bridge.store.tables import audit, deliveries
from tests.customers import Customer
from tests.harness import AMY, BO, CY, RunningBridge, config, eventually

KIM = "kim@example.com"
STRANGER = "dev@example.com"


def desk_config(**changes: Any) -> dict[str, Any]:
    """Amy and Bo answer for front-desk, Cy for back-office; Kim leads both."""
    calm = config(
        webex={"poll_seconds": 1},
        agents={
            "amy": {"email": AMY, "name": "Amy Chen"},
            "bo": {"email": BO, "name": "Bo Diaz"},
            "cy": {"email": CY, "name": "Cy Okafor", "capacity": 1},
        },
        teams={
            "front-desk": {"timezone": "Europe/London", "agents": ["amy", "bo"], "leads": [KIM]},
            "back-office": {"timezone": "America/New_York", "agents": ["cy"], "leads": [KIM]},
        },
    )
    for name, value in changes.items():
        calm[name] = value
    return calm


class Desk:
    """A running bridge and the people around it."""

    ENVIRON = {"WEBEX_BOT_TOKEN": BOT_TOKEN}  # noqa: RUF012 - never changed

    def __init__(self, bridge: RunningBridge) -> None:
        self.bridge = bridge
        self.world = bridge.world

    async def ready(self) -> Desk:
        """The bot knows who it is and has its webhooks, where it can have any."""
        hooks = 2 if "PUBLIC_URL" in self.bridge.environ else 0
        await eventually(lambda: self.bot.trouble is None and len(self.world.bot.hooks) == hooks)
        return self

    @property
    def bot(self) -> Any:
        """The bot itself."""
        assert self.bridge.service.bot is not None
        return self.bridge.service.bot

    def heard(self, email: str) -> list[dict[str, Any]]:
        """The bot's messages to somebody, those that were deleted too."""
        return [one for one in self.world.messages_to(email) if one["personEmail"] == BOT_EMAIL]

    def texts(self, email: str) -> list[str]:
        return [one["text"] for one in self.heard(email)]

    def cards(self, email: str) -> list[dict[str, Any]]:
        """The messages with cards that are still there."""
        return [one for one in self.heard(email) if "attachments" in one and one["id"] in self.world.messages]

    async def ask(self, email: str, text: str) -> str:
        """Says something to the bot and waits for its answer."""
        before = len(self.heard(email))
        self.world.say(email, BOT_EMAIL, text=text)
        await eventually(lambda: len(self.heard(email)) > before, why=f"an answer to {text!r}")
        return str(self.texts(email)[before])

    async def told(self, email: str, part: str) -> str:
        """The bot's first message to somebody that has these words."""
        found = await eventually(
            lambda: [one for one in self.texts(email) if part in one], why=f"{email}: {part}"
        )
        return str(found[0])

    async def card(self, email: str) -> dict[str, Any]:
        return dict((await eventually(lambda: self.cards(email), why=f"a card for {email}"))[-1])

    async def opened(self, subject: str = "ada", **data: Any) -> Customer:
        """A customer who is with Amy (or whoever is next) and whose words are there; or who waits."""
        before = self._said()
        customer = await self.bridge.opened(subject, "my order broke", **data)

        async def settled() -> bool:
            return self._said() > before or await customer.status() != "open"

        await eventually(settled)
        return customer

    def _said(self) -> int:
        return sum(len(self.texts_of_guest(email)) for email in (AMY, BO, CY))

    def press(self, email: str, card: dict[str, Any], do: str, **inputs: Any) -> None:
        """Presses a button as Webex's clients do: with the button's own data and what was filled in."""
        [action] = [one for one in card["attachments"][0]["content"]["actions"] if one["data"]["do"] == do]
        self.world.press(email, card["id"], {**action["data"], **inputs})

    async def audit(self) -> list[tuple[str, str, str]]:
        """(who, what, outcome) of everything."""
        query = select(audit.c.who, audit.c.what, audit.c.outcome).order_by(audit.c.id)
        return await self.bridge.service.store.read(
            lambda connection: [tuple(row) for row in connection.execute(query)]
        )  # type: ignore[misc]

    def texts_of_guest(self, email: str) -> list[str]:
        """What customers said to an agent."""
        return [
            one.get("text", "") for one in self.world.messages_to(email) if one["personEmail"] != BOT_EMAIL
        ]

    def guest_thread(self, email: str) -> str:
        """The e-mail of the guest who wrote to an agent last."""
        mine = [one for one in self.world.messages_to(email) if one["personEmail"] != BOT_EMAIL]
        return str(mine[-1]["personEmail"])

    async def ended(self, customer: Customer) -> bool:
        return await customer.status() == "ended"

    async def heard_by(self, customer: Customer, text: str) -> bool:
        return text in await customer.heard()

    async def states(self, state: str) -> list[str]:
        """The payloads of the bot's deliveries in this state."""
        query = select(deliveries.c.payload).where(deliveries.c.state == state, deliveries.c.kind == "note")
        return await self.bridge.service.store.read(
            lambda connection: list(connection.execute(query).scalars())
        )

    async def dead(self) -> list[str]:
        return await self.states("dead")

    async def settled(self) -> None:
        """Everything the bot had to say has been said."""

        async def nothing_left() -> bool:
            return not await self.states("open")

        await eventually(nothing_left)

    # what time brings, without waiting for it

    async def look_for_trouble(self) -> None:
        await self.bot.look_for_trouble()

    async def look_at_presence(self) -> None:
        await self.bot.look_at_presence()

    async def reconcile(self) -> None:
        await self.bot.reconcile()

    async def waiting(self, number: int = 1) -> bool:
        return len(await self.bridge.service.store.read(in_queue)) == number

    async def all_heard(self) -> bool:
        """Nothing that was said to the bot waits."""
        query = select(deliveries.c.id).where(deliveries.c.state == "open", deliveries.c.kind == "heard")
        return not await self.bridge.service.store.read(lambda connection: list(connection.execute(query)))

    async def kill_letter(self, text: str, kind: str = "say") -> None:
        """Something that could not be delivered."""

        def put(connection: Any, items: Any) -> list[None]:
            row = {
                "lane": f"say:{text}",
                "kind": kind,
                "conversation_id": "",
                "payload": "{}",
                "state": "dead",
            }
            now = self.bridge.clock.now()
            connection.execute(insert(deliveries), [{**row, "created_at": now, "done_at": now}])
            return [None] * len(items)

        await self.bridge.service.store.do(put, None)


def ref(customer: Customer) -> str:
    return customer.id[-6:].upper()
