"""What one part of the configuration says about another: names, addresses, secrets, files."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path as FilePath
from zoneinfo import ZoneInfo, available_timezones

import holidays

from bridge.domain.reach import is_public
from config.addresses import AddressError, ip_of, is_loopback, split
from config.check_first_line import faults_of_line
from config.check_senders import faults_of, has_public_url
from config.model_first_line import Answerer
from config.models import Callback, Config, Source, Team
from config.problems import Path, suggest
from config.tree import Tree
from config.variables import VariableError, read_variable

PATTERN = "*?["
_OUR_HEADERS = {"content-type", "content-length", "host", "transfer-encoding", "connection"}


class Check:
    """What the checks look at, and where they note what they find.

    `draft` may lack what is wrong in itself; nothing more is said about a place that has a problem already.
    `original` leads from a place in the draft to its place in the files.
    """

    def __init__(
        self,
        tree: Tree,
        draft: Config,
        base: FilePath,
        environ: Mapping[str, str] | None,
        original: Callable[[Path], Path] = lambda path: path,
    ) -> None:
        self.tree = tree
        self.draft = draft
        self.base = base
        self.environ = environ
        self._wrong = list(tree.faulty)
        self._original = original

    def problem(self, path: Path, message: str, remedy: str = "") -> None:
        place = self._original(path)
        if not any(place[: len(known)] == known or known[: len(place)] == place for known in self._wrong):
            self.tree.problem(place, message, remedy)

    def names(self, section: str) -> Mapping[str, object]:
        """What a section names in the files, also entries that are wrong in themselves."""
        values = self.tree.data.get(section)
        return values if isinstance(values, dict) else {}

    def known(self, path: Path, name: str, section: str, kind: str) -> None:
        names = self.names(section)
        if name not in names:
            self.problem(path, f"there is no {kind} named {name[:60]!r}", suggest(name, names))


def crosscheck(check: Check) -> None:
    """Notes every error that only shows when parts are held side by side. Reads the calendars' names."""
    _agents(check)
    for name, source in check.draft.sources.items():
        _source(check, ("sources", name), source)
    for name, team in check.draft.teams.items():
        _team(check, name, team)
    _first_lines(check)
    _routes(check)
    _development_only(check)


def _agents(check: Check) -> None:
    owners: dict[str, str] = {}
    for name, agent in check.draft.agents.items():
        owner = owners.setdefault(agent.email.lower(), name)
        if owner != name:
            check.problem(
                ("agents", name, "email"),
                f"{agent.email} is the address of {owner!r} already",
                "one entry for each person; an agent may be in several teams.",
            )


def _source(check: Check, path: Path, source: Source) -> None:
    for place, message, remedy in faults_of(source.auth, has_public_url(check.environ)):
        check.problem((*path, "auth", *place), message, remedy)
    if source.auth.scheme == "page":
        if source.auth.secrets:
            check.problem((*path, "auth", "secrets"), "a page cannot keep a secret", "leave secrets out.")
        if not source.origins:
            check.problem(
                (*path, "origins"), "a page needs the origins it is served from", "[https://shop.example.com]"
            )
    elif not source.auth.secrets:
        check.problem((*path, "auth", "secrets"), "a signing source needs a secret", "[env:KIOSK_SECRET]")
    if source.callback is not None:
        _callback(check, (*path, "callback", "url"), source.callback)
        if not source.callback.every_secret:
            message = "news must be signed, and there is no secret"
            check.problem((*path, "callback"), message, "secret: env:FORMS_HOOK_SECRET")
        for name in source.callback.headers:
            if name.lower() in _OUR_HEADERS or name.lower().startswith("webhook-"):
                check.problem(
                    (*path, "callback", "headers", name), "this header is set by the bridge", "another."
                )


def _first_lines(check: Check) -> None:
    for name, line in check.draft.first_line.items():
        path = ("first_line", name)
        for place, message, remedy in faults_of_line(line, check.base, check.tree):
            check.problem((*path, *place), message, remedy)
        if line.answerer is not None:
            _callback(check, (*path, "answerer", "url"), line.answerer)
    for name, source in check.draft.sources.items():
        if source.first_line is not None:
            check.known(("sources", name, "first_line"), source.first_line, "first_line", "first line")


