"""The Service App's minter against the simulator, on a clock that only the test moves."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import aiohttp
import pytest
from structlog.testing import capture_logs

from bridge.domain import errors
from bridge.simulator import CLIENT_ID, CLIENT_SECRET, REFRESH_TOKEN, Simulator, World
from bridge.webex.client import WebexClient
from bridge.webex.service_app import ServiceAppMinter
from bridge.webex.service_credential import GRANT, REFRESHING
from tests.harness import eventually
from tests.webex.clock import HandClock
from tests.webex.vault import MemoryVault

DAY = 86400.0
Make = Callable[..., ServiceAppMinter]


@pytest.fixture
async def sim(clock: HandClock) -> AsyncIterator[Simulator]:
    async with Simulator(World(clock.now)) as sim:
        yield sim


@pytest.fixture
def vault(clock: HandClock) -> MemoryVault:
    return MemoryVault(clock)


@pytest.fixture
def make(sim: Simulator, vault: MemoryVault, clock: HandClock, session: aiohttp.ClientSession) -> Make:
    """A minter as a newly started process has it; waiting for another process is a bug unless `sleep` is given."""
    client = WebexClient(sim.url, session, clock)

    async def sleep(_: float) -> None:
        raise AssertionError("nobody else refreshes")

    def build(sleep: Callable[[float], Awaitable[None]] = sleep, **options: Any) -> ServiceAppMinter:
        settings = {"client_id": CLIENT_ID, "client_secret": CLIENT_SECRET, "refresh_token": REFRESH_TOKEN}
        return ServiceAppMinter(client, vault.of(object()), clock, sleep=sleep, **(settings | options))

    return build


def refreshes(sim: Simulator) -> int:
    return sum(call.path == "/v1/access_token" for call in sim.world.calls)


def stored(vault: MemoryVault) -> dict[str, Any]:
    return dict(json.loads(vault.values[GRANT]))


async def test_the_first_start_refreshes_and_the_next_does_not(make: Make, sim: Simulator) -> None:
    """The stored token serves after a restart while it has life: each refresh counts to Webex's 750."""
    first = make()
    assert not first.report().ready
    await first.prepare()
    assert first.report().ready
    minted = await first.mint("s-1", "Ada")
    assert minted.expires_in == 64799
    assert minted.email is not None
    second = make()
    await second.prepare()
    await second.mint("s-1", "Ada")
    assert await second.guest_count() == 1
    assert refreshes(sim) == 1


async def test_a_token_is_refreshed_in_the_last_fifth_of_its_life(
    make: Make, sim: Simulator, clock: HandClock, vault: MemoryVault
) -> None:
    """Not before, and once then; the newest refresh token is kept."""
    sim.world.rotate_refresh_tokens = True
    minter = make()
    await minter.prepare()
    before = stored(vault)
    clock.pass_(11.1 * DAY)
    await minter.keep_fresh()
    assert refreshes(sim) == 1
    clock.pass_(0.2 * DAY)
    await minter.keep_fresh()
    await minter.keep_fresh()
    assert refreshes(sim) == 2
    assert stored(vault)["refresh_token"] != before["refresh_token"]
    await minter.mint("s-1", "Ada")


async def test_a_token_that_lives_seconds_is_refreshed_on_the_way(
    make: Make, sim: Simulator, clock: HandClock
) -> None:
    """Minting never waits for keep_fresh: a lapsed token is refreshed first, and none is used after its end."""
    sim.world.service_expires_in = "6"
    minter = make()
    for _ in range(5):
        await minter.mint("s-1", "Ada")
        clock.pass_(7)
    assert refreshes(sim) == 5
    assert not any(call.token_expired for call in sim.world.calls)


async def test_many_mints_at_once_share_one_refresh(make: Make, sim: Simulator, clock: HandClock) -> None:
    """Single-flight in the process: at the start, when due, and after a 401."""
    minter = make()
    await asyncio.gather(*(minter.mint(f"s-{n}", "Ada") for n in range(20)))
    assert refreshes(sim) == 1
    clock.pass_(13 * DAY)
    await asyncio.gather(*(minter.mint(f"s-{n}", "Ada") for n in range(20)))
    assert refreshes(sim) == 2
    for token in sim.world.service_app.tokens:
        token.revoked = True
    await asyncio.gather(*(minter.mint(f"s-{n}", "Ada") for n in range(20)))
    assert refreshes(sim) == 3


async def test_a_revoked_token_is_replaced_once_and_the_mint_repeated(make: Make, sim: Simulator) -> None:
    """A 401 costs one refresh and one more call; the caller sees a guest."""
    minter = make()
    await minter.prepare()
    for token in sim.world.service_app.tokens:
        token.revoked = True
    assert (await minter.mint("s-1", "Ada")).token
    assert [c.status for c in sim.world.calls if c.path == "/v1/guests/token"] == [401, 200]
    assert refreshes(sim) == 2


