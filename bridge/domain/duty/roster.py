"""What the leads' configuration says, as plain values for the decisions. Parsing it is `config`'s job."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum


class Pick(StrEnum):
    LONGEST_IDLE = "longest-idle"
    LEAST_BUSY = "least-busy"
    ROUND_ROBIN = "round-robin"


@dataclass(frozen=True, slots=True)
class Window:
    """A weekly stretch of wall-clock time, half-open, belonging to the days on which it starts.

    `days`: 0 is Monday. `start`, `end`: minutes from that day's midnight; `start` 0-1439, `end` 1-2880
    (above 1440 the window ends on the next day; 24 hours is the longest). It counts on days from `first` to
    `last`, both included, None without end; of the weeks (Monday to Sunday) from that of `first` on only each
    `every`th.
    """

    days: frozenset[int]
    start: int
    end: int
    first: date | None = None
    last: date | None = None
    every: int = 1


@dataclass(frozen=True, slots=True)
class DatedWindow:
    """The same for one date, e.g. the opening hours on a holiday."""

    day: date
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Shift:
    """One dated shift from a calendar file: instants, half-open. `agent` is the configuration's key."""

    agent: str
    start: datetime
    end: datetime


@dataclass(frozen=True, slots=True)
class Holidays:
    """Days on which a team is closed (`country` and `subdivision` as the holidays library names them)."""

    country: str | None = None
    subdivision: str | None = None
    closed: frozenset[date] = frozenset()
    open: tuple[DatedWindow, ...] = ()


@dataclass(frozen=True, slots=True)
class Agent:
    key: str
    email: str
    name: str
    skills: frozenset[str] = frozenset()  # empty: any topic
    languages: frozenset[str] = frozenset()  # empty: any language
    capacity: int | None = None  # None: unlimited
    shifts: tuple[Window, ...] = ()  # empty: the team's hours


@dataclass(frozen=True, slots=True)
class Sticky:
    days: float = 0  # 0: off
    wait_seconds: float = 60


@dataclass(frozen=True, slots=True)
class Minimum:
    """How many must be on duty at least while the team is open, who take this language and topic.

    None asks for nothing. `during` (empty: always): the hours of the week for which it is asked.
    """

    at_least: int = 1
    language: str | None = None
    topic: str | None = None
    during: tuple[Window, ...] = ()


@dataclass(frozen=True, slots=True)
class Team:
    key: str
    timezone: str  # an IANA name
    agents: tuple[str, ...]
    hours: tuple[Window, ...] = ()  # empty: always open
    holidays: Holidays = field(default_factory=Holidays)
    leads: tuple[str, ...] = ()
    pick: Pick = Pick.LONGEST_IDLE
    sticky: Sticky = field(default_factory=Sticky)
    answer_within_seconds: float = 0  # 0: off
    overflow: tuple[str, ...] = ()
    overflow_after_seconds: float = 60
    alert_after_seconds: float = 0  # 0: off
    minimums: tuple[Minimum, ...] = ()
    calendar: str | None = None  # a path, already made absolute
    shifts: tuple[Shift, ...] | None = None  # from the calendar; None: no calendar


@dataclass(frozen=True, slots=True)
class Route:
    """`when_*`: globs over the whole value, None where the route does not ask. First match wins."""

    team: str
    source: tuple[str, ...] | None = None
    store: tuple[str, ...] | None = None
    topic: tuple[str, ...] | None = None
    language: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class Roster:
    agents: dict[str, Agent]
    teams: dict[str, Team]
    routes: tuple[Route, ...]


@dataclass(frozen=True, slots=True)
class Ask:
    """What routing may look at of a customer's wish."""

    source: str | None = None
    store: str | None = None
    topic: str | None = None
    language: str | None = None
