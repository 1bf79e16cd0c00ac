"""`bridge callback-test`: one of each kind of news to a source's receiver."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bridge.commands.common import (
    ConfigFile,
    config_path,
    environment,
    fail,
    loaded_of,
    misused,
    plainly,
    say,
    unknown,
)

if TYPE_CHECKING:
    from bridge.stages.receiver import Target

_CONVERSATION = "test000000000000000000ff"
_MESSAGE = {
    "seq": 2,
    "id": "msg_test",
    "from": "agent",
    "text": "This is a test of bridge callback-test.",
    "html": None,
    "files": [],
    "delivery": None,
    "agent": "Test",
}
_KINDS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("conversation.queued", {"opensAt": None}),
    ("conversation.opened", {"agent": {"name": "Test"}}),
    ("message.created", {"message": _MESSAGE}),
    ("message.failed", {"messageId": "msg_test", "reason": "a test"}),
    ("conversation.ended", {"endReason": "agent"}),
)


def callback_test(
    source: Annotated[str, typer.Option(help="The source whose callback is called.", metavar="NAME")],
    config: ConfigFile = None,
) -> None:
    """Post one of each kind of news to a callback.

    Signed as the service does it; printed is what the receiver answered. The data is made up, the subject is
    callback-test. Exits 1 when one of them was not taken.

    \b
    bridge callback-test --source forms
    """
    from bridge.service.live import target_of
    from config.load import ConfigError, load_source

    environ = environment(config)
    path = config_path(environ)
    sources = loaded_of(path, environ, offline=True).config.sources
    if source not in sources:
        misused(f"--source: {unknown('source', source, sources)}")
    try:
        found = load_source(path, environ, source, "callback")
    except ConfigError as error:
        misused("\n".join(str(problem) for problem in error.problems))
    if found.callback is None:
        fail(f"{source} has no callback: nothing is posted for it.")
    target = target_of(found.callback)
    if not plainly(lambda: _all_taken(target)):
        raise typer.Exit(1)


async def _all_taken(target: Target) -> bool:
    """Posts one of each kind; True if each was taken."""
    from bridge.clock import SystemClock
    from bridge.domain.conversation.public import iso
    from bridge.stages.receiver import Caller, news_body

    clock, caller, taken = SystemClock(), Caller(), True
    try:
        for kind, more in _KINDS:
            now = clock.now()
            more = {
                name: {**value, "at": iso(now)} if name == "message" else value
                for name, value in more.items()
            }
            data = {
                "conversationId": _CONVERSATION,
                "subject": "callback-test",
                "context": {"test": True},
                **more,
            }
            begun = clock.monotonic()
            answered = await caller.post(
                target, f"test_{secrets.token_hex(8)}", news_body(kind, now, data), now
            )
            took = f"{(clock.monotonic() - begun) * 1000:.0f} ms"
            taken = taken and answered.problem is None
            say(f"{kind:<22} {answered.problem or f'taken ({answered.status})'}, {took}")
    finally:
        await caller.close()
    return taken
