"""The customer's own pages: plain files, and the headers they must be served with. No web framework in here.

Each page finds its source or conversation in its own address (`/kiosk/<source>`): nothing but the demo is templated.
"""

from __future__ import annotations

import hashlib
import html
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

PAGES_ROOT = Path(__file__).parent
PAGES = ("kiosk", "form", "talk")

_TYPES = {
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".svg": "image/svg+xml",
}
_EVERYWHERE = {"X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer"}


@dataclass(frozen=True, slots=True)
class StaticFile:
    """One script, style sheet or picture: its bytes and the headers to answer with (`ETag` is a strong one)."""

    body: bytes
    headers: dict[str, str]


def page_body(page: str) -> bytes:
    """The HTML of `kiosk`, `form` or `talk`. Raises KeyError for anything else."""
    if page not in PAGES:
        raise KeyError(page)
    return (PAGES_ROOT / f"{page}.html").read_bytes()


def page_headers(frame_ancestors: Iterable[str] = ()) -> dict[str, str]:
    """Headers for `page_body`. `frame_ancestors`: the source's `origins`, which may show the page in a frame.

    `no-store` keeps a shared screen's Back button from showing the former customer's page.
    """
    return {
        **_EVERYWHERE,
        "Content-Type": "text/html; charset=utf-8",
        "Cache-Control": "no-store",
        "Content-Security-Policy": _policy(
            connect="'self'", frames="'none'", ancestors=" ".join(["'self'", *frame_ancestors])
        ),
        "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
    }


def demo_body(kiosk: str, agent: str) -> bytes:
    """The page at `/demo`: the kiosk and the simulated agent side by side. Both are addresses for a frame."""
    page = (PAGES_ROOT / "demo.html").read_text(encoding="utf-8")
    for name, address in (("{{kiosk}}", kiosk), ("{{agent}}", agent)):
        page = page.replace(name, html.escape(address, quote=True))
    return page.encode()


def demo_headers(*frame_origins: str) -> dict[str, str]:
    """Headers for `demo_body`. `frame_origins`: origins of the framed pages besides the bridge's own."""
    frames = " ".join(["'self'", *frame_origins])
    return {
        **page_headers(),
        "Content-Security-Policy": _policy(connect="'none'", frames=frames, ancestors="'none'"),
    }


def static_file(name: str) -> StaticFile | None:
    """What `/pages/static/<name>` answers with; None is a 404. `name` may be anything a stranger types."""
    path = next((path for path in (PAGES_ROOT / "static").iterdir() if path.name == name), None)
    if path is None or path.suffix not in _TYPES:
        return None
    body = path.read_bytes()
    headers = {
        **_EVERYWHERE,
        "Content-Type": _TYPES[path.suffix],
        "Cache-Control": "no-cache",
        "ETag": f'"{hashlib.sha256(body).hexdigest()[:32]}"',
    }
    return StaticFile(body, headers)


def _policy(*, connect: str, frames: str, ancestors: str) -> str:
    return (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; "
        f"connect-src {connect}; frame-src {frames}; form-action 'none'; base-uri 'none'; "
        f"frame-ancestors {ancestors}"
    )
