"""Times as a customer reads them."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

_DAYS = {
    "en": ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"),
    "es": ("lunes", "martes", "miércoles", "jueves", "viernes", "sábado", "domingo"),
    "de": ("Montag", "Dienstag", "Mittwoch", "Donnerstag", "Freitag", "Samstag", "Sonntag"),
    "fr": ("lundi", "mardi", "mercredi", "jeudi", "vendredi", "samedi", "dimanche"),
    "ar": ("الاثنين", "الثلاثاء", "الأربعاء", "الخميس", "الجمعة", "السبت", "الأحد"),
    "it": ("lunedì", "martedì", "mercoledì", "giovedì", "venerdì", "sabato", "domenica"),
    "nl": ("maandag", "dinsdag", "woensdag", "donderdag", "vrijdag", "zaterdag", "zondag"),
    "pl": (
        "w poniedziałek", "we wtorek", "w środę", "w czwartek", "w piątek", "w sobotę", "w niedzielę",
    ),
    "pt": (
        "segunda-feira", "terça-feira", "quarta-feira", "quinta-feira", "sexta-feira", "sábado", "domingo",
    ),
}  # fmt: skip
_PHRASES = {
    "en": ("today at {time}", "tomorrow at {time}", "on {day} at {time}", "on {date} at {time}"),
    "es": ("hoy a las {time}", "mañana a las {time}", "el {day} a las {time}", "el {date} a las {time}"),
    "de": ("heute um {time} Uhr", "morgen um {time} Uhr", "am {day} um {time} Uhr", "am {date} um {time} Uhr"),
    "fr": ("aujourd'hui à {time}", "demain à {time}", "{day} à {time}", "le {date} à {time}"),
    "ar": (
        "اليوم في الساعة {time}", "غدًا في الساعة {time}",
        "يوم {day} في الساعة {time}", "بتاريخ {date} في الساعة {time}",
    ),
    "it": ("oggi alle {time}", "domani alle {time}", "{day} alle {time}", "il {date} alle {time}"),
    "nl": ("vandaag om {time}", "morgen om {time}", "op {day} om {time}", "op {date} om {time}"),
    "pl": ("dziś o {time}", "jutro o {time}", "{day} o {time}", "{date} o {time}"),
    "pt": ("hoje às {time}", "amanhã às {time}", "{day} às {time}", "em {date} às {time}"),
}  # fmt: skip
# A language without words of its own: no English inside of somebody's sentence.
_PLAIN = "{date}, {time}"


def opening_time(opens_at: float | None, timezone: str, now: float, language: str | None) -> str | None:
    """When a team opens again, in its own zone: 'tomorrow at 09:00'; '2026-11-30, 09:00' where we lack the language."""
    if opens_at is None:
        return None
    zone = ZoneInfo(timezone)
    opening = datetime.fromtimestamp(opens_at, UTC).astimezone(zone)
    days = (opening.date() - datetime.fromtimestamp(now, UTC).astimezone(zone).date()).days
    tongue = (language or "en").strip().replace("_", "-").lower().partition("-")[0]
    time, date = f"{opening:%H:%M}", f"{opening:%Y-%m-%d}"
    if tongue not in _PHRASES:
        return _PLAIN.format(time=time, date=date)
    phrase = _PHRASES[tongue][0 if days <= 0 else 1 if days == 1 else 2 if days < 7 else 3]
    return phrase.format(time=time, day=_DAYS[tongue][opening.weekday()], date=date)
