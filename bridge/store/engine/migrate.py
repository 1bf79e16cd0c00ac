"""Bringing a database to this version's schema, also when several processes start at once."""

from __future__ import annotations

from importlib.resources import files

from alembic.config import Config
from alembic.runtime.environment import EnvironmentContext
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, text

from bridge.domain.errors import BridgeError
from bridge.store.engine.sql import take_turn

_LOCK = 7440  # any number, the same for every process
_LOCK_MS = (
    5000  # as long as SQLite is waited for; what waits for a table's lock holds up whoever comes behind it
)


class NewerDatabase(BridgeError):
    """The database was made by a newer version of the bridge."""


def migrate(engine: Engine) -> list[str]:
    """Applies what is missing, in one transaction; the names of what was applied.

    SQLite's BEGIN IMMEDIATE and an advisory lock on PostgreSQL let one process at a time in here; who does not get
    in within five seconds has the database's error (`turns.in_turn` comes again). Raises NewerDatabase rather than
    touching a schema that this version does not know.
    """
    with engine.begin() as connection:
        if connection.dialect.name != "sqlite":
            connection.execute(text(f"SET LOCAL lock_timeout = {_LOCK_MS}"))
            connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
        return _apply(connection)


def behind(connection: Connection) -> bool | None:
    """Whether this version's schema has more than the database; None where the database has none at all.

    Raises NewerDatabase.
    """
    scripts, present = _present(_config(), connection)
    return None if present is None else present != scripts.get_current_head()


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(files("bridge.store.engine") / "migrations"))
    return config


def _present(config: Config, connection: Connection) -> tuple[ScriptDirectory, str | None]:
    scripts = ScriptDirectory.from_config(config)
    known = {script.revision for script in scripts.walk_revisions()}
    present = MigrationContext.configure(connection).get_current_revision()
    if present is not None and present not in known:
        raise NewerDatabase(
            f"the database is at revision {present}, which this version does not know: "
            "it was made by a newer version of the bridge. Start that version, or use another database."
        )
    return scripts, present


def _apply(connection: Connection) -> list[str]:
    config = _config()
    scripts, present = _present(config, connection)
    head = scripts.get_current_head()
    if head == present or head is None:
        return []
    take_turn(connection)  # older versions write meanwhile, and take the tables in an order of their own
    with EnvironmentContext(config, scripts, fn=lambda rev, _: scripts._upgrade_revs(head, rev)) as context:
        context.configure(connection=connection, transactional_ddl=False)
        context.run_migrations()
    return [script.revision for script in scripts.iterate_revisions(head, present or "base")]
