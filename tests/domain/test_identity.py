"""Derived names."""

import re

from bridge.domain import identity

ROOT = b"root-secret"


def test_a_customer_is_the_same_for_every_source_of_a_namespace():
    """The key depends on namespace and subject, and on nothing else."""
    assert identity.customer_key(ROOT, "shop", "ada") == identity.customer_key(ROOT, "shop", "ada")
    assert identity.customer_key(ROOT, "shop", "ada") != identity.customer_key(ROOT, "web", "ada")
    assert identity.customer_key(ROOT, "ab", "c") != identity.customer_key(ROOT, "a", "bc")


def test_what_webex_sees_is_unguessable_and_legal_everywhere():
    """Without the root nobody can derive it; a JWT's sub takes it; it holds nothing of the subject."""
    subject = identity.guest_subject(ROOT, identity.customer_key(ROOT, "shop", "ada@example.com"), "")
    assert re.fullmatch(r"[A-Za-z0-9-]+", subject)
    assert "ada" not in subject
    assert subject != identity.guest_subject(
        b"other", identity.customer_key(b"other", "shop", "ada@example.com"), ""
    )


def test_another_generation_is_another_guest():
    """A new person under a known subject gets a guest of their own, and comes back to it."""
    customer = identity.customer_key(ROOT, "shop", "kiosk-7")
    assert identity.guest_subject(ROOT, customer, "") != identity.guest_subject(ROOT, customer, "Bob")
    assert identity.guest_subject(ROOT, customer, "Bob") == identity.guest_subject(ROOT, customer, "Bob")


def test_keys_of_conversations_differ():
    """The key of one conversation opens no other."""
    assert identity.conversation_key(ROOT, "a") != identity.conversation_key(ROOT, "b")
    assert len(identity.conversation_key(ROOT, "a")) >= 43
