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

    The signature is good for five minutes, for the file as it is now. The address is PUBLIC_URL, else HOST and PORT.

    \b
    bridge sign --source kiosk event.json
    bridge sign --source kiosk event.json | sh
    """
    from bridge.clock import SystemClock
    from bridge.domain import signing

    environ = environment(config)
    settings = settings_of(environ)
    sources = loaded_of(settings.bridge_config, environ).config.sources
    if source not in sources:
        misused(f"--source: {unknown('source', source, sources)}")
    if sources[source].auth.scheme == "page":
        fail(
            f"{source} is a source of pages in a browser, which have no secret: nothing is signed. "
            f"A page calls POST /v1/pages/{source} from one of its origins."
        )
    body = file.read_bytes()
    if len(body) > _MOST_BYTES:
        complain(f"warning: {file} is larger than 64 KiB, which the bridge answers with 413")
    webhook_id, timestamp = f"msg_{uuid.uuid4().hex}", int(SystemClock().now())
    secret = signing.decode_secret(sources[source].auth.secrets[0].get_secret_value())
    say(
        _curl(
            f"{_address(settings)}/v1/events/{source}",
            {
                "content-type": "application/json",
                "webhook-id": webhook_id,
                "webhook-timestamp": str(timestamp),
                "webhook-signature": signing.sign(secret, webhook_id, timestamp, body),
            },
            file,
        )
    )


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
