"""The shapes that DATABASE_URL may have."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

SHAPES = "sqlite:///relative, sqlite:////absolute or postgresql://user:password@host:port/name"


def database_url(url: str) -> str:
    """The address as the store is given it. Raises ValueError, never quoting the address."""
    scheme, separator, rest = url.partition("://")
    if separator and scheme == "sqlite":
        return _sqlite(url, rest)
    if separator and scheme in ("postgresql", "postgres"):
        return _postgresql(f"postgresql://{rest}")
    raise ValueError(f"must be {SHAPES}")


def _sqlite(url: str, rest: str) -> str:
    path = rest.removeprefix("/")
    if not rest.startswith("/") or not path.strip("/") or path.endswith("/"):
        raise ValueError("must name a file: sqlite:///var/bridge.db (relative) or sqlite:////srv/bridge.db")
    if path.startswith(":memory:") or "?" in path or "\0" in path:
        raise ValueError("must name a plain file, since what is accepted has to survive a restart")
    return url


def _postgresql(url: str) -> str:
    try:
        parts = urlsplit(url)
        parts.port  # noqa: B018 - raises for a port that is none
        query = parse_qs(parts.query, strict_parsing=bool(parts.query))
    except ValueError as error:
        raise ValueError("must be postgresql://user:password@host:port/name") from error
    # A server on a socket has no host; its folder is named as ?host=/run/postgresql.
    if not parts.hostname and "host" not in query:
        raise ValueError("names no host; must be postgresql://user:password@host:port/name")
    if not parts.path.strip("/") or "/" in parts.path[1:]:
        raise ValueError("names no database; must be postgresql://user:password@host:port/name")
    if parts.fragment:
        raise ValueError("has a # in it; write %23 for a # in the password")
    return url