async def test_a_fresh_token_that_is_refused_ends_the_trying(
    make: Make, sim: Simulator, clock: HandClock
) -> None:
    """Else each waiting customer would leave another live token at Webex; an hour later one more try heals it."""
    minter = make()
    await minter.prepare()
    sim.world.fault("POST /guests/token", 401, times=None)
    for _ in range(5):
        with pytest.raises(errors.CredentialsDead):
            await minter.mint("s-1", "Ada")
    assert refreshes(sim) == 2
    assert sum(c.path == "/v1/guests/token" for c in sim.world.calls) == 2
    assert minter.report().dead
    sim.world.clear_faults()
    clock.pass_(3601)
    await minter.mint("s-1", "Ada")
    assert not minter.report().dead


@pytest.mark.parametrize("status", [400, 401, 403, 404])
async def test_dead_credentials_are_reported_and_not_hammered(
    make: Make, sim: Simulator, clock: HandClock, status: int
) -> None:
    """One call an hour, so that a revocation by mistake heals without a restart."""
    sim.world.fault("POST /access_token", status, times=2, message="Client Id is invalid")
    minter = make()
    with capture_logs() as logs, pytest.raises(errors.CredentialsDead):
        await minter.prepare()
    for _ in range(10):
        clock.pass_(60)
        await minter.keep_fresh()
        with pytest.raises(errors.CredentialsDead):
            await minter.mint("s-1", "Ada")
    report = minter.report()
    assert (report.ready, report.dead) == (False, True)
    assert "Client Id is invalid" in report.reasons[0]
    assert refreshes(sim) == 1
    assert [log["event"] for log in logs] == ["service_app.credentials_refused"]
    clock.pass_(3600)
    await minter.keep_fresh()
    assert refreshes(sim) == 2
    clock.pass_(3600)
    await minter.keep_fresh()
    assert minter.report().ready
    assert not minter.report().dead


async def test_a_restart_asks_again(make: Make, sim: Simulator) -> None:
    """What one process was refused, the next may try."""
    sim.world.fault("POST /access_token", 400, times=1)
    with pytest.raises(errors.CredentialsDead):
        await make().prepare()
    await make().prepare()
    assert refreshes(sim) == 2


async def test_the_old_token_serves_while_a_due_refresh_fails(
    make: Make, sim: Simulator, clock: HandClock
) -> None:
    """Trouble in the last fifth is reported, not suffered; not even dead credentials stop a living token."""
    minter = make()
    await minter.prepare()
    clock.pass_(12 * DAY)
    sim.world.fault("POST /access_token", 503, times=1)
    await minter.mint("s-1", "Ada")
    assert minter.report().ready
    assert "503" in minter.report().reasons[0]
    clock.pass_(60)
    sim.world.fault("POST /access_token", 400, times=1)
    await minter.mint("s-1", "Ada")
    assert minter.report().dead
    clock.pass_(2 * DAY)
    await minter.mint("s-1", "Ada")
    assert minter.report().reasons == ()


async def test_a_throttled_refresh_waits_as_long_as_webex_asks(
    make: Make, sim: Simulator, clock: HandClock
) -> None:
    """Meanwhile callers are told the rest of the wait, without a call."""
    sim.world.fault("POST /access_token", {"status": 429, "retry_after": 60}, times=1)
    minter = make()
    with pytest.raises(errors.Throttled):
        await minter.prepare()
    clock.pass_(20)
    with pytest.raises(errors.Throttled) as caught:
        await minter.mint("s-1", "Ada")
    assert caught.value.retry_after == 40
    clock.pass_(41)
    await minter.mint("s-1", "Ada")
    assert refreshes(sim) == 2
    assert sim.world.violations() == []


async def test_the_grant_is_on_disk_before_it_is_used(
    make: Make, sim: Simulator, vault: MemoryVault, clock: HandClock
) -> None:
    """A vault that fails stops the use; the next attempt writes the same grant and asks Webex for no other."""
    sim.world.rotate_refresh_tokens = True
    vault.broken = True
    minter = make()
    for _ in range(3):
        with pytest.raises(OSError, match="disk full"):
            await minter.mint("s-1", "Ada")
    assert [c.path for c in sim.world.calls] == ["/v1/access_token"]
    vault.broken = False
    await minter.mint("s-1", "Ada")
    assert refreshes(sim) == 1
    assert stored(vault)["refresh_token"] != REFRESH_TOKEN


