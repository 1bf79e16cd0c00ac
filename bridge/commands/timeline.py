"""The demo's timeline: what happens inside, as sentences a newcomer enjoys."""

from __future__ import annotations

import time
from collections.abc import Callable, MutableMapping
from typing import Any

import structlog
from rich.console import Console
from rich.text import Text

_SENTENCES: dict[str, tuple[str, str, str]] = {
    # event: (mark, colour, sentence)
    "envelope.stored": (
        "→",
        "cyan",
        "An event came in from '{source}'. It is on disk, so it is acknowledged.",
    ),
    "guest.minted": (
        "✦",
        "magenta",
        "Webex made a guest for this customer; the guest has a token of its own.",
    ),
    "conversation.opened": ("☎", "green", "Goes to {agent} of {team}: {reason}."),
    "conversation.queued": (
        "…",
        "yellow",
        "Nobody can take it now: {reason}. The customer waits in line and is told.",
    ),
    "delivery.sent": ("→", "green", "The customer's words are in {agent}'s Webex, said by the guest."),
    "reply.heard": (
        "←",
        "blue",
        "{agent} answered in Webex; the answer is on its way to the customer's page.",
    ),
    "reply.held": ("✋", "yellow", "Something the agent wrote was held back ({why}); no customer sees it."),
    "token.reissued": ("↻", "magenta", "The guest's token grew old; a new one was issued in time."),
    "conversation.warned": (
        "…",
        "yellow",
        "The customer has been silent; their page asks whether they are still there.",
    ),
    "conversation.ended": (
        "■",
        "white",
        "The conversation ended (by: {reason}). The customer's key opens nothing any more.",
    ),
    "delivery.failed": ("!", "red", "A delivery failed and will be tried again: {reason}"),
    "customer.refused": ("!", "yellow", "Webex does not let this customer write to {agent}: {reason}"),
    "agent.refused": ("!", "red", "Webex does not let guests write to {agent}: {reason}"),
}


class Timeline:
    """A structlog processor that prints the events above and swallows the rest. Keeps what it saw."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._began = time.monotonic()
        self.seen: list[tuple[str, dict[str, Any]]] = []
        self.listeners: list[Callable[[str], None]] = []

    def __call__(self, _: Any, __: str, fields: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        event = str(fields.get("event"))
        self.seen.append((event, dict(fields)))
        if event in _SENTENCES:
            self._print(event, fields)
        elif fields.get("level") in ("error", "critical"):
            self.line("!", "red", f"{event}: {fields.get('reason') or fields.get('error') or ''}")
        for listener in self.listeners:
            listener(event)
        raise structlog.DropEvent

    def _print(self, event: str, fields: MutableMapping[str, Any]) -> None:
        mark, colour, sentence = _SENTENCES[event]
        words = {name: fields.get(name) or "?" for name in ("source", "agent", "team", "reason", "why")}
        self.line(mark, colour, sentence.format(**words))

    def line(self, mark: str, colour: str, sentence: str) -> None:
        line = Text.assemble(
            (f"{time.monotonic() - self._began:7.2f} s  ", "dim"), (f"{mark}  ", f"bold {colour}"), sentence
        )
        self._console.print(line, soft_wrap=True)

    def saw(self, event: str) -> bool:
        return any(name == event for name, _ in self.seen)


def install(timeline: Timeline) -> None:
    """Sends the service's own log events to the timeline."""
    structlog.configure(
        processors=[structlog.processors.add_log_level, timeline],
        wrapper_class=structlog.make_filtering_bound_logger(10),
        cache_logger_on_first_use=False,
    )
