"""The schema. Times are epoch seconds (UTC), JSON is text, secrets and tokens are encrypted text.

Two work tables carry everything: `envelopes` (the inbox: what happened) and `deliveries` (the outbox: what
we do about it). Their order is kept by `lanes`: one row per lane that has work, leased by one worker at a
time. `lanes.ready_at` is at once 'not before' and the end of the lease, so one index answers every claim and
a dead worker's lane comes back by itself.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Column,
    Float,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    Text,
    text,
)

from bridge.store.engine.words import Flag, Word

metadata = MetaData()
# SQLite hands out rowids only for INTEGER; elsewhere the same columns are BIGINT.
RowId = BigInteger().with_variant(Integer, "sqlite")

envelopes = Table(
    "envelopes",
    metadata,
    Column("id", RowId, primary_key=True, autoincrement=True),
    Column(
        "key", Text, nullable=False, unique=True
    ),  # source:webhook-id, webex:message-id, due:conversation:time
    Column("lane", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("conversation_id", Text, nullable=False),
    Column("body", Text, nullable=False),
    Column("answered", Text, nullable=False),  # the status that the door answered, for a repeat of the event
    Column("received_at", Float, nullable=False),
    Column("done_at", Float),
    Index(
        "envelopes_open",
        "lane",
        "id",
        sqlite_where=text("done_at IS NULL"),
        postgresql_where=text("done_at IS NULL"),
    ),
    Index("envelopes_conversation", "conversation_id"),
    Index("envelopes_done", "done_at"),
)

lanes = Table(
    "lanes",
    metadata,
    Column("key", Text, primary_key=True),
    Column("stage", Word, nullable=False),  # in | say | hear | call | hook | bot | bot-in
    Column("ready_at", Float, nullable=False),
    Column("owner", Text),
    Column(
        "source", Text, nullable=False, server_default=""
    ),  # of a call: whose news; "" where it is not known
    Index("lanes_ready", "stage", "ready_at"),
    Index(
        "lanes_calls",
        "source",
        "ready_at",
        sqlite_where=text("stage = 'call'"),
        postgresql_where=text("stage = 'call'"),
    ),
    Index(
        "lanes_owner",
        "owner",
        sqlite_where=text("owner IS NOT NULL"),
        postgresql_where=text("owner IS NOT NULL"),
    ),
)

deliveries = Table(
    "deliveries",
    metadata,
    Column("id", RowId, primary_key=True, autoincrement=True),
    Column("lane", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("conversation_id", Text, nullable=False),
    Column("seq", Integer),  # the message it carries
    Column("part", Integer, nullable=False, server_default="0"),  # which of its parts: texts, then files
    Column("last", Integer, nullable=False, server_default="1"),  # 0: more parts of the same message follow
    Column("agent", Text),  # the configuration's name
    Column("address", Text),  # an e-mail or a URL
    Column("payload", Text, nullable=False),
    Column("state", Word, nullable=False, server_default="open"),  # open | done | dead | dropped
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column(
        "doubt", Integer, nullable=False, server_default="0"
    ),  # an attempt was begun and its end is unknown
    Column("quiet_until", Float, nullable=False, server_default="0"),  # a doubtful one is not repeated before
    Column("error", Text),
    Column("webex_id", Text),
    Column("created_at", Float, nullable=False),
    Column("done_at", Float),
    Index(
        "deliveries_open",
        "lane",
        "id",
        sqlite_where=text("state = 'open'"),
        postgresql_where=text("state = 'open'"),
    ),
    Index(
        "deliveries_dead",
        "done_at",
        sqlite_where=text("state = 'dead'"),
        postgresql_where=text("state = 'dead'"),
    ),
    Index("deliveries_conversation", "conversation_id"),
    Index(
        "deliveries_of_none",  # what the bot said and heard of no conversation
        "done_at",
        sqlite_where=text("conversation_id = ''"),
        postgresql_where=text("conversation_id = ''"),
    ),
    Index(
        "deliveries_webex",
        "webex_id",
        sqlite_where=text("webex_id IS NOT NULL"),
        postgresql_where=text("webex_id IS NOT NULL"),
    ),
)

conversations = Table(
    "conversations",
    metadata,
    Column("id", Text, primary_key=True),
    Column("source", Text, nullable=False),
    Column("customer", Text, nullable=False),  # a keyed hash of namespace and subject
    Column("subject", Text, nullable=False),
    Column("display_name", Text, nullable=False),
    Column("guest_id", Text, nullable=False),
    Column("store", Text),
    Column("topic", Text),
    Column("language", Text),
    Column("context", Text),
    Column("status", Word, nullable=False),  # new | queued | open | ended
    Column("accepting", Flag, nullable=False),  # 0 from the moment an end was accepted
    Column("key_dead_at", Float),  # from then on the customer's key answers 410
    Column("team", Text),
    Column("agent", Text),
    Column("agent_email", Text),
    Column("tried", Text, nullable=False, server_default="[]"),  # agents who had it and did not answer
    Column("former_agent", Text),  # whom this customer spoke with last time
    Column("former_at", Float),
    Column("last_seq", Integer, nullable=False, server_default="0"),
    Column("created_at", Float, nullable=False),
    Column("queued_at", Float),
    Column("given_at", Float),
    Column("opened_at", Float),
    Column("ended_at", Float),
    Column("end_reason", Text),
    Column("opens_at", Float),
    Column("told", Text),  # what a waiting customer was told last: queued | closed
    Column("customer_at", Float),
    Column("agent_at", Float),  # None until the present agent has said something
    Column("warned_at", Float),
    Column("alerted_at", Float),
    Column("asked_at", Float),  # when nobody else was found to answer for a silent agent
    Column("owed_at", Float),  # since when the present agent owes a first word
    Column("due_at", Float),
    Index(
        "conversations_accepting",
        "customer",
        unique=True,
        sqlite_where=text("accepting = 1"),
        postgresql_where=text("accepting = 1"),
    ),
    Index(
        "conversations_queued",
        "team",
        "queued_at",
        sqlite_where=text("status = 'queued'"),
        postgresql_where=text("status = 'queued'"),
    ),
    Index(
        "conversations_due",
        "due_at",
        sqlite_where=text("due_at IS NOT NULL"),
        postgresql_where=text("due_at IS NOT NULL"),
    ),
    Index(
        "conversations_open",
        "agent",
        sqlite_where=text("status = 'open'"),
        postgresql_where=text("status = 'open'"),
    ),
    Index(
        "conversations_ended",
        "ended_at",
        "id",
        sqlite_where=text("status = 'ended'"),
        postgresql_where=text("status = 'ended'"),
    ),
    Index("conversations_customer", "customer"),
    Index("conversations_created", "created_at"),
)

messages = Table(
    "messages",
    metadata,
    Column("conversation_id", Text, nullable=False),
    Column("seq", Integer, nullable=False),
    Column("id", Text, nullable=False),
    Column("author", Text, nullable=False),  # customer | agent | system
    Column("agent", Text),
    Column("text", Text, nullable=False),
    Column("html", Text),
    Column("files", Text, nullable=False, server_default="[]"),
    Column("at", Float, nullable=False),
    Column("delivery", Text),  # the customer's words: pending | sent | failed
    Column("revised_at", Float),
    Column("webex_id", Text),
    PrimaryKeyConstraint("conversation_id", "seq"),
    Index(
        "messages_webex",
        "webex_id",
        sqlite_where=text("webex_id IS NOT NULL"),
        postgresql_where=text("webex_id IS NOT NULL"),
    ),
)

guests = Table(
    "guests",
    metadata,
    Column("id", Text, primary_key=True),  # the subject that Webex sees
    Column("customer", Text, nullable=False),
    Column("display_name", Text, nullable=False),  # empty once everything about the person was forgotten
    Column("name_key", Text, nullable=False),  # a keyed hash of it, which tells people apart for good
    Column("minted_name", Text),  # the name Webex has
    Column("person_id", Text),
    Column("email", Text),
    Column("token", Text),
    Column("token_issued_at", Float),
    Column("token_expires_at", Float, nullable=False, server_default="0"),
    Column("reissue_at", Float),  # set only while a conversation is open
    Column("reissue_failures", Integer, nullable=False, server_default="0"),
    Column("open_conversations", Integer, nullable=False, server_default="0"),
    Column("minting_until", Float, nullable=False, server_default="0"),
    Column("parked_until", Float, nullable=False, server_default="0"),  # minting for this guest
    Column("webhook", Text),  # what was registered with this guest's token: a fingerprint of the address
    Column("last_agent", Text),
    Column("last_ended_at", Float),
    Column("created_at", Float, nullable=False),
    Index("guests_customer", "customer"),
    Index(
        "guests_reissue",
        "reissue_at",
        sqlite_where=text("reissue_at IS NOT NULL"),
        postgresql_where=text("reissue_at IS NOT NULL"),
    ),
)

guest_tokens = Table(
    "guest_tokens",
    metadata,
    Column("id", RowId, primary_key=True, autoincrement=True),
    Column("guest_id", Text, nullable=False),
    Column("issued_at", Float, nullable=False),
    Column("expires_at", Float, nullable=False),
    Index("guest_tokens_guest", "guest_id", "expires_at"),
    Index("guest_tokens_expiry", "expires_at"),
)

threads = Table(
    "threads",
    metadata,
    Column("guest_id", Text, nullable=False),
    Column("agent_email", Text, nullable=False),
    Column("room_id", Text),
    Column("conversation_id", Text),  # the newest conversation that was carried on in it
    Column("since", Float),  # Webex's time of that conversation's first message here
    Column("since_id", Text),  # and its id: where two times are the same, the thread's order tells
    Column("quiet_since", Float, nullable=False, server_default="0"),
    Column("read_failures", Integer, nullable=False, server_default="0"),
    Column("back_at", Float),  # the agent got that conversation back then, and older words may be unread
    Column("read_at", Float),  # Webex's time of the newest message that was read
    Column("read_id", Text),  # and its id
    Column("unread_from", Text),  # a reading back was cut short: what is older than this is read first
    PrimaryKeyConstraint("guest_id", "agent_email"),
    Index("threads_room", "room_id"),
    Index(
        "threads_failing",
        "read_failures",
        sqlite_where=text("read_failures > 0"),
        postgresql_where=text("read_failures > 0"),
    ),
)

heard = Table(
    "heard",
    metadata,
    Column("message_id", Text, primary_key=True),
    Column("guest_id", Text, nullable=False),
    Column("revision", Float, nullable=False, server_default="0"),  # Webex's `updated` of what we know
    Column("at", Float, nullable=False),
    Column("agent_email", Text),  # in whose thread
    Column("created", Float),  # Webex's time of it; None: Webex never listed it in the thread
    Column("deleted", Integer, nullable=False, server_default="0"),  # 1: taken back, never to be shown
    Index("heard_guest", "guest_id"),
    Index("heard_at", "at"),
)

hints = Table(
    "hints",
    metadata,
    Column("message_id", Text, primary_key=True),
    Column("guest_id", Text, nullable=False),
    Column("agent_email", Text, nullable=False),
    Column("at", Float, nullable=False),
    Index("hints_thread", "guest_id", "agent_email"),
)

agents = Table(
    "agents",
    metadata,
    Column("key", Text, primary_key=True),
    Column("open", Integer, nullable=False, server_default="0"),
    Column("given", Integer, nullable=False, server_default="0"),
    Column("last_given_at", Float),
    Column("refused_until", Float),
    Column("refused", Text),
    Column("absent_until", Float),
    Column("absent", Text),  # what their presence in Webex says against them
)

# Whom Webex did not let write to an agent in the last hour; see `domain/refusals.py`.
refusals = Table(
    "refusals",
    metadata,
    Column("agent", Text, nullable=False),
    Column("guest_id", Text, nullable=False),
    Column("conversation_id", Text, nullable=False),
    Column("delivery_id", BigInteger, nullable=False),
    Column("at", Float, nullable=False),
    PrimaryKeyConstraint("agent", "guest_id"),
)

files = Table(
    "files",
    metadata,
    Column("id", Text, primary_key=True),
    Column("conversation_id", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("type", Text, nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("reserved", BigInteger, nullable=False, server_default="0"),  # bytes that may still come
    Column("url", Text),  # an agent's file at Webex; None: the bytes are in file_chunks
    Column("created_at", Float, nullable=False),
    Index("files_conversation", "conversation_id"),
    Index(  # how much customers' files take up is answered by it alone
        "files_held",
        "size",
        "reserved",
        "created_at",
        sqlite_where=text("url IS NULL"),
        postgresql_where=text("url IS NULL"),
    ),
    Index(
        "files_own",
        "created_at",
        "id",
        sqlite_where=text("url IS NULL"),
        postgresql_where=text("url IS NULL"),
    ),
)

file_chunks = Table(
    "file_chunks",
    metadata,
    Column("file_id", Text, nullable=False),
    Column("n", Integer, nullable=False),
    Column("data", LargeBinary, nullable=False),
    PrimaryKeyConstraint("file_id", "n"),
)

held = Table(
    "held",
    metadata,
    Column("id", RowId, primary_key=True, autoincrement=True),
    Column("conversation_id", Text, nullable=False),
    Column("kind", Text, nullable=False),  # late | note | command | unknown-command | unread | deleted
    Column("agent_email", Text),
    Column("text", Text, nullable=False),
    Column("at", Float, nullable=False),
    Column("webex_id", Text),
    Index("held_conversation", "conversation_id"),
    Index(
        "held_webex",
        "webex_id",
        sqlite_where=text("webex_id IS NOT NULL"),
        postgresql_where=text("webex_id IS NOT NULL"),
    ),
)

secrets = Table(
    "secrets",
    metadata,
    Column("name", Text, primary_key=True),
    Column("value", Text, nullable=False),
    Column("written_at", Float, nullable=False),
)

# What leads and agents change for a while: off duty, on duty, covering, a team that takes nobody new.
overrides = Table(
    "overrides",
    metadata,
    Column("id", RowId, primary_key=True, autoincrement=True),
    Column("kind", Text, nullable=False),  # off | on | cover | pause
    Column("agent", Text),
    Column("for_agent", Text),
    Column("team", Text),
    Column("starts_at", Float, nullable=False),
    Column("ends_at", Float, nullable=False),
    Column("by", Text, nullable=False),
    Column("created_at", Float, nullable=False),
    Index("overrides_end", "ends_at"),
)

# Every choice of an agent, with its reason and who was passed over.
choices = Table(
    "choices",
    metadata,
    Column("id", RowId, primary_key=True, autoincrement=True),
    Column("conversation_id", Text, nullable=False),
    Column("at", Float, nullable=False),
    Column("team", Text, nullable=False),
    Column("agent", Text),
    Column("reason", Text, nullable=False),
    Column("passed_over", Text, nullable=False),
    Index("choices_conversation", "conversation_id"),
)

# What customers thought of their conversations, once and after the end.
ratings = Table(
    "ratings",
    metadata,
    Column("conversation_id", Text, primary_key=True),
    Column("score", Integer, nullable=False),  # 1 to 5
    Column("comment", Text),
    Column("at", Float, nullable=False),
)

# Who did what by the bot or the board.
audit = Table(
    "audit",
    metadata,
    Column("id", RowId, primary_key=True, autoincrement=True),
    Column("at", Float, nullable=False),
    Column("who", Text, nullable=False),
    Column("what", Text, nullable=False),
    Column("outcome", Text, nullable=False),
)

# What leads were told is wrong and is not right again yet.
alarms = Table(
    "alarms",
    metadata,
    Column("key", Text, primary_key=True),
    Column("level", Integer, nullable=False),  # told again when it rises
    Column("leads", Text, nullable=False),
    Column("cleared", Text, nullable=False),  # what they are told when it is over
    Column("since", Float, nullable=False),
)

# Named leases and parks: who may do a thing that must be done once, and until when a flow is parked.
locks = Table(
    "locks",
    metadata,
    Column("name", Text, primary_key=True),
    Column("owner", Text),
    Column("until", Float, nullable=False),
)

# How often the machine's time of day was set, for what is kept for a time (SQLite only).
clock_jumps = Table(
    "clock_jumps",
    metadata,
    Column("id", RowId, primary_key=True, autoincrement=True),
    Column("at", Float, nullable=False),  # right after it
    Column("seconds", Float, nullable=False),  # forward; below 0: back
)
