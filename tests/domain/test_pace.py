"""The ceiling of minting."""

from bridge.domain.pace import Flood, Pace


def simulate(limit_per_second: float, customers: int, seconds: float) -> tuple[int, int]:
    """(minted, refused) by a Webex that takes so many a second, with so many customers always waiting."""
    pace, now, minted, refused, parked_until = Pace(), 0.0, 0, 0, 0.0
    taken: list[float] = []
    waiting = {f"g{n}": 0.0 for n in range(customers)}
    while now < seconds:
        for who, at in list(waiting.items()):
            if at > now or parked_until > now:
                continue
            wait = pace.turn(who, now, urgent=True)
            if wait:
                waiting[who] = now + wait
                continue
            taken = [one for one in taken if one > now - 1]
            if len(taken) >= limit_per_second:
                refused += 1
                parked_until = now + 1
                pace.throttled(now, parked_until)
            else:
                taken.append(now)
                minted += 1
                pace.succeeded()
                del waiting[who]
                waiting[f"{who}+"] = now
        now += 0.05
    return minted, refused


def test_without_a_429_nobody_waits():
    """The ceiling exists only after Webex asked for it."""
    pace = Pace()
    assert all(pace.turn(f"g{n}", 0.0, urgent=True) == 0 for n in range(10_000))


def test_after_a_429_the_pace_is_half_and_rises_again():
    """Half of what was tried; then a little more with each success, until it is dropped."""
    pace = Pace()
    for n in range(20):
        pace.turn(f"g{n}", 10.0, urgent=True)
    pace.throttled(10.0, 11.0)
    assert pace.ceiling == 10.0
    for _ in range(200_000):
        pace.succeeded()
    assert pace.ceiling is None


def test_who_waited_goes_on():
    """A turn that was promised is kept, in the order in which they came."""
    pace = Pace()
    pace.turn("x", 0.0, urgent=True)
    pace.throttled(0.0, 1.0)
    pace.ceiling = 0.5
    waits = [pace.turn(f"g{n}", 0.0, urgent=True) for n in range(4)]
    assert waits == [1.0, 3.0, 5.0, 5.0]
    assert pace.turn("g0", 1.0, urgent=True) == 0
    assert pace.turn("g1", 1.0, urgent=True) == 2.0


def test_re_issues_leave_room_for_words():
    """What is not urgent takes twice the room, so that it comes half as often."""
    pace = Pace()
    pace.throttled(0.0, 0.0)
    pace.ceiling = 1.0
    assert pace.turn("reissue", 0.0, urgent=False) == 0
    assert pace.turn("words", 0.0, urgent=True) == 2.0


def test_a_limited_webex_is_used_well_and_seldom_refuses():
    """Against ten a second, at least half of that gets through and few calls are refused."""
    minted, refused = simulate(10, 500, 120)
    assert minted >= 120 * 10 * 0.5
    assert refused <= 0.05 * minted


def test_a_flood_is_told_by_the_window_before():
    """A short burst is none; a flood is over as soon as a window has fewer events."""
    flood = Flood(1000, 0.25)
    assert not flood.is_on(100.0)
    for _ in range(200):
        flood.arrived()
    assert not flood.is_on(100.3)  # 667 a second
    for _ in range(400):
        flood.arrived()
    assert not flood.is_on(100.4)  # the window is not over
    assert flood.is_on(100.6)
    assert flood.is_on(100.8)
    assert not flood.is_on(100.9)
