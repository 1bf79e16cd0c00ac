"""What a fresh world holds, so that a demo, a test and a separate process agree without talking.

None of these is a secret: they open nothing but a simulator.
"""

from __future__ import annotations

from typing import Final

CLIENT_ID: Final = "sim-client-id"
CLIENT_SECRET: Final = "sim-client-secret"  # noqa: S105 - opens only a simulator, as all of these
REFRESH_TOKEN: Final = "sim-refresh-token"  # noqa: S105
BOT_TOKEN: Final = "sim-bot-token"  # noqa: S105
BOT_EMAIL: Final = "help@webex.bot"
PERSONAL_TOKEN: Final = "sim-personal-token"  # noqa: S105
PERSONAL_EMAIL: Final = "dev@example.com"
GUEST_ISSUER_ID: Final = "sim-guest-issuer"
GUEST_ISSUER_SECRET: Final = "c2ltLWd1ZXN0LWlzc3Vlci1zZWNyZXQtMzItYnl0ZXMh"  # noqa: S105 - base64, as Webex gives it

PEOPLE: Final = {
    "amy@example.com": "Amy Chen",
    "bo@example.com": "Bo Diaz",
    "cy@example.com": "Cy Okafor",
    "kim@example.com": "Kim Larsen",
}
"""Licensed persons of one organization: three agents and a lead."""


def person_token(email: str) -> str:
    """The token with which an SDK may act as a person of the world; it never expires."""
    return f"sim-token-{email}"
