"""Which part of a long message, or which of its files, a delivery carries: an agent who gets a conversation back
gets the parts that they have not got."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

# The parts of one message for one agent were stored together, in their order.
_NUMBERED = """
UPDATE deliveries SET part = (
    SELECT count(*) FROM deliveries AS former
    WHERE former.conversation_id = deliveries.conversation_id AND former.kind = 'say'
    AND former.seq = deliveries.seq AND former.address = deliveries.address
    AND former.created_at = deliveries.created_at AND former.id < deliveries.id
)
WHERE kind = 'say' AND conversation_id IN (
    SELECT conversation_id FROM deliveries WHERE kind = 'say' AND last = 0
)
"""


def upgrade() -> None:
    op.add_column("deliveries", sa.Column("part", sa.Integer(), server_default="0", nullable=False))
    op.execute(_NUMBERED)
