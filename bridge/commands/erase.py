"""`bridge erase`: a customer's data removed, and what Webex keeps."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from bridge.commands.common import (
    ConfigFile,
    cipher_of,
    complain,
    config_path,
    environment,
    fail,
    loaded_of,
    misused,
    say,
    settings_of,
    text_option,
    unknown,
)
from bridge.commands.words import instant

if TYPE_CHECKING:
    from pathlib import Path

    from bridge.store.operator.erase import Erased, LeftAtWebex


def erase(
    subject: Annotated[str, typer.Option(help="The customer, as the source names them.")],
    source: Annotated[str | None, typer.Option(help="Only the customer of this source's namespace.")] = None,
    namespace: Annotated[str | None, typer.Option(help="Only in this namespace.")] = None,
    config: ConfigFile = None,
) -> None:
    """Remove a customer's data; say what Webex keeps.

    Conversations, messages, files, deliveries, the guest and its tokens go; one that is going on ends. All
    namespaces are looked through unless one is named. Exits 1 when nothing is known of the customer.

    \b
    bridge erase --subject loyalty-48213
    bridge erase --subject loyalty-48213 --source kiosk
    """
    from bridge.clock import SystemClock
    from bridge.domain.identity import customer_key
    from bridge.store.engine.sql import time_by
    from bridge.store.operator.erase import erase
    from bridge.store.operator.visit import scrub, visit
    from bridge.store.vault import ROOT, read_secret

    text_option("--subject", subject)
    if source is not None and namespace is not None:
        misused("give --source or --namespace, not both")
    namespaces, complete = _namespaces(source, namespace, config)
    settings = settings_of(environment(config))
    url = settings.database_url.get_secret_value()
    with visit(url, writes=True) as connection:
        sealed = read_secret(connection, ROOT)
        root = cipher_of(settings).open(sealed).encode() if sealed else None
        customers = {customer_key(root, one, subject) for one in namespaces} if root else set()
        everywhere = source is None and namespace is None
        now = time_by(connection, SystemClock().now())
        done = erase(connection, customers, now, subject=subject if everywhere else None)
    _tell(done)
    if (done.conversations or done.guests) and not scrub(url):
        complain(
            "the database was too busy to be written anew: traces may stay in its free space; "
            "run this again, or VACUUM it"
        )
    if not complete:
        fail("whether all of it is gone is not certain: mend the configuration and run this again")
    if not (done.conversations or done.guests):
        raise typer.Exit(1)


def _namespaces(source: str | None, namespace: str | None, config: Path | None) -> tuple[set[str], bool]:
    """Where to look, and whether these are all. Without a configuration the store alone knows."""
    if namespace is not None:
        return {text_option("--namespace", namespace)}, True
    environ = environment(config)
    path = config_path(environ)
    try:
        known = loaded_of(path, environ, offline=True).config
    except typer.Exit:
        if source is not None:
            raise
        return set(), False
    if source is None:
        return {known.namespace(name) for name in known.sources}, True
    if source not in known.sources:
        misused(f"--source: {unknown('source', source, known.sources)}")
    return {known.namespace(source)}, True


def _tell(done: Erased) -> None:
    if not done.conversations and not done.guests:
        complain("nothing is stored about this customer")
        return
    ended = f" ({done.ended} of them going on)" if done.ended else ""
    say(f"removed: {_count(done.conversations, 'conversation')}{ended}, {_count(done.messages, 'message')}")
    if not done.guests:
        say("Webex knows nothing of this customer: no guest was made.")
        return
    say(f"Webex keeps {_count(len(done.guests), 'guest')}, which nobody can delete there:")
    for guest in done.guests:
        say(f"  {_where(guest)}")
    say(
        "What was said stays in these 1:1 spaces until the agent's organisation removes it (Control Hub: retention)."
    )


def _where(guest: LeftAtWebex) -> str:
    name = guest.email or guest.person_id or "a guest"
    spaces = f"spoke with {', '.join(guest.agents)}" if guest.agents else "never wrote to an agent"
    if guest.tokens_end_at is None:
        return f"{name}: {spaces}"
    return f"{name}: {spaces}; its last token lapses by {instant(guest.tokens_end_at)}"


def _count(number: int, word: str) -> str:
    return f"{number} {word}{'' if number == 1 else 's'}"
