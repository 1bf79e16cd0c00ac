"""What in a 1:1 thread is new, whose it is, and how often to look."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Protocol, TypeVar

HINT_TRIES = 6  # reads that a message which Webex told of may be missing from; then it is asked for by its id
_BUSY_SECONDS = 60.0
_SLOWEST_POLL = 30.0
_LISTED_WITHIN = 30.0
_FORGET_SECONDS = 7 * 86400.0


class Listed(Protocol):
    """A message as Webex lists it: its id, and Webex's own time of it."""

    @property
    def id(self) -> str: ...

    @property
    def created(self) -> float: ...


M = TypeVar("M", bound=Listed)


def is_the_guests(
    person_id: str, email: str, guest_id: str | None, guest_email: str | None, agent_email: str
) -> bool:
    """True if a message of a 1:1 is the guest's own: a 1:1 has two members, and who is not the guest is the agent.

    An agent may write from another address than the configured one (renamed, an alias). Where Webex has not told who
    the guest is there (the legacy issuer), the agent's address decides.
    """
    if guest_id is not None:
        return person_id == guest_id
    if guest_email is not None:
        return email.casefold() == guest_email.casefold()
    return email.casefold() != agent_email.casefold()


def next_read(
    now: float, *, quiet_since: float, open: bool, present: bool, polled: bool, poll_seconds: float
) -> float | None:
    """When a thread is read again, None: only when Webex tells of something.

    Polled: every `poll_seconds` while words flow, slowing to 30 s. By webhook: now and then all the same, for
    Webex does not repeat a webhook that got lost. A former agent's thread is looked at seldom; no thread is
    read when its conversation is over.
    """
    if not open:
        return None
    quiet = max(0.0, now - quiet_since)
    if not present:
        return now + _SLOWEST_POLL
    if polled:
        slowest = max(_SLOWEST_POLL, poll_seconds)
        return now + min(slowest, poll_seconds * max(1.0, quiet / _BUSY_SECONDS))
    return now + min(300.0, max(_SLOWEST_POLL, quiet))


def reaches_back(
    listed: Iterable[Listed],
    *,
    since: float,
    since_id: str | None,
    read_at: float | None,
    read_id: str | None,
) -> bool:
    """Whether what is `listed` goes back to the newest message that was read before, or to the conversation's first.

    Each is known by its id, or by an older one where it was deleted. All times are Webex's own, of messages in
    one thread, so no two clocks are compared.
    """
    known = {since_id, read_id} - {None}
    back_to = since if read_at is None else max(since, read_at)
    return any(message.id in known or message.created < back_to for message in listed)


def oldest_first(listed: Sequence[M]) -> list[M]:
    """Sorts what Webex lists newest first. Within one moment only its order tells what came first."""
    return sorted(listed, key=lambda message: message.created, reverse=True)[::-1]


def in_time(created: float, since: float | None, *, listed_after: bool) -> bool:
    """Whether an agent's message belongs to the conversation that began in this thread at `since`.

    Both are Webex's own times of messages in one thread, so no two clocks are compared; where they are the
    same, `listed_after` says what the thread's own order tells.
    """
    return since is not None and (created > since or (created == since and listed_after))


def while_away(created: float, back_at: float | None) -> bool:
    """Whether an agent wrote this while the conversation was somebody else's, before they got it back at `back_at`.

    Webex's time is compared with ours here, for nothing is written in the thread when it comes back.
    """
    return back_at is not None and created <= back_at


def all_listed(now: float, back_at: float | None) -> bool:
    """Whether Webex lists by now what was written before `back_at`: then our clock need not be asked any more."""
    return back_at is None or now >= back_at + _LISTED_WITHIN


def worth_keeping(created: float, since: float | None) -> bool:
    """Old words of earlier visits were dealt with then."""
    return since is None or created > since - _FORGET_SECONDS
