"""Two headers with a grammar of their own: Link (RFC 8288) and Content-Disposition (RFC 6266)."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from email.errors import HeaderParseError
from email.header import decode_header, make_header
from urllib.parse import unquote_to_bytes

from yarl import URL

from bridge.domain.filenames import shortened

LONGEST_NAME = 200
_LINK = re.compile(r"<([^<>]*)>([^<]*)")
_REL_NEXT = re.compile(r";\s*rel\s*=\s*(\"[^\"]*\bnext\b[^\"]*\"|next\b)", re.IGNORECASE)
_EXTENDED = re.compile(r"(?:^|;)\s*filename\*\s*=\s*([\w-]*)'[^']*'([^;\s]*)", re.IGNORECASE | re.ASCII)
_QUOTED = re.compile(r"(?:^|;)\s*filename\s*=\s*\"((?:[^\"\\]|\\.)*)\"", re.IGNORECASE)
# Without quotes a name has no blanks by its grammar, and has them in the field.
_BARE = re.compile(r"(?:^|;)\s*filename\s*=\s*([^\";]+)", re.IGNORECASE)
_ENCODED_WORD = r"=\?[\w-]+\?[bq]\?[^?]*\?="
_ENCODED_WORDS = re.compile(rf"{_ENCODED_WORD}(?:\s+{_ENCODED_WORD})*", re.IGNORECASE | re.ASCII)


def next_link(values: Iterable[str], base: URL) -> URL | None:
    """The `rel="next"` address of the Link headers `values`, resolved against `base`; None if there is none.

    A stray `max=null`, which Webex has put there, is taken out: with it the next call fails.
    """
    for address, parameters in _LINK.findall(",".join(values)):
        if _REL_NEXT.search(parameters):
            try:
                url = base.join(URL(address, encoded=True)).with_fragment(None)
            except (ValueError, TypeError):
                return None
            kept = "&".join(p for p in url.raw_query_string.split("&") if p != "max=null")
            return URL(str(url.with_query(None)) + (f"?{kept}" if kept else ""), encoded=True)
    return None


def same_origin(url: URL, base: URL) -> bool:
    """Whether a token for `base` may be sent to `url`: same scheme, host and port, no user in the address."""
    if url.user is not None or url.password is not None:
        return False
    return (url.scheme, url.host, url.port) == (base.scheme, base.host, base.port)


def file_name(disposition: str | None) -> str:
    """The file name of a Content-Disposition header, made safe; `file` where it gives none."""
    text = disposition or ""
    if found := _EXTENDED.search(text):
        charset = "latin-1" if found[1].lower() == "iso-8859-1" else "utf-8"
        return safe_name(unquote_to_bytes(found[2]).decode(charset, "replace"))
    if found := _QUOTED.search(text):
        return safe_name(_decoded(re.sub(r"\\([\"\\])", r"\1", found[1])))
    return safe_name(_decoded(found[1].strip())) if (found := _BARE.search(text)) else "file"


def _decoded(name: str) -> str:
    """A name with its encoded words (RFC 2047) as text: they do not belong there, and are there."""
    try:
        # One run at a time: beside plain text `make_header` puts blanks that nobody wrote, as before `.pdf`.
        return _ENCODED_WORDS.sub(lambda run: str(make_header(decode_header(run[0]))), name)
    except (ValueError, LookupError, HeaderParseError):  # an odd charset, or no base64
        return name


def safe_name(name: str) -> str:
    """`name` without a path, quotes, control or direction-changing characters; at most 200 characters."""
    # aiohttp hands undecodable header bytes over as lone surrogates
    name = name.encode("utf-8", "replace").decode("utf-8")
    name = re.split(r"[/\\]", name)[-1]
    name = "".join(
        c for c in name if c != '"' and unicodedata.category(c) not in ("Cc", "Cf", "Cs", "Zl", "Zp")
    )
    return shortened(name.strip(". \t"), LONGEST_NAME) or "file"
