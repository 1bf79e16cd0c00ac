"""On which days a team is closed. The `holidays` library knows the countries; loaded when first asked."""

from __future__ import annotations

from datetime import date
from functools import lru_cache

from bridge.domain.duty.roster import Holidays
from bridge.domain.duty.windows import day_number


def closed_on(holidays: Holidays, day: date) -> str | None:
    """Why this day is a closed one ('Christmas Day', 'a closed day'), None where it is an ordinary day.

    Dated openings do not make a closed day an ordinary one; they only reopen their own hours of it.
    """
    return closed_days(holidays, day.year).get(day_number(day))


@lru_cache(maxsize=512)
def closed_days(holidays: Holidays, year: int) -> dict[int, str]:
    """The closed days of a year as day numbers (see `windows`), each with its reason. Not to be changed."""
    named = {} if holidays.country is None else _public_holidays(holidays.country, holidays.subdivision, year)
    dated = {day_number(day): "a closed day" for day in holidays.closed if day.year == year}
    return {**dated, **named}


@lru_cache(maxsize=512)
def _public_holidays(country: str, subdivision: str | None, year: int) -> dict[int, str]:
    """Raises ValueError for a place that the library does not know."""
    import holidays  # a tenth of a second, which a team without holidays does not pay

    try:
        found = holidays.country_holidays(country, subdiv=subdivision, years=year)
    except (NotImplementedError, AttributeError, TypeError) as problem:
        raise ValueError(_what_is_known(country, subdivision)) from problem
    return {day_number(day): str(name) for day, name in found.items() if day.year == year}


def _what_is_known(country: str, subdivision: str | None) -> str:
    import holidays

    places = holidays.list_supported_countries()
    if country not in places:
        return f"no holidays are known for country {country!r}; use a two-letter code such as US, GB or DE"
    known = ", ".join(places[country]) or "none"
    return f"country {country} has no subdivision {subdivision!r}; known: {known}"
