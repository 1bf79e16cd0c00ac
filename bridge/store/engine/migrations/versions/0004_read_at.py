"""How far a thread was read by Webex's own times, and which words were taken back."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.add_column("threads", sa.Column("read_at", sa.Float(), nullable=True))
    op.add_column("threads", sa.Column("read_id", sa.Text(), nullable=True))
    op.add_column("threads", sa.Column("unread_from", sa.Text(), nullable=True))
    # Until now threads were read back to ten minutes before they fell quiet.
    op.execute("UPDATE threads SET read_at = quiet_since - 600 WHERE since IS NOT NULL")
    op.add_column("heard", sa.Column("agent_email", sa.Text(), nullable=True))
    op.add_column("heard", sa.Column("created", sa.Float(), nullable=True))
    op.add_column("heard", sa.Column("deleted", sa.Integer(), server_default="0", nullable=False))
