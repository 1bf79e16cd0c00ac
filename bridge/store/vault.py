"""Secrets at rest (Fernet), named leases, and the root of all derived names."""

from __future__ import annotations

import secrets as chance
from collections.abc import Sequence
from dataclasses import dataclass

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from sqlalchemy import Connection, bindparam, delete, or_, select, update

from bridge.domain.errors import BridgeError
from bridge.store.engine.sql import insert_for, insert_missing
from bridge.store.tables import guests, locks, secrets

ROOT = "root"
WEBHOOK_SECRET = "webex-webhook-secret"  # noqa: S105 - a name


class WrongKey(BridgeError):
    """BRIDGE_SECRET_KEY does not open what the store holds."""


class Cipher:
    """Encrypts with the newest key, opens with any: keys are rotated by listing the new one first."""

    def __init__(self, keys: Sequence[str]) -> None:
        self._fernet = MultiFernet([Fernet(key) for key in keys])

    def seal(self, text: str) -> str:
        return self._fernet.encrypt(text.encode()).decode()

    def open(self, sealed: str) -> str:
        try:
            return self._fernet.decrypt(sealed.encode()).decode()
        except InvalidToken as error:
            raise WrongKey(
                "BRIDGE_SECRET_KEY does not open what this database holds; list the key it was written "
                "with after the new one, separated by a comma"
            ) from error

    def reseal(self, sealed: str) -> str:
        """The same secret under the newest key."""
        try:
            return self._fernet.rotate(sealed.encode()).decode()
        except InvalidToken as error:
            raise WrongKey("a secret in the database was written with a key that is not listed") from error


def read_secret(connection: Connection, name: str) -> str | None:
    """The sealed value."""
    return connection.execute(select(secrets.c.value).where(secrets.c.name == name)).scalar()


@dataclass(frozen=True, slots=True)
class Sealed:
    name: str
    value: str
    at: float


def write_secrets(connection: Connection, sealed: Sequence[Sealed]) -> list[None]:
    statement = insert_for(connection, secrets)
    new = statement.excluded
    connection.execute(
        statement.on_conflict_do_update(
            index_elements=["name"], set_={"value": new.value, "written_at": new.written_at}
        ),
        [{"name": one.name, "value": one.value, "written_at": one.at} for one in sealed],
    )
    return [None] * len(sealed)


def make_secret_once(connection: Connection, sealed: Sequence[Sealed]) -> list[str]:
    """The value in force: of several processes that start at once, the first one's."""
    insert_missing(
        connection, secrets, [{"name": one.name, "value": one.value, "written_at": one.at} for one in sealed]
    )
    return [read_secret(connection, one.name) or one.value for one in sealed]


@dataclass(frozen=True, slots=True)
class Lease:
    name: str
    owner: str
    now: float
    seconds: float


def take_lease(connection: Connection, wishes: Sequence[Lease]) -> list[bool]:
    """True for the one owner of `name` until its time is over."""
    results = []
    for wish in wishes:
        insert_missing(connection, locks, [{"name": wish.name, "owner": None, "until": 0}])
        taken = connection.execute(
            update(locks)
            .where(
                locks.c.name == wish.name,
                or_(locks.c.until <= wish.now, locks.c.owner == wish.owner, locks.c.owner.is_(None)),
            )
            .values(owner=wish.owner, until=wish.now + wish.seconds)
        )
        results.append(taken.rowcount == 1)
    return results


def give_lease(connection: Connection, wishes: Sequence[Lease]) -> list[None]:
    for wish in wishes:
        connection.execute(delete(locks).where(locks.c.name == wish.name, locks.c.owner == wish.owner))
    return [None] * len(wishes)


def reseal_all(connection: Connection, ciphers: Sequence[Cipher]) -> list[int]:
    """Everything under the newest key, so that the older ones can be dropped. How many were rewritten."""
    counts = []
    for cipher in ciphers:
        held = [
            {"which": row.name, "sealed": cipher.reseal(row.value)}
            for row in connection.execute(select(secrets.c.name, secrets.c.value))
        ]
        tokens = [
            {"which": row.id, "sealed": cipher.reseal(row.token)}
            for row in connection.execute(
                select(guests.c.id, guests.c.token).where(guests.c.token.is_not(None))
            )
        ]
        if held:
            statement = update(secrets).where(secrets.c.name == bindparam("which"))
            connection.execute(statement.values(value=bindparam("sealed")), held)
        if tokens:
            statement = update(guests).where(guests.c.id == bindparam("which"))
            connection.execute(statement.values(token=bindparam("sealed")), tokens)
        counts.append(len(held) + len(tokens))
    return counts


def fresh_secret() -> str:
    """64 hex digits of chance."""
    return chance.token_hex(32)
