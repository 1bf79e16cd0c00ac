"""Who in a 1:1 with the bot is no person."""

from __future__ import annotations

_DOMAINS = ("@webex.bot", "@appid.ciscospark.com", "@serviceapp.webex.com")


def is_machine(email: str) -> bool:
    """Tells by an address whether it is a bot's, a guest's or a Service App's. Two of them could talk for ever."""
    return email.casefold().endswith(_DOMAINS)
