"""The first schema.

Revisions only add (expand) within a release, so that an old and a new process can share one database
during a rolling restart; what nobody reads any more is dropped one release later.
"""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.create_table('agents',
    sa.Column('key', sa.Text(), nullable=False),
    sa.Column('open', sa.Integer(), server_default='0', nullable=False),
    sa.Column('given', sa.Integer(), server_default='0', nullable=False),
    sa.Column('last_given_at', sa.Float(), nullable=True),
    sa.Column('refused_until', sa.Float(), nullable=True),
    sa.Column('refused', sa.Text(), nullable=True),
    sa.Column('absent_until', sa.Float(), nullable=True),
    sa.Column('absent', sa.Text(), nullable=True),
    sa.PrimaryKeyConstraint('key')
    )
    op.create_table('alarms',
    sa.Column('key', sa.Text(), nullable=False),
    sa.Column('level', sa.Integer(), nullable=False),
    sa.Column('leads', sa.Text(), nullable=False),
    sa.Column('cleared', sa.Text(), nullable=False),
    sa.Column('since', sa.Float(), nullable=False),
    sa.PrimaryKeyConstraint('key')
    )
    op.create_table('audit',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
    sa.Column('at', sa.Float(), nullable=False),
    sa.Column('who', sa.Text(), nullable=False),
    sa.Column('what', sa.Text(), nullable=False),
    sa.Column('outcome', sa.Text(), nullable=False),
    sa.PrimaryKeyConstraint('id')
    )
    op.create_table('choices',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
    sa.Column('conversation_id', sa.Text(), nullable=False),
    sa.Column('at', sa.Float(), nullable=False),
    sa.Column('team', sa.Text(), nullable=False),
    sa.Column('agent', sa.Text(), nullable=True),
    sa.Column('reason', sa.Text(), nullable=False),
    sa.Column('passed_over', sa.Text(), nullable=False),
    sa.PrimaryKeyConstraint('id')
    )
    op.create_index('choices_conversation', 'choices', ['conversation_id'], unique=False)
    op.create_table('conversations',
    sa.Column('id', sa.Text(), nullable=False),
    sa.Column('source', sa.Text(), nullable=False),
    sa.Column('customer', sa.Text(), nullable=False),
    sa.Column('subject', sa.Text(), nullable=False),
    sa.Column('display_name', sa.Text(), nullable=False),
    sa.Column('guest_id', sa.Text(), nullable=False),
    sa.Column('store', sa.Text(), nullable=True),
    sa.Column('topic', sa.Text(), nullable=True),
    sa.Column('language', sa.Text(), nullable=True),
    sa.Column('context', sa.Text(), nullable=True),
    sa.Column('status', sa.Text(), nullable=False),
    sa.Column('accepting', sa.Integer(), nullable=False),
    sa.Column('key_dead_at', sa.Float(), nullable=True),
    sa.Column('team', sa.Text(), nullable=True),
    sa.Column('agent', sa.Text(), nullable=True),
    sa.Column('agent_email', sa.Text(), nullable=True),
    sa.Column('tried', sa.Text(), server_default='[]', nullable=False),
    sa.Column('former_agent', sa.Text(), nullable=True),
    sa.Column('former_at', sa.Float(), nullable=True),
    sa.Column('last_seq', sa.Integer(), server_default='0', nullable=False),
    sa.Column('created_at', sa.Float(), nullable=False),
    sa.Column('queued_at', sa.Float(), nullable=True),
    sa.Column('given_at', sa.Float(), nullable=True),
    sa.Column('opened_at', sa.Float(), nullable=True),
    sa.Column('ended_at', sa.Float(), nullable=True),
    sa.Column('end_reason', sa.Text(), nullable=True),
    sa.Column('opens_at', sa.Float(), nullable=True),
    sa.Column('told', sa.Text(), nullable=True),
    sa.Column('customer_at', sa.Float(), nullable=True),
    sa.Column('agent_at', sa.Float(), nullable=True),
    sa.Column('warned_at', sa.Float(), nullable=True),
    sa.Column('alerted_at', sa.Float(), nullable=True),
    sa.Column('asked_at', sa.Float(), nullable=True),
    sa.Column('owed_at', sa.Float(), nullable=True),
    sa.Column('due_at', sa.Float(), nullable=True),
    sa.PrimaryKeyConstraint('id')
    )
    op.create_index('conversations_accepting', 'conversations', ['customer'], unique=True, sqlite_where=sa.text('accepting = 1'), postgresql_where=sa.text('accepting = 1'))
    op.create_index('conversations_created', 'conversations', ['created_at'], unique=False)
    op.create_index('conversations_customer', 'conversations', ['customer'], unique=False)
    op.create_index('conversations_due', 'conversations', ['due_at'], unique=False, sqlite_where=sa.text('due_at IS NOT NULL'), postgresql_where=sa.text('due_at IS NOT NULL'))
    op.create_index('conversations_open', 'conversations', ['agent'], unique=False, sqlite_where=sa.text("status = 'open'"), postgresql_where=sa.text("status = 'open'"))
    op.create_index('conversations_queued', 'conversations', ['team', 'queued_at'], unique=False, sqlite_where=sa.text("status = 'queued'"), postgresql_where=sa.text("status = 'queued'"))
    op.create_table('deliveries',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
    sa.Column('lane', sa.Text(), nullable=False),
    sa.Column('kind', sa.Text(), nullable=False),
    sa.Column('conversation_id', sa.Text(), nullable=False),
    sa.Column('seq', sa.Integer(), nullable=True),
    sa.Column('last', sa.Integer(), server_default='1', nullable=False),
    sa.Column('agent', sa.Text(), nullable=True),
    sa.Column('address', sa.Text(), nullable=True),
    sa.Column('payload', sa.Text(), nullable=False),
    sa.Column('state', sa.Text(), server_default='open', nullable=False),
    sa.Column('attempts', sa.Integer(), server_default='0', nullable=False),
    sa.Column('doubt', sa.Integer(), server_default='0', nullable=False),
    sa.Column('quiet_until', sa.Float(), server_default='0', nullable=False),
    sa.Column('error', sa.Text(), nullable=True),
    sa.Column('webex_id', sa.Text(), nullable=True),
    sa.Column('created_at', sa.Float(), nullable=False),
    sa.Column('done_at', sa.Float(), nullable=True),
    sa.PrimaryKeyConstraint('id')
    )
    op.create_index('deliveries_conversation', 'deliveries', ['conversation_id'], unique=False)
    op.create_index('deliveries_dead', 'deliveries', ['done_at'], unique=False, sqlite_where=sa.text("state = 'dead'"), postgresql_where=sa.text("state = 'dead'"))
    op.create_index('deliveries_open', 'deliveries', ['lane', 'id'], unique=False, sqlite_where=sa.text("state = 'open'"), postgresql_where=sa.text("state = 'open'"))
    op.create_index('deliveries_webex', 'deliveries', ['webex_id'], unique=False, sqlite_where=sa.text('webex_id IS NOT NULL'), postgresql_where=sa.text('webex_id IS NOT NULL'))
    op.create_table('envelopes',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
    sa.Column('key', sa.Text(), nullable=False),
    sa.Column('lane', sa.Text(), nullable=False),
    sa.Column('kind', sa.Text(), nullable=False),
    sa.Column('conversation_id', sa.Text(), nullable=False),
    sa.Column('body', sa.Text(), nullable=False),
    sa.Column('answered', sa.Text(), nullable=False),
    sa.Column('received_at', sa.Float(), nullable=False),
    sa.Column('done_at', sa.Float(), nullable=True),
    sa.PrimaryKeyConstraint('id'),
    sa.UniqueConstraint('key')
    )
    op.create_index('envelopes_conversation', 'envelopes', ['conversation_id'], unique=False)
    op.create_index('envelopes_done', 'envelopes', ['done_at'], unique=False)
    op.create_index('envelopes_open', 'envelopes', ['lane', 'id'], unique=False, sqlite_where=sa.text('done_at IS NULL'), postgresql_where=sa.text('done_at IS NULL'))
    op.create_table('file_chunks',
    sa.Column('file_id', sa.Text(), nullable=False),
    sa.Column('n', sa.Integer(), nullable=False),
    sa.Column('data', sa.LargeBinary(), nullable=False),
    sa.PrimaryKeyConstraint('file_id', 'n')
    )
    op.create_table('files',
    sa.Column('id', sa.Text(), nullable=False),
    sa.Column('conversation_id', sa.Text(), nullable=False),
    sa.Column('name', sa.Text(), nullable=False),
    sa.Column('type', sa.Text(), nullable=False),
    sa.Column('size', sa.BigInteger(), nullable=False),
    sa.Column('url', sa.Text(), nullable=True),
    sa.Column('created_at', sa.Float(), nullable=False),
    sa.PrimaryKeyConstraint('id')
    )
    op.create_index('files_conversation', 'files', ['conversation_id'], unique=False)
    op.create_table('guest_tokens',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
    sa.Column('guest_id', sa.Text(), nullable=False),
    sa.Column('issued_at', sa.Float(), nullable=False),
    sa.Column('expires_at', sa.Float(), nullable=False),
    sa.PrimaryKeyConstraint('id')
    )
    op.create_index('guest_tokens_expiry', 'guest_tokens', ['expires_at'], unique=False)
    op.create_index('guest_tokens_guest', 'guest_tokens', ['guest_id', 'expires_at'], unique=False)
    op.create_table('guests',
    sa.Column('id', sa.Text(), nullable=False),
    sa.Column('customer', sa.Text(), nullable=False),
    sa.Column('display_name', sa.Text(), nullable=False),
    sa.Column('name_key', sa.Text(), nullable=False),
    sa.Column('minted_name', sa.Text(), nullable=True),
    sa.Column('person_id', sa.Text(), nullable=True),
    sa.Column('email', sa.Text(), nullable=True),
    sa.Column('token', sa.Text(), nullable=True),
    sa.Column('token_issued_at', sa.Float(), nullable=True),
    sa.Column('token_expires_at', sa.Float(), server_default='0', nullable=False),
    sa.Column('reissue_at', sa.Float(), nullable=True),
    sa.Column('reissue_failures', sa.Integer(), server_default='0', nullable=False),
    sa.Column('open_conversations', sa.Integer(), server_default='0', nullable=False),
    sa.Column('minting_until', sa.Float(), server_default='0', nullable=False),
    sa.Column('parked_until', sa.Float(), server_default='0', nullable=False),
    sa.Column('webhook', sa.Text(), nullable=True),
    sa.Column('last_agent', sa.Text(), nullable=True),
    sa.Column('last_ended_at', sa.Float(), nullable=True),
    sa.Column('created_at', sa.Float(), nullable=False),
    sa.PrimaryKeyConstraint('id')
    )
    op.create_index('guests_customer', 'guests', ['customer'], unique=False)
    op.create_index('guests_reissue', 'guests', ['reissue_at'], unique=False, sqlite_where=sa.text('reissue_at IS NOT NULL'), postgresql_where=sa.text('reissue_at IS NOT NULL'))
    op.create_table('heard',
    sa.Column('message_id', sa.Text(), nullable=False),
    sa.Column('guest_id', sa.Text(), nullable=False),
    sa.Column('revision', sa.Float(), server_default='0', nullable=False),
    sa.Column('at', sa.Float(), nullable=False),
    sa.PrimaryKeyConstraint('message_id')
    )
    op.create_index('heard_guest', 'heard', ['guest_id'], unique=False)
    op.create_table('held',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
    sa.Column('conversation_id', sa.Text(), nullable=False),
    sa.Column('kind', sa.Text(), nullable=False),
    sa.Column('agent_email', sa.Text(), nullable=True),
    sa.Column('text', sa.Text(), nullable=False),
    sa.Column('at', sa.Float(), nullable=False),
    sa.PrimaryKeyConstraint('id')
    )
    op.create_index('held_conversation', 'held', ['conversation_id'], unique=False)
    op.create_table('hints',
    sa.Column('message_id', sa.Text(), nullable=False),
    sa.Column('guest_id', sa.Text(), nullable=False),
    sa.Column('agent_email', sa.Text(), nullable=False),
    sa.Column('at', sa.Float(), nullable=False),
    sa.PrimaryKeyConstraint('message_id')
    )
    op.create_index('hints_thread', 'hints', ['guest_id', 'agent_email'], unique=False)
    op.create_table('lanes',
    sa.Column('key', sa.Text(), nullable=False),
    sa.Column('stage', sa.Text(), nullable=False),
    sa.Column('ready_at', sa.Float(), nullable=False),
    sa.Column('owner', sa.Text(), nullable=True),
    sa.PrimaryKeyConstraint('key')
    )
    op.create_index('lanes_owner', 'lanes', ['owner'], unique=False, sqlite_where=sa.text('owner IS NOT NULL'), postgresql_where=sa.text('owner IS NOT NULL'))
    op.create_index('lanes_ready', 'lanes', ['stage', 'ready_at'], unique=False)
    op.create_table('locks',
    sa.Column('name', sa.Text(), nullable=False),
    sa.Column('owner', sa.Text(), nullable=True),
    sa.Column('until', sa.Float(), nullable=False),
    sa.PrimaryKeyConstraint('name')
    )
    op.create_table('messages',
    sa.Column('conversation_id', sa.Text(), nullable=False),
    sa.Column('seq', sa.Integer(), nullable=False),
    sa.Column('id', sa.Text(), nullable=False),
    sa.Column('author', sa.Text(), nullable=False),
    sa.Column('agent', sa.Text(), nullable=True),
    sa.Column('text', sa.Text(), nullable=False),
    sa.Column('html', sa.Text(), nullable=True),
    sa.Column('files', sa.Text(), server_default='[]', nullable=False),
    sa.Column('at', sa.Float(), nullable=False),
    sa.Column('delivery', sa.Text(), nullable=True),
    sa.Column('revised_at', sa.Float(), nullable=True),
    sa.Column('webex_id', sa.Text(), nullable=True),
    sa.PrimaryKeyConstraint('conversation_id', 'seq')
    )
    op.create_index('messages_webex', 'messages', ['webex_id'], unique=False, sqlite_where=sa.text('webex_id IS NOT NULL'), postgresql_where=sa.text('webex_id IS NOT NULL'))
    op.create_table('overrides',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
    sa.Column('kind', sa.Text(), nullable=False),
    sa.Column('agent', sa.Text(), nullable=True),
    sa.Column('for_agent', sa.Text(), nullable=True),
    sa.Column('team', sa.Text(), nullable=True),
    sa.Column('starts_at', sa.Float(), nullable=False),
    sa.Column('ends_at', sa.Float(), nullable=False),
    sa.Column('by', sa.Text(), nullable=False),
    sa.Column('created_at', sa.Float(), nullable=False),
    sa.PrimaryKeyConstraint('id')
    )
    op.create_index('overrides_end', 'overrides', ['ends_at'], unique=False)
    op.create_table('secrets',
    sa.Column('name', sa.Text(), nullable=False),
    sa.Column('value', sa.Text(), nullable=False),
    sa.Column('written_at', sa.Float(), nullable=False),
    sa.PrimaryKeyConstraint('name')
    )
    op.create_table('threads',
    sa.Column('guest_id', sa.Text(), nullable=False),
    sa.Column('agent_email', sa.Text(), nullable=False),
    sa.Column('room_id', sa.Text(), nullable=True),
    sa.Column('conversation_id', sa.Text(), nullable=True),
    sa.Column('since', sa.Float(), nullable=True),
    sa.Column('since_id', sa.Text(), nullable=True),
    sa.Column('quiet_since', sa.Float(), server_default='0', nullable=False),
    sa.Column('read_failures', sa.Integer(), server_default='0', nullable=False),
    sa.PrimaryKeyConstraint('guest_id', 'agent_email')
    )
    op.create_index('threads_room', 'threads', ['room_id'], unique=False)
    # ### end Alembic commands ###
