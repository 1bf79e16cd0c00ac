"""What a refusal of Webex's means where its status alone does not say it."""

from __future__ import annotations

from bridge.domain.errors import NotFound, WebexError

_NO_SUCH_WEBHOOK = "invalid webhookid"  # the text of a 400 (webex-facts 5.1)


def webhook_is_gone(error: WebexError) -> bool:
    """Tells whether Webex has no webhook of this id: 404, or 400 with the text it uses for DELETE."""
    return isinstance(error, NotFound) or (
        error.status == 400 and _NO_SUCH_WEBHOOK in error.reason.casefold()
    )