def _callback(check: Check, path: Path, callback: Callback | Answerer) -> None:
    try:
        parts = split(callback.url)
    except AddressError as error:
        check.problem(path, str(error), error.remedy)
        return
    host = parts.hostname or ""
    ip = ip_of(host)
    if not callback.allow_private and (is_loopback(host) or (ip is not None and not is_public(ip))):
        check.problem(path, f"{host} is not a public address", "allow_private: true, if that is meant.")
    elif not callback.allow_private and parts.scheme == "http":
        check.problem(
            path, "what we post must go by https", "https://, or allow_private: true inside a network."
        )
    if parts.fragment:
        check.problem(path, "the address has a # in it", "the address without it.")


def _team(check: Check, name: str, team: Team) -> None:
    path = ("teams", name)
    _timezone(check, (*path, "timezone"), team.timezone)
    _holidays(check, (*path, "holidays"), team.holidays.country, team.holidays.subdivision)
    _references(check, (*path, "agents"), team.agents, "agents", "agent")
    _references(check, (*path, "overflow"), team.overflow, "teams", "team")
    for index, helper in enumerate(team.overflow):
        if helper == name:
            check.problem((*path, "overflow", index), "a team cannot overflow to itself", "another team.")
    if team.calendar is not None:
        _calendar(check, (*path, "calendar"), team.calendar)


def _references(check: Check, path: Path, names: Iterable[str], section: str, kind: str) -> None:
    seen: set[str] = set()
    for index, name in enumerate(names):
        check.known((*path, index), name, section, kind)
        if name in seen:
            check.problem((*path, index), f"{name!r} is listed twice", "it once.")
        seen.add(name)


def _timezone(check: Check, path: Path, name: str) -> None:
    try:
        ZoneInfo(name)
    except (OSError, ValueError, LookupError):
        # The name nearest to an abbreviation, such as CST, is another zone that works and is wrong.
        short = re.fullmatch(r"[A-Z]{2,4}([+-]\d+)?", name)
        remedy = "" if short else suggest(name, [zone for zone in available_timezones() if "/" in zone])
        remedy = remedy or "a name with a region, such as America/Chicago or Europe/London."
        check.problem(path, f"{name[:60]!r} is not a time zone", remedy)


def _holidays(check: Check, path: Path, country: str | None, subdivision: str | None) -> None:
    if country is None:
        if subdivision is not None:
            check.problem((*path, "subdivision"), "a subdivision needs its country", "country: US")
        return
    countries = holidays.list_supported_countries(include_aliases=True)
    if country not in countries:
        remedy = suggest(country, countries) or "its two letters, such as US or GB"
        check.problem((*path, "country"), f"no public holidays are known for {country[:40]!r}", remedy)
    elif subdivision is not None:
        try:
            holidays.country_holidays(country, subdiv=subdivision)
        except NotImplementedError:
            message = f"{country} has no subdivision {subdivision[:40]!r}"
            names = [*countries[country], *holidays.country_holidays(country).subdivisions_aliases]
            check.problem((*path, "subdivision"), message, suggest(subdivision, names))


def _calendar(check: Check, path: Path, calendar: str) -> None:
    place = check.base / calendar
    try:
        if place.is_dir():
            if not any(item.suffix.lower() == ".ics" for item in place.iterdir()):
                check.problem(path, f"the folder {calendar[:80]!r} holds no .ics file", "one file at least.")
        elif not place.is_file():
            check.problem(path, f"there is no file or folder {calendar[:80]!r} beside this file", "its path.")
        elif place.suffix.lower() != ".ics":
            check.problem(path, f"{calendar[:80]!r} is not an .ics file", "an iCal file, such as rota.ics")
    except (OSError, ValueError):
        check.problem(path, f"{calendar[:80]!r} cannot be read", "an iCal file, such as rota.ics")


def _routes(check: Check) -> None:
    for index, route in enumerate(check.draft.routes):
        check.known(("routes", index, "team"), route.team, "teams", "team")
        for number, source in enumerate(route.when.source or ()):
            if not any(character in source for character in PATTERN):
                check.known(("routes", index, "when", "source", number), source, "sources", "source")


def _development_only(check: Check) -> None:
    if check.environ is None or check.draft.webex.guests != "personal-token":
        return
    try:
        environment = read_variable(check.environ, "BRIDGE_ENV")
    except VariableError:
        return  # the settings tell it
    if (environment or "production").lower() != "development":
        message = "a personal token stands in for guests in development only"
        check.problem(("webex", "guests"), message, "service-app, or BRIDGE_ENV=development.")
