"""Writing down what became of words that are in a transcript already: changed, failed, given up."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, bindparam, case, update

from bridge.domain.conversation.model import GivenUp, Revision
from bridge.store.engine.prepared import Prepared
from bridge.store.tables import deliveries, messages


def change_words(
    connection: Connection,
    now: float,
    revisions: Sequence[tuple[str, Revision]],
    undelivered: Sequence[str],
    given_up: Sequence[tuple[str, GivenUp]],
) -> None:
    """Agents' edits; customers' words that nobody got, of whole conversations; and single ones that were refused."""
    _REVISE.many(
        connection,
        [
            {
                "conversation": conversation,
                "webex": one.webex_id,
                "new_text": one.text,
                "new_html": one.html,
                "moment": now,
            }
            for conversation, one in revisions
        ],
    )
    _UNDELIVERED.many(connection, [{"conversation": one} for one in undelivered])
    _GIVEN_UP.many(
        connection, [{"delivery": one.delivery, "why": one.reason, "at": now} for _, one in given_up]
    )
    _FAILED.many(
        connection, [{"conversation": conversation, "number": one.seq} for conversation, one in given_up]
    )


_REVISE = Prepared(
    update(messages)
    .where(messages.c.webex_id == bindparam("webex"), messages.c.conversation_id == bindparam("conversation"))
    .values(
        text=bindparam("new_text"),
        html=bindparam("new_html"),
        # Taken back with its files; what has files cannot be edited.
        files=case((bindparam("new_text") == "", "[]"), else_=messages.c.files),
        revised_at=bindparam("moment"),
    )
)
_UNDELIVERED = Prepared(
    update(messages)
    .where(messages.c.conversation_id == bindparam("conversation"), messages.c.delivery == "pending")
    .values(delivery="failed")
)
_GIVEN_UP = Prepared(
    update(deliveries)
    .where(deliveries.c.id == bindparam("delivery"), deliveries.c.state == "dropped")
    .values(state="dead", error=bindparam("why"), done_at=bindparam("at"))
)
_FAILED = Prepared(
    update(messages)
    .where(messages.c.conversation_id == bindparam("conversation"), messages.c.seq == bindparam("number"))
    .values(delivery="failed")
)
