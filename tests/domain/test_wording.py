"""Times as a customer reads them, in their language."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from bridge.domain.duty.wording import opening_time

LONDON = "Europe/London"


def at(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(LONDON)).timestamp()


NOW = at("2026-11-27T20:00")


@pytest.mark.parametrize(
    ("language", "opens", "said"),
    [
        (None, "2026-11-27T21:00", "today at 21:00"),
        ("en-GB", "2026-11-28T09:00", "tomorrow at 09:00"),
        ("es_MX", "2026-11-30T09:00", "el lunes a las 09:00"),
        ("de", "2026-11-30T09:00", "am Montag um 09:00 Uhr"),
        ("fr-CA", "2026-11-28T09:00", "demain à 09:00"),
        ("ar", "2026-11-30T09:00", "يوم الاثنين في الساعة 09:00"),
        ("it", "2026-11-29T09:00", "domenica alle 09:00"),
        ("nl", "2026-11-30T09:00", "op maandag om 09:00"),
        ("pl", "2026-12-01T09:00", "we wtorek o 09:00"),
        ("pt-BR", "2026-11-30T09:00", "segunda-feira às 09:00"),
        ("de", "2026-12-24T09:00", "am 2026-12-24 um 09:00 Uhr"),
        ("sv", "2026-11-30T09:00", "2026-11-30, 09:00"),
        ("", "2026-11-28T09:00", "tomorrow at 09:00"),
    ],
)
def test_when_a_team_opens_again(language: str | None, opens: str, said: str) -> None:
    """In the team's zone; a language that we lack gets no English words."""
    assert opening_time(at(opens), LONDON, NOW, language) == said


def test_a_team_that_never_opens_says_nothing() -> None:
    """There is no time to tell."""
    assert opening_time(None, LONDON, NOW, "en") is None
