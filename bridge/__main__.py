"""`bridge`: the commands. Each is explained by `bridge COMMAND --help`; docs/commands.md has examples.

What a command needs is loaded when it runs, so that `bridge --help` answers at once.
"""

from __future__ import annotations

import sys

from bridge.service.stopping import leave_when_told

if sys.argv[1:2] in (["run"], ["simulator"]):
    leave_when_told()  # the imports below take a second

import typer

from bridge.commands import (
    ask,
    callback_test,
    check,
    dead_letters,
    duty,
    erase,
    export,
    guests,
    init,
    running,
    sign,
)
from bridge.commands.plain import PlainGroup, finish, give_up, prepare

app = typer.Typer(
    name="bridge",
    cls=PlainGroup,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,  # help texts hold [brackets], and a pipe should get plain lines
)
app.callback()(running.bridge)
app.command()(running.run)
app.command()(running.demo)
app.command()(running.simulator)
app.command()(init.init)
app.command()(check.check)
app.command()(duty.preview)
app.command()(duty.coverage)
app.command()(ask.ask)
app.command()(sign.sign)
app.command("callback-test")(callback_test.callback_test)
app.add_typer(dead_letters.app, name="dead-letters")
app.command()(erase.erase)
app.command()(export.export)
app.command()(guests.guests)


def main() -> None:
    prepare()
    try:
        app(prog_name="bridge")
    except Exception as error:  # noqa: BLE001 - a fault of ours is no traceback for whoever runs this
        give_up(error)
    finally:
        finish()


if __name__ == "__main__":
    main()
