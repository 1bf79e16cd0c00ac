"""What a 429 of Webex speaks for: whose calls wait, and which of them.

Webex's limits are shared by all calls of one user, so a 429 is about the token's owner and not about the one
thing that was asked. Reading and sending have clocks of their own (contract 6.7).

Source: https://developer.webex.com/docs/basics (rate limiting)
"""

from __future__ import annotations

BOT, SERVICE_APP, GUEST_ISSUER = "bot", "service-app", "guest-issuer"
SENDING, READING, MINTING = "sending", "reading", "minting"
# Presence is asked for often, who somebody is once: being told to wait with the one must not stop the other.
_BY_PATH = {"/guests/token": MINTING, "/jwt/login": MINTING, "/people/me": "me"}
_MINTING_MOST = 60.0  # the one guest waits longer, where Webex says so; all others do not


class OwnedToken(str):
    """A token that says whose it is (a guest's id, or one of the names above): it changes, its owner does not.

    `good_until`: from then on no call is made with it, by the clock that never jumps; None: it is not known.
    """

    owner: str
    good_until: float | None

    def __new__(cls, value: str, owner: str, good_until: float | None = None) -> OwnedToken:
        token = super().__new__(cls, value)
        token.owner = owner
        token.good_until = good_until
        return token


def flow_of(method: str, path: str) -> str:
    """The flow that a call belongs to, and that a 429 to it closes. `path`: a template, without ids."""
    resource = path.split("/")[1]
    if resource != "messages":
        return _BY_PATH.get(path, resource)
    return READING if method == "GET" else SENDING


def flows_of(method: str, path: str) -> tuple[str, ...]:
    """The flows that must be open for a call: its own, and for whatever writes the sending of messages."""
    flow = flow_of(method, path)
    return (flow,) if method == "GET" or flow in (MINTING, SENDING) else (flow, SENDING)


def longest(flow: str, seconds: float) -> float:
    """For how long a 429 closes its flow to everything of its owner."""
    return min(seconds, _MINTING_MOST) if flow == MINTING else seconds
