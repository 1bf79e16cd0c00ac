"""What files may still come to, so that their bytes are counted before they arrive."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0005"


def upgrade() -> None:
    op.add_column("files", sa.Column("reserved", sa.BigInteger(), nullable=False, server_default="0"))
    op.create_index(
        "files_held",
        "files",
        ["size", "reserved", "created_at"],
        sqlite_where=sa.text("url IS NULL"),
        postgresql_where=sa.text("url IS NULL"),
    )
