"""Who is who without saying so: keyed names for customers, guests and conversations.

Everything is a keyed hash (BLAKE2b, RFC 7693) under one *root* secret that is made once and kept, encrypted,
in the store. Changing BRIDGE_SECRET_KEY re-encrypts the root but does not change it, so the names stay.
"""

from __future__ import annotations

import hashlib
from base64 import urlsafe_b64encode


def _keyed(root: bytes, purpose: str, *parts: str) -> bytes:
    # Length prefixes keep ("ab", "c") apart from ("a", "bc").
    text = b"".join([b"%d:%b" % (len(raw), raw) for raw in map(str.encode, (purpose, *parts))])
    return hashlib.blake2b(text, key=root[:64], digest_size=32).digest()


def customer_key(root: bytes, namespace: str, subject: str) -> str:
    """The customer's name inside the bridge: 32 hex digits, the same for all sources of a namespace."""
    return _keyed(root, "customer", namespace, subject).hex()[:32]


def guest_subject(root: bytes, customer: str, generation: str) -> str:
    """The subject that Webex sees: stable, unguessable, letters, digits and hyphens only.

    `generation` is empty for the customer's first guest; for a later one (`rename: new-guest`) it is the
    display name, so that the same name comes back to the same guest.
    """
    return "wgb-" + _keyed(root, "guest", customer, generation).hex()[:40]


def name_key(root: bytes, customer: str, display_name: str) -> str:
    """Tells whether two names of a customer are the same, when the names themselves are long forgotten."""
    return _keyed(root, "name", customer, display_name).hex()[:16]


def conversation_key(root: bytes, conversation_id: str) -> str:
    """The bearer secret of one conversation's customer."""
    return urlsafe_b64encode(_keyed(root, "conversation", conversation_id)).decode().rstrip("=")


def subject_hash(customer: str) -> str:
    """What logs may say of a subject."""
    return customer[:12]


def event_id(source: str, webhook_id: str) -> str:
    """The id we answer for an event; the same webhook-id always gets the same."""
    return "evt_" + hashlib.sha256(f"{source}\n{webhook_id}".encode()).hexdigest()[:24]


def reference(conversation_id: str) -> str:
    """A short reference for people, e.g. on the agent's card."""
    return conversation_id[-6:].upper()
