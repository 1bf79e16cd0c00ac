"""A round of intake piece by piece: of many, the few that cannot be decided or written are found and left out.

A piece is tried in a savepoint, by a worker that sees what the pieces before it left in the store. One that fails
is halved until the culprit stands alone.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from sqlalchemy import Connection, select

from bridge.domain.conversation.desk import Desk
from bridge.domain.conversation.model import Envelope
from bridge.domain.errors import crash
from bridge.store.delivering import put_deliveries
from bridge.store.engine.committer import is_about_values
from bridge.store.lanes import in_lane
from bridge.store.operator.dead_letters import dead_envelope
from bridge.store.tables import conversations, deliveries

if TYPE_CHECKING:
    from bridge.store.deciding import Outcome


@dataclass(frozen=True, slots=True)
class Failed:
    """An envelope that no plan could be made of, or written; `why` as `crash` tells it."""

    conversation: str
    envelope: int
    kind: str
    why: Mapping[str, Any]


class Worker(Protocol):
    """Decides, then writes down what it decided. What it looked at in a queue it says, oldest first."""

    looked_at: list[str]

    @property
    def desk(self) -> Desk: ...

    def decide(self, rows: Sequence[Any]) -> None: ...

    def drain(self) -> None: ...

    def drain_these(self, idents: Sequence[str]) -> None: ...

    def write(self) -> Outcome: ...


class Pieces:
    """One round. A database that takes nothing at all is nobody's fault here, and raised as it comes."""

    def __init__(
        self, connection: Connection, now: float, begin: Callable[[], Worker], outcome: Outcome
    ) -> None:
        self._connection = connection
        self._now = now
        self._begin = begin
        self._worth_a_look = False
        self.outcome = outcome

    def work(self, rows: Sequence[Any]) -> None:
        """Who waits goes first, as ever; then the envelopes of these rows, in order."""
        self._drain()
        self._decide(rows)
        if self._worth_a_look:
            self._drain()

    def _decide(self, rows: Sequence[Any]) -> None:
        if not rows:
            return
        _, error = self._try(lambda worker: worker.decide(rows))
        if error is None:
            return
        if len(rows) == 1:
            self._give_up(rows[0], error)
            return
        middle = len(rows) // 2
        self._decide(rows[:middle])
        self._decide(rows[middle:])

    def _drain(self) -> None:
        worker, error = self._try(lambda worker: worker.drain())
        if error is None:
            self._worth_a_look = False
        elif not worker.looked_at:
            raise error  # it was not about anybody who waits
        else:
            self._drain_these(list(dict.fromkeys(worker.looked_at)))

    def _drain_these(self, idents: Sequence[str]) -> None:
        _, error = self._try(lambda worker: worker.drain_these(idents))
        if error is None:
            return
        if len(idents) == 1:
            self._leave_out(idents[0], error)
            return
        middle = len(idents) // 2
        self._drain_these(idents[:middle])
        self._drain_these(idents[middle:])

    def _try(self, act: Callable[[Worker], None]) -> tuple[Worker, Exception | None]:
        """The worker, and why nothing of what it did is left. Raises what is the database's affair."""
        worker = self._begin()
        worker.desk.worth_a_look = self._worth_a_look
        try:
            with self._connection.begin_nested():
                act(worker)
                done = worker.write()
        except Exception as error:
            if not is_about_values(error):
                raise
            return worker, error
        self._worth_a_look = worker.desk.worth_a_look
        self.outcome.add(done)
        return worker, None

    def _give_up(self, row: Any, error: Exception) -> None:
        """An envelope of which nothing can be made is kept as a dead letter."""
        try:
            body = json.loads(row.body)
        except ValueError:
            body = row.body
        envelope = Envelope(row.id, row.key, row.lane, row.kind, row.conversation_id, body, row.received_at)
        self._bury(envelope, error)

    def _leave_out(self, ident: str, error: Exception) -> None:
        """One that waits stays where it is, and is not looked at again before something happens in it.

        Its dead letter, one at a time, is for the operator: replayed, it is looked at once more.
        """
        self._begin().desk.book.left_out.add(ident)
        d, key = deliveries.c, f"queued:{ident}"
        told = (d.conversation_id == ident, d.state == "dead", d.payload.contains(key))
        if self._connection.execute(select(d.id).where(*told)).first() is None:
            mine = conversations.c.id == ident
            customer = self._connection.execute(select(conversations.c.customer).where(mine)).scalar_one()
            self._bury(Envelope(0, key, in_lane(customer), "due", ident, {}, self._now), error)

    def _bury(self, envelope: Envelope, error: Exception) -> None:
        failed = Failed(envelope.conversation_id, envelope.id, envelope.kind, crash(error))
        self.outcome.failed.append(failed)
        put_deliveries(self._connection, [dead_envelope(envelope, error, self._now)])
