"""Markdown as Webex shows it: a small, safe part of it."""

from __future__ import annotations

import re
from html import escape

_LINK = re.compile(r"\[([^\]\n]{1,500})\]\((https?://[^\s)\"<>]{1,2000})\)")
_CODE = re.compile(r"`([^`\n]+)`")
_STRONG = re.compile(r"(?:\*\*|__)(?=\S)(.{1,1000}?)(?<=\S)(?:\*\*|__)")
_EMPHASIS = re.compile(r"(?<![\w*])[*_](?=\S)([^*_\n]+?)(?<=\S)[*_](?![\w*])")


def to_html(markdown: str) -> str:
    """HTML of a markdown text. Everything is escaped first, so no markup of the sender survives."""
    text = escape(markdown, quote=True)
    text = _LINK.sub(r'<a href="\2">\1</a>', text)
    text = _CODE.sub(r"<code>\1</code>", text)
    text = _EMPHASIS.sub(r"<em>\1</em>", _STRONG.sub(r"<strong>\1</strong>", text))
    paragraphs = (part.replace("\n", "<br/>") for part in re.split(r"\n{2,}", text.strip("\n")))
    return "".join(f"<p>{part}</p>" for part in paragraphs)


def to_text(markdown: str) -> str:
    """The same without its marks, which is what `text` holds when only markdown was sent."""
    text = _LINK.sub(r"\1", markdown)
    return _EMPHASIS.sub(r"\1", _STRONG.sub(r"\1", _CODE.sub(r"\1", text)))
