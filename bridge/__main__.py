"""`bridge`: the commands. Each is explained by `bridge COMMAND --help`."""

from __future__ import annotations

import typer

from bridge.commands import demo, service

app = typer.Typer(
    name="bridge",
    help="Customers without a Webex account talk 1:1 with the agent on duty, as Webex guests.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.command()(service.run)
app.command()(service.simulator)
app.command()(demo.demo)


def main() -> None:
    app(prog_name="bridge")


if __name__ == "__main__":
    main()
