"""Which of an agent's words belong to a conversation, and how often a thread is read."""

import pytest

from bridge.domain.conversation.hearing import (
    all_listed,
    in_time,
    next_read,
    oldest_first,
    reaches_back,
    while_away,
    worth_keeping,
)


def test_what_was_said_before_the_customers_first_words_is_not_for_them():
    """Earlier is late, later is in time, by Webex's own clock."""
    assert in_time(100.1, 100.0, listed_after=False)
    assert not in_time(99.9, 100.0, listed_after=True)
    assert not in_time(100.0, None, listed_after=True)


def test_within_one_moment_the_threads_order_tells():
    """Webex's times are milliseconds; an answer in the same one counts if it stands below the question."""
    assert in_time(100.0, 100.0, listed_after=True)
    assert not in_time(100.0, 100.0, listed_after=False)


def test_words_from_between_are_not_for_the_customer():
    """Written by a former agent before they got the conversation back; afterwards all is as ever."""
    assert while_away(99.0, 100.0)
    assert while_away(100.0, 100.0)
    assert not while_away(100.1, 100.0)
    assert not while_away(99.0, None)
    assert not all_listed(129.9, 100.0)
    assert all_listed(130.0, 100.0)
    assert all_listed(0.0, None)


def test_words_of_long_ago_are_left_alone():
    """What was said in a visit weeks ago was dealt with then."""
    assert worth_keeping(100.0, 100.0 + 6 * 86400)
    assert not worth_keeping(100.0, 100.0 + 8 * 86400)


@pytest.mark.parametrize(
    ("quiet", "wait"), [(0, 2), (30, 2), (60, 2), (120, 4), (600, 20), (3600, 30), (-3600, 2)]
)
def test_polling_slows_down_when_nobody_speaks(quiet, wait):
    """`poll_seconds` while words flow, then ever slower, never slower than 30 s; a clock set back does no harm."""
    at = next_read(1000.0, quiet_since=1000.0 - quiet, open=True, present=True, polled=True, poll_seconds=2)
    assert at == 1000 + wait


def test_a_thread_of_an_ended_conversation_is_not_read():
    """It costs no calls."""
    assert next_read(0, quiet_since=0, open=False, present=True, polled=True, poll_seconds=1) is None


def test_with_webhooks_a_thread_is_still_read_now_and_then():
    """A webhook that got lost is not repeated by Webex."""
    seconds = [
        next_read(1000.0, quiet_since=1000.0 - quiet, open=True, present=True, polled=False, poll_seconds=2)
        - 1000
        for quiet in (0, 100, 10_000)
    ]
    assert seconds == [30, 100, 300]


def test_a_former_agents_thread_is_read_seldom():
    """For their late words, which nobody waits for."""
    assert next_read(0, quiet_since=0, open=True, present=False, polled=True, poll_seconds=1) == 30


class Listed:
    def __init__(self, ident, created):
        self.id, self.created = ident, created


@pytest.mark.parametrize(
    ("listed", "enough"),
    [
        ([("m3", 103.0), ("m2", 102.0)], False),
        ([("m2", 102.0), ("read", 101.0)], True),
        ([("m2", 102.0), ("m1", 101.0)], False),  # in the same moment, and perhaps above it
        ([("m2", 102.0), ("m0", 100.9)], True),  # what was read before is gone
        ([], False),
    ],
)
def test_reading_goes_back_to_what_was_read_before(listed, enough):
    """Known by its id, or by an older one where it was taken back."""
    page = [Listed(*one) for one in listed]
    assert reaches_back(page, since=50.0, since_id="first", read_at=101.0, read_id="read") is enough


def test_reading_goes_back_no_further_than_the_conversation():
    """What was read before, or nothing yet, may be of an earlier visit."""
    page = [Listed("m1", 101.0), Listed("first", 100.0)]
    assert reaches_back(page, since=100.0, since_id="first", read_at=None, read_id=None)
    assert reaches_back(page, since=100.0, since_id="first", read_at=7.0, read_id="old")
    assert not reaches_back(page[:1], since=100.0, since_id="first", read_at=7.0, read_id="old")


def test_what_is_listed_newest_first_is_shown_oldest_first():
    """Within one moment the thread's order tells, and a message out of its place comes to it."""
    listed = [Listed("d", 2.0), Listed("c", 2.0), Listed("a", 0.5), Listed("b", 1.0)]
    assert [one.id for one in oldest_first(listed)] == ["a", "b", "c", "d"]
