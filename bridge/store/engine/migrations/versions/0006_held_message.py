"""Which message was held, so that an edit of it can be heard; and the threads that cannot be read, found quickly."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    op.add_column("held", sa.Column("webex_id", sa.Text(), nullable=True))
    known, failing = sa.text("webex_id IS NOT NULL"), sa.text("read_failures > 0")
    op.create_index("held_webex", "held", ["webex_id"], sqlite_where=known, postgresql_where=known)
    op.create_index(
        "threads_failing", "threads", ["read_failures"], sqlite_where=failing, postgresql_where=failing
    )
