"""Troubles on purpose: which call they hit, and what happens to it."""

from __future__ import annotations

from dataclasses import dataclass
from email.utils import formatdate
from typing import Any, Final, Protocol

KINDS: Final = (
    "status",  # answer `status` instead of doing it (`effect=True`: after doing it)
    "drop_before",  # close the connection, nothing done
    "drop_after",  # do it, then close the connection without an answer
    "never",  # never answer (`effect=True`: but do it)
    "slow",  # do it, answer `seconds` later
    "hold",  # do it only (`effect=True`: answer only) at `release`, or `seconds` later where they are given
    "late",  # do it only `seconds` later, also if the caller has hung up by then
    "revoke",  # kill the token that was used: 401 now and later
    "block_agent",  # 403, as for an agent who may not talk to external people
    "kms",  # answer messages that could not be decrypted
)

_TIMED: Final = {"slow", "late", "hold"}
_DETAILS: Final[dict[str, tuple[type, ...]]] = {
    "status": (int,),
    "retry_after": (int, float, str, type(None)),
    "html": (bool,),
    "message": (str, type(None)),
    "seconds": (int, float),
    "effect": (bool,),
}


class Chance(Protocol):
    def random(self) -> float: ...


@dataclass(slots=True, eq=False)
class Fault:
    """One rule. `used` counts the calls it hit; it is over after `times` (None: never)."""

    method: str | None
    path: str
    exact: bool
    owner: str | None
    kind: str
    times: int | None
    after: int
    probability: float
    status: int = 500
    retry_after: int | float | str | None = None
    html: bool = False
    message: str | None = None
    seconds: float = 0.0
    effect: bool = False
    seen: int = 0
    used: int = 0
    released: bool = False

    def release(self) -> None:
        """What is held goes on, also where its caller has hung up."""
        self.released = True

    def hits(self, method: str, path: str, owner: str | None, chance: Chance) -> bool:
        if self.over or (self.method is not None and self.method != method):
            return False
        if path != self.path if self.exact else not path.startswith(self.path):
            return False
        if self.owner is not None and not _owned(self.owner, owner):
            return False
        self.seen += 1
        if self.seen <= self.after or (self.probability < 1 and chance.random() >= self.probability):
            return False
        self.used += 1
        return True

    @property
    def over(self) -> bool:
        return self.times is not None and self.used >= self.times

    def retry_header(self, now: float) -> str | None:
        """The Retry-After as sent: `date:30` becomes the HTTP-date of half a minute from now."""
        if isinstance(self.retry_after, str) and self.retry_after.startswith("date:"):
            return formatdate(now + _number(self.retry_after[5:]), usegmt=True)
        return None if self.retry_after is None else str(self.retry_after)


def make(
    match: str,
    action: object,
    owner: str | None,
    times: int | None,
    after: int,
    probability: float,
    detail: dict[str, Any],
) -> Fault:
    """A rule from its short forms; ValueError says what is wrong with them. See `World.fault`."""
    method, _, path = match.rpartition(" ")
    exact, path = path.endswith("$"), path.rstrip("$")
    if not path.startswith("/v1"):
        path = "/v1" + path
    kind, extra = _action(action)
    settings = {**extra, **detail}
    _check(settings)
    if kind is None and "status" in settings:
        kind = "status"
    if kind not in KINDS:
        raise ValueError(f"a fault's action is one of {', '.join(KINDS)}, not {action!r}")
    if kind in ("drop_after", "slow"):
        settings["effect"] = True
    return Fault(method.upper() or None, path, exact, owner, kind, times, after, probability, **settings)


def _check(settings: dict[str, Any]) -> None:
    for name, value in settings.items():
        if name not in _DETAILS:
            raise ValueError(f"a fault has no {name}")
        if not isinstance(value, _DETAILS[name]):
            raise ValueError(f"a fault's {name} is not {value!r}")
    if not 200 <= settings.get("status", 500) < 600:
        raise ValueError("a fault's status is from 200 to 599")


def _action(action: object) -> tuple[str | None, dict[str, Any]]:
    if isinstance(action, bool):
        return None, {}
    if isinstance(action, int):
        return "status", {"status": action}
    if isinstance(action, dict):
        rest = {str(key): value for key, value in action.items() if key != "kind"}
        for kind in _TIMED & rest.keys():
            return kind, {"seconds": float(rest.pop(kind)), **rest}
        return (str(action["kind"]) if "kind" in action else None), rest
    if not isinstance(action, str):
        return None, {}
    kind, _, value = action.partition("=")
    if kind == "status" and value:
        return kind, {"status": int(value)}
    if kind in _TIMED and value:
        return kind, {"seconds": float(value)}
    return kind, {}


def _owned(wanted: str, owner: str | None) -> bool:
    """A trailing colon stands for any: `guest:` is every guest."""
    return owner is not None and (owner.startswith(wanted) if wanted.endswith(":") else owner == wanted)


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return 0.0
