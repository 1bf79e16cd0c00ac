"""What retention looks for has its indexes, and it knows how often the clock was set."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    for name, table, columns, where in (
        ("conversations_ended", "conversations", ["ended_at", "id"], "status = 'ended'"),
        ("deliveries_of_none", "deliveries", ["done_at"], "conversation_id = ''"),
        ("files_own", "files", ["created_at", "id"], "url IS NULL"),
    ):
        op.create_index(name, table, columns, sqlite_where=sa.text(where), postgresql_where=sa.text(where))
    op.create_index("heard_at", "heard", ["at"])
    op.create_table(
        "clock_jumps",
        sa.Column(
            "id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False
        ),
        sa.Column("at", sa.Float(), nullable=False),
        sa.Column("seconds", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
