"""The safe part of Webex's markup, for the customer's page. Everything else becomes text or nothing."""

from __future__ import annotations

import re

import nh3

_TAGS = {"p", "br", "strong", "b", "em", "i", "code", "pre", "ul", "ol", "li", "blockquote", "a"}
_LINES = "tr|div|caption|dt|dd|summary|section|article|header|footer|address|figure|figcaption"
# What is not kept parts what it stood between: else headings and cells of a table stick together.
_INSTEAD = (
    (re.compile(r"<h[1-6]\b[^>]*>", re.IGNORECASE), "<p><strong>"),
    (re.compile(r"</h[1-6]\s*>", re.IGNORECASE), "</strong></p>"),
    (re.compile(r"</t[dh]\s*>", re.IGNORECASE), " "),
    (re.compile(rf"</(?:{_LINES})\s*>|<hr\b[^>]*>", re.IGNORECASE), "<br>"),
)


def safe_html(html: str | None) -> str | None:
    """An agent's formatted message with only harmless tags left; links open elsewhere and tell nothing."""
    if not html:
        return None
    for tag, instead in _INSTEAD:
        html = tag.sub(instead, html)
    return nh3.clean(
        html,
        tags=_TAGS,
        attributes={"a": {"href"}},
        url_schemes={"http", "https", "mailto"},
        link_rel="noopener noreferrer nofollow",
    )
