"""Operations that a process of its own can be asked for: they are found by their names."""

from __future__ import annotations


class Unportable(Exception):
    """One that cannot be made again from what it was made of."""

    def __init__(self, first: str, second: str) -> None:
        super().__init__(first + second)


def echo(_connection, items):
    return items


def fail(_connection, items):
    return [item / 0 for item in (1 for _ in items)]


def fail_oddly(_connection, items):
    raise Unportable("a", "b")


def refuse() -> None:
    """Called where a value is unpickled."""
    raise ValueError("it cannot be read here")


class Unreadable:
    """Can be pickled, and not made again."""

    def __reduce__(self):
        return refuse, ()


def give(_connection, items):
    """One result is a function without a name, which cannot be sent, or one that cannot be read."""
    return [{"function": lambda: None, "unreadable": Unreadable()}.get(item, item) for item in items]


def stop_iteration(_connection, items):
    return [StopIteration() for _ in items]