async def test_a_cancelled_caller_does_not_lose_the_new_refresh_token(
    make: Make, sim: Simulator, vault: MemoryVault
) -> None:
    """The refresh goes on to the vault although nobody waits for it any more."""
    sim.world.rotate_refresh_tokens = True
    sim.world.latency = 0.05
    minter = make()
    task = asyncio.create_task(minter.prepare())
    await asyncio.wait_for(vault.acquired.wait(), 60)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await minter.prepare()
    assert refreshes(sim) == 1
    assert len(vault.writes) == 1


async def test_only_one_process_refreshes_and_the_others_read_what_it_wrote(
    make: Make, sim: Simulator, clock: HandClock
) -> None:
    """The loser looks into the vault a while instead of asking Webex."""
    sim.world.rotate_refresh_tokens = True
    waits: list[float] = []

    async def sleep(seconds: float) -> None:
        waits.append(seconds)
        await asyncio.sleep(0)

    minters = [make(sleep=sleep) for _ in range(4)]
    sim.world.latency = 0.02
    waiting = asyncio.gather(*(minter.mint("s-1", "Ada") for minter in minters), return_exceptions=True)
    results = await waiting
    assert refreshes(sim) == 1
    # who gave up waiting (no time passes here between two looks) tries later; nobody asked Webex
    assert {type(r) for r in results} <= {errors.Unavailable} | {type(results[0])}
    for minter in minters:
        await minter.mint("s-1", "Ada")
    assert refreshes(sim) == 1
    clock.pass_(12 * DAY)
    for minter in minters:
        await minter.keep_fresh()
    assert refreshes(sim) == 2


async def test_a_process_that_died_while_refreshing_blocks_nobody_for_long(
    make: Make, sim: Simulator, vault: MemoryVault, clock: HandClock
) -> None:
    """Its lease ends, and whoever waits takes over."""
    assert await vault.of(object()).acquire(REFRESHING, 5)

    async def sleep(seconds: float) -> None:
        clock.pass_(seconds)

    await make(sleep=sleep).mint("s-1", "Ada")
    assert refreshes(sim) == 1


async def test_waiting_for_another_process_has_an_end(make: Make, sim: Simulator, vault: MemoryVault) -> None:
    """After its looks at the vault it is Unavailable, with nothing asked of Webex."""
    assert await vault.of(object()).acquire(REFRESHING, 1e6)
    waits: list[float] = []

    async def sleep(seconds: float) -> None:
        waits.append(seconds)

    with pytest.raises(errors.Unavailable):
        await make(sleep=sleep).mint("s-1", "Ada")
    assert sum(waits) == 10
    assert refreshes(sim) == 0


async def test_a_new_token_in_the_environment_wins_over_the_stored_one(
    make: Make, sim: Simulator, vault: MemoryVault
) -> None:
    """The operator who authorises again is heard; the same environment at the next start changes nothing."""
    sim.world.rotate_refresh_tokens = True
    await make().prepare()
    sim.world.tokens.keep_refresh("new-refresh-token", 4e9)
    seeded = stored(vault)["seed"]
    await make(refresh_token="new-refresh-token").prepare()
    assert refreshes(sim) == 2
    assert stored(vault)["seed"] != seeded
    assert "new-refresh-token" not in vault.values[GRANT]
    await make(refresh_token="new-refresh-token").prepare()
    assert refreshes(sim) == 2


async def test_a_new_but_wrong_token_in_the_environment_is_dead(make: Make, sim: Simulator) -> None:
    """The stored grant does not hide the mistake."""
    await make().prepare()
    with pytest.raises(errors.CredentialsDead):
        await make(refresh_token="mistyped").prepare()


@pytest.mark.parametrize("text", ["", "{", "[]", '{"access_token": 5}', '{"x": 1}'])
async def test_a_stored_grant_that_cannot_be_read_is_as_none(
    make: Make, sim: Simulator, vault: MemoryVault, text: str
) -> None:
    """Another version's or a damaged value leads to a refresh, not to a crash."""
    vault.values[GRANT] = text
    await make().prepare()
    assert refreshes(sim) == 1


async def test_an_access_token_alone_serves_until_it_is_refused(
    make: Make, sim: Simulator, clock: HandClock
) -> None:
    """It is tried at the start, reported as not renewable, and dead at the first 401."""
    world = sim.world
    only = {"client_id": None, "client_secret": None, "refresh_token": None}
    token = world.tokens.mint(world.service_app, 600, clock.now(), 100)
    minter = make(first_access_token=token, **only)
    await minter.prepare()
    assert minter.report().ready
    assert "cannot be renewed" in minter.report().reasons[0]
    await minter.mint("s-1", "Ada")
    clock.pass_(601)
    with pytest.raises(errors.CredentialsDead):
        await minter.mint("s-1", "Ada")
    assert minter.report().dead
    calls = len(world.calls)
    with pytest.raises(errors.CredentialsDead):
        await minter.mint("s-1", "Ada")
    assert len(world.calls) == calls
    assert refreshes(sim) == 0


