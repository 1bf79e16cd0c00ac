"""The safe part of Webex's markup, for the customer's page. Everything else becomes text or nothing."""

from __future__ import annotations

import nh3

_TAGS = {"p", "br", "strong", "b", "em", "i", "code", "pre", "ul", "ol", "li", "blockquote", "a"}


def safe_html(html: str | None) -> str | None:
    """An agent's formatted message with only harmless tags left; links open elsewhere and tell nothing."""
    if not html:
        return None
    return nh3.clean(
        html,
        tags=_TAGS,
        attributes={"a": {"href"}},
        url_schemes={"http", "https", "mailto"},
        link_rel="noopener noreferrer nofollow",
    )
