"""Times as a customer reads them."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

_DAYS = {
    "en": ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"),
    "es": ("lunes", "martes", "miércoles", "jueves", "viernes", "sábado", "domingo"),
}
_PHRASES = {
    "en": ("today at {time}", "tomorrow at {time}", "on {day} at {time}", "on {date} at {time}"),
    "es": ("hoy a las {time}", "mañana a las {time}", "el {day} a las {time}", "el {date} a las {time}"),
}


def opening_time(opens_at: float | None, timezone: str, now: float, language: str | None) -> str | None:
    """When a team opens again, in its own zone: 'tomorrow at 09:00'."""
    if opens_at is None:
        return None
    zone = ZoneInfo(timezone)
    opening = datetime.fromtimestamp(opens_at, UTC).astimezone(zone)
    days = (opening.date() - datetime.fromtimestamp(now, UTC).astimezone(zone).date()).days
    tongue = (language or "en").lower().partition("-")[0]
    tongue = tongue if tongue in _PHRASES else "en"
    phrase = _PHRASES[tongue][0 if days <= 0 else 1 if days == 1 else 2 if days < 7 else 3]
    return phrase.format(
        time=f"{opening:%H:%M}", day=_DAYS[tongue][opening.weekday()], date=f"{opening:%Y-%m-%d}"
    )