async def test_a_first_access_token_that_is_refused_is_refreshed(make: Make, sim: Simulator) -> None:
    """With a refresh token at hand a stale first token costs one 401."""
    minter = make(first_access_token="stale")
    await minter.prepare()
    assert [(c.path, c.status) for c in sim.world.calls] == [
        ("/v1/guests/count", 401), ("/v1/access_token", 200), ("/v1/guests/count", 200),
    ]  # fmt: skip


async def test_nothing_to_mint_with_is_dead_without_a_call(make: Make, sim: Simulator) -> None:
    """No token of any kind is said at once."""
    minter = make(refresh_token=None)
    with pytest.raises(errors.CredentialsDead):
        await minter.prepare()
    assert list(sim.world.calls) == []


async def test_the_refresh_tokens_end_is_told_two_weeks_ahead(
    make: Make, sim: Simulator, clock: HandClock
) -> None:
    """Computed from what Webex returned, logged once a day, and a reason of the report."""
    sim.world.service_expires_in, sim.world.refresh_expires_in = 100 * DAY, 20 * DAY
    sim.world.reset()
    minter = make()
    await minter.prepare()
    with capture_logs() as logs:
        for _ in range(7 * 24):
            await minter.keep_fresh()
            clock.pass_(3600)
    events = [log["event"] for log in logs]
    assert events == ["service_app.refresh_token_ending"] * len(events)
    assert 1 <= len(events) <= 2
    assert "refresh token ends on" in minter.report().reasons[0]


async def test_webex_down_at_the_start_is_told(make: Make, sim: Simulator, clock: HandClock) -> None:
    """Not ready, not dead, with the reason; ready as soon as Webex is back."""
    sim.world.fault("POST /access_token", 503, times=1)
    minter = make()
    with pytest.raises(errors.Doubtful):
        await minter.prepare()
    report = minter.report()
    assert (report.ready, report.dead) == (False, False)
    assert "503" in report.reasons[0]
    clock.pass_(5)
    await minter.prepare()
    assert minter.report().ready
    assert minter.report().reasons == ()


async def test_a_missing_scope_is_a_reason_until_a_mint_succeeds(make: Make, sim: Simulator) -> None:
    """A 403 on minting is Refused for the caller and a hint for the operator."""
    minter = make()
    await minter.prepare()
    sim.world.fault("POST /guests/token", 403, times=1)
    with pytest.raises(errors.Refused):
        await minter.mint("s-1", "Ada")
    assert "guest-issuer:write" in minter.report().reasons[0]
    await minter.mint("s-1", "Ada")
    assert minter.report().reasons == ()


async def test_no_log_holds_a_token(make: Make, sim: Simulator, vault: MemoryVault) -> None:
    """Neither the old nor the new one."""
    with capture_logs() as logs:
        await make().prepare()
        sim.world.fault("POST /access_token", 400, times=1, message="bad other-refresh")
        with pytest.raises(errors.CredentialsDead):
            await make(refresh_token="other-refresh").prepare()
    told = json.dumps(logs, default=repr)
    for secret in (
        CLIENT_SECRET,
        "other-refresh",
        stored(vault)["access_token"],
        stored(vault)["refresh_token"],
    ):
        assert secret not in told


async def test_a_stop_in_mid_refresh_keeps_the_new_refresh_token(
    make: Make, sim: Simulator, vault: MemoryVault
) -> None:
    """Webex replaces the refresh token at once; whoever stops then waits for the answer, and gives the lease up."""
    sim.world.rotate_refresh_tokens = True
    held = sim.world.fault("POST /v1/access_token", "hold", effect=True)
    minter = make()
    asking = asyncio.create_task(minter.prepare())
    await eventually(lambda: held.used)
    asking.cancel()
    closing = asyncio.create_task(minter.close(60))
    await asyncio.sleep(0)
    held.release()
    await closing
    assert stored(vault)["refresh_token"] != REFRESH_TOKEN
    assert await vault.of(object()).acquire(REFRESHING, 1)


async def test_a_refresh_that_hangs_is_cut_off_at_a_stop(
    make: Make, sim: Simulator, vault: MemoryVault
) -> None:
    """Its lease is free at once for whoever comes next."""
    held = sim.world.fault("POST /v1/access_token", "hold")
    minter = make()
    asking = asyncio.create_task(minter.prepare())
    await eventually(lambda: held.used)
    asking.cancel()
    await minter.close(0.01)
    assert await vault.of(object()).acquire(REFRESHING, 1)
    held.release()
