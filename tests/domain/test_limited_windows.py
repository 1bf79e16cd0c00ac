"""Windows of one date, for a season, and of every second week."""

from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from hypothesis import given, settings
from hypothesis import strategies as st

from bridge.domain.duty.duty import on_duty
from bridge.domain.duty.roster import Window
from tests.domain.test_duty import NINE_TO_FIVE, SAT, agent, duty, roster


def test_a_window_of_one_date_counts_on_that_date_alone():
    """Also past midnight, and beside weekly ones."""
    day = date(2026, 12, 5)
    rota = roster(agent("amy", NINE_TO_FIVE, Window(SAT, 22 * 60, 26 * 60, day, day)))
    on = [duty(rota, "amy", text) for text in ("2026-12-05T22:00", "2026-12-06T01:59", "2026-12-12T22:00")]
    assert on == [True, True, False]
    assert duty(rota, "amy", "2026-12-07T09:00")


def test_every_second_week_counts_from_the_week_of_its_first_date():
    """From a Wednesday on: that week's Monday is before it, that of two weeks later counts."""
    window = Window(frozenset({0, 4}), 540, 1020, first=date(2026, 12, 2), every=2)
    rota = roster(agent("amy", window))
    days = ["2026-11-30", "2026-12-04", "2026-12-07", "2026-12-11", "2026-12-14", "2026-12-18", "2026-12-21"]
    on = [day for day in days if duty(rota, "amy", f"{day}T12:00")]
    assert on == ["2026-12-04", "2026-12-14", "2026-12-18"]


@settings(max_examples=60, deadline=None)
@given(
    st.frozensets(st.integers(0, 6), min_size=1),
    st.none() | st.dates(date(2026, 1, 1), date(2026, 12, 31)),
    st.none() | st.dates(date(2026, 6, 1), date(2027, 6, 1)),
    st.integers(1, 5),
    st.sampled_from(["America/Chicago", "Europe/London", "Asia/Kolkata", "Australia/Lord_Howe", "UTC"]),
)
def test_a_year_of_limited_windows_is_what_the_calendar_says(days, first, last, every, zone):
    """Each day of a year, in five zones, counted by hand."""
    window = Window(days, 600, 660, first, last, every if first else 1)
    rota = roster(agent("amy", window), timezone=zone)
    for step in range(365):
        day = date(2026, 1, 1) + timedelta(days=step)
        weeks = ((day - first).days + first.weekday()) // 7 if first else 0
        wanted = (
            day.weekday() in days
            and (first is None or day >= first)
            and (last is None or day <= last)
            and weeks % window.every == 0
        )
        noon = datetime.combine(day, time(10, 30), ZoneInfo(zone))
        assert on_duty(rota, rota.teams["desk"], "amy", noon) is wanted
