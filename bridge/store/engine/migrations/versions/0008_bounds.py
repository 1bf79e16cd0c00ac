"""What files may still come to, counted before it arrives; and of each lane of news, whose news it is."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    op.add_column("files", sa.Column("reserved", sa.BigInteger(), nullable=False, server_default="0"))
    op.create_index(
        "files_held",
        "files",
        ["size", "reserved", "created_at"],
        sqlite_where=sa.text("url IS NULL"),
        postgresql_where=sa.text("url IS NULL"),
    )
    op.add_column("lanes", sa.Column("source", sa.Text(), nullable=False, server_default=""))
    op.create_index(
        "lanes_calls",
        "lanes",
        ["source", "ready_at"],
        sqlite_where=sa.text("stage = 'call'"),
        postgresql_where=sa.text("stage = 'call'"),
    )
