"""`bridge sign`: a ready curl for an event file."""

from __future__ import annotations

import shlex
import uuid
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bridge.commands.common import (
    ConfigFile,
    complain,
    environment,
    fail,
    loaded_of,
    misused,
    say,
    settings_of,
    unknown,
)

if TYPE_CHECKING:
    from config.models import Source
    from config.settings import Settings

_MOST_BYTES = 64 * 1024  # what the service takes (contract 5)


def sign(
    file: Annotated[
        Path,
        typer.Argument(help="The event's JSON.", metavar="FILE", exists=True, dir_okay=False, readable=True),
    ],
    source: Annotated[str, typer.Option(help="The source that sends it.", metavar="NAME")],
    config: ConfigFile = None,
) -> None:
    """Print a curl that sends an event file, signed.

    It is proved as this source does it, with its newest secret; no other source's is needed. A signed time is good for
    five minutes, for the file as it is now. The address is PUBLIC_URL, else HOST and PORT.

    \b
    bridge sign --source kiosk event.json
    bridge sign --source kiosk event.json | sh
    """
    from bridge.clock import SystemClock
    from config.senders import sending_of

    environ = environment(config)
    settings = settings_of(environ)
    found = _source(settings, environ, source)
    if found.auth.scheme == "page":
        fail(
            f"{source} is a source of pages in a browser, which have no secret: nothing is signed. "
            f"A page calls POST /v1/pages/{source} from one of its origins."
        )
    body = file.read_bytes()
    if len(body) > _MOST_BYTES:
        complain(f"warning: {file} is larger than 64 KiB, which the bridge answers with 413")
    sending = sending_of(found)
    url = f"{_address(settings)}/v1/events/{source}"
    url, headers = sending.scheme.prove(url, body, f"msg_{uuid.uuid4().hex}", SystemClock().now())
    say(_curl(url, {"content-type": _content_type(sending.body, body), **headers}, file))


def _source(settings: Settings, environ: dict[str, str], name: str) -> Source:
    """The source with its secrets; the problems of the configuration on stderr and 2."""
    from config.load import ConfigError, load_source

    sources = loaded_of(settings.bridge_config, environ, offline=True).config.sources
    if name not in sources:
        misused(f"--source: {unknown('source', name, sources)}")
    try:
        return load_source(settings.bridge_config, environ, name, "auth")
    except ConfigError as error:
        misused("\n".join(str(problem) for problem in error.problems))


def _content_type(kind: str, body: bytes) -> str:
    """What the file is; a multipart form begins with its boundary."""
    if kind == "multipart":
        first = body.partition(b"\n")[0].strip().removeprefix(b"--").decode("ascii", errors="replace")
        return f"multipart/form-data; boundary={first}"
    return "application/x-www-form-urlencoded" if kind == "form" else "application/json"


def _curl(url: str, headers: dict[str, str], file: Path) -> str:
    """Quoted for a shell; the file by its whole path, so that it works in any folder."""
    parts = [f"curl -sS {shlex.quote(url)}"]
    parts += [f"-H {shlex.quote(f'{name}: {value}')}" for name, value in headers.items()]
    parts.append(f"--data-binary {shlex.quote(f'@{file.absolute()}')}")
    return " \\\n  ".join(parts)


def _address(settings: Settings) -> str:
    """Where the service can be called from here."""
    if settings.public_url:
        return settings.public_url.rstrip("/")
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(settings.host, settings.host)  # noqa: S104 - not bound
    return f"http://[{host}]:{settings.port}" if ":" in host else f"http://{host}:{settings.port}"
