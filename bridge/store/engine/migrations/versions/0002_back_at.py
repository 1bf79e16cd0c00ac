"""When an agent got a conversation back: what they wrote while it was somebody else's is not for the customer."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.add_column("threads", sa.Column("back_at", sa.Float(), nullable=True))
