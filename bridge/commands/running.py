"""How `bridge run`, `bridge demo` and `bridge simulator` are called; what they do is loaded only then."""

from __future__ import annotations

from typing import Annotated

import typer

from bridge.commands.common import ConfigFile, fail, say


def _print_version(asked: bool) -> None:
    if not asked:
        return
    from importlib.metadata import PackageNotFoundError, version

    try:
        say(f"bridge {version('webex-guest-bridge')}")
    except PackageNotFoundError:
        fail("the bridge is not installed here, so its version is not known; make setup installs it")
    raise typer.Exit


def bridge(
    version: Annotated[
        bool,
        typer.Option("--version", help="Print the version.", is_eager=True, callback=_print_version),
    ] = False,
) -> None:
    """Customers without a Webex account talk 1:1 with the agent on duty, as Webex guests."""


def run(config: ConfigFile = None) -> None:
    """Run the service until SIGTERM or SIGINT."""
    from bridge.commands.service import run

    run(config)


def demo(
    port: Annotated[int | None, typer.Option(help="Port of the pages (8080).", min=1, max=65535)] = None,
    once: Annotated[
        bool, typer.Option("--once", help="Play one conversation without a person, then exit.")
    ] = False,
) -> None:
    """Try everything on this machine, with no account.

    A simulated Webex, a kiosk page and an agent's inbox; the database is thrown away afterwards.
    """
    from bridge.commands.demo import demo

    demo(port, once)


def simulator(
    port: Annotated[
        int, typer.Option(help="Port to listen on; 0 takes a free one.", min=0, max=65535)
    ] = 8090,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
) -> None:
    """Run only the Webex simulator, for trying your own code."""
    from bridge.commands.service import simulator

    simulator(port, host)
