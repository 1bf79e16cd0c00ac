"""The legacy Guest Issuer and the personal token, against the simulator."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import AsyncIterator

import aiohttp
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.domain import errors
from bridge.simulator import (
    GUEST_ISSUER_ID,
    GUEST_ISSUER_SECRET,
    PERSONAL_EMAIL,
    PERSONAL_TOKEN,
    Simulator,
    World,
)
from bridge.webex.client import WebexClient
from bridge.webex.guest_issuer import GuestIssuerMinter, decode_secret, jwt_subject
from bridge.webex.personal import PersonalTokenMinter
from tests.webex.clock import HandClock
from tests.webex.vault import MemoryVault


@pytest.fixture
async def sim(clock: HandClock) -> AsyncIterator[Simulator]:
    async with Simulator(World(clock.now)) as sim:
        yield sim


@pytest.fixture
def real(sim: Simulator, session: aiohttp.ClientSession, clock: HandClock) -> WebexClient:
    return WebexClient(sim.url, session, clock)


@pytest.mark.parametrize("expires_in", [21600, "600"])
async def test_a_guest_is_minted_by_jwt(
    sim: Simulator, real: WebexClient, clock: HandClock, expires_in: float | str
) -> None:
    """The simulator verifies the JWT; `expiresIn` may be a string; who the guest is this flow does not tell."""
    sim.world.jwt_expires_in = expires_in
    minter = GuestIssuerMinter(real, clock, GUEST_ISSUER_ID, GUEST_ISSUER_SECRET)
    minted = await minter.mint("käthe@x#1", "Käthe")
    assert (minted.expires_in, minted.person_id, minted.email) == (float(expires_in), None, None)
    me = await real.me(minted.token)
    assert (me.display_name, me.type) == ("Käthe", "appuser")
    again = await minter.mint("käthe@x#1", "Käthe")
    assert (await real.me(again.token)).id == me.id
    assert await minter.guest_count() is None


async def test_the_secret_is_tried_once_at_the_start(
    sim: Simulator, real: WebexClient, clock: HandClock
) -> None:
    """Ready only after Webex took it; a second prepare asks nothing."""
    minter = GuestIssuerMinter(real, clock, GUEST_ISSUER_ID, GUEST_ISSUER_SECRET)
    assert not minter.report().ready
    await minter.prepare()
    await minter.prepare()
    assert minter.report().ready
    assert len(sim.world.calls) == 1


@pytest.mark.parametrize("status", [401, 404])
async def test_a_wrong_secret_is_dead(
    sim: Simulator, real: WebexClient, clock: HandClock, status: int
) -> None:
    """Both answers seen for a bad JWT end the trying for an hour."""
    sim.world.jwt_error_status = status
    minter = GuestIssuerMinter(real, clock, GUEST_ISSUER_ID, base64.b64encode(b"wrong").decode())
    for _ in range(3):
        with pytest.raises(errors.CredentialsDead):
            await minter.mint("s-1", "Ada")
    assert len(sim.world.calls) == 1
    assert minter.report().dead
    assert minter.report().reasons
    clock.pass_(3601)
    with pytest.raises(errors.CredentialsDead):
        await minter.prepare()
    assert len(sim.world.calls) == 2


async def test_trouble_at_the_start_is_a_reason_and_not_the_end(
    sim: Simulator, real: WebexClient, clock: HandClock
) -> None:
    """A 503 leaves the issuer not ready; a later mint makes it so."""
    sim.world.fault("POST /jwt/login", 503)
    minter = GuestIssuerMinter(real, clock, GUEST_ISSUER_ID, GUEST_ISSUER_SECRET)
    with pytest.raises(errors.Doubtful):
        await minter.prepare()
    assert "503" in minter.report().reasons[0]
    assert not minter.report().dead
    await minter.mint("s-1", "Ada")
    assert minter.report().ready
    assert minter.report().reasons == ()


@given(st.lists(st.text(max_size=30), unique=True, max_size=20))
def test_two_subjects_never_become_one(subjects: list[str]) -> None:
    """Every subject has a sub of letters, digits and hyphens, its own and the same each time."""
    mapped = [jwt_subject(subject) for subject in subjects]
    assert len(set(mapped)) == len(subjects)
    assert all(re.fullmatch("[A-Za-z0-9-]+", m) for m in mapped)
    assert mapped == [jwt_subject(subject) for subject in subjects]
    assert not {jwt_subject(m) for m in mapped if m.startswith("h-")} & set(mapped)


def test_a_plain_subject_stays_as_it_is() -> None:
    """Only what a sub may not hold, or what looks like a mapped subject, is mapped."""
    assert jwt_subject("loyalty-48213") == "loyalty-48213"
    assert jwt_subject("h-1") != "h-1"


@pytest.mark.parametrize("key", [b"\xfb\xff\xfe", b"k", b"four", bytes(range(256))])
def test_a_secret_is_read_in_every_base64(key: bytes) -> None:
    """Padded or not, url-safe or not, broken over lines."""
    for text in (base64.b64encode(key).decode(), base64.urlsafe_b64encode(key).decode()):
        for form in (text, text.rstrip("="), text[:2] + "\n" + text[2:] + "\n"):
            assert decode_secret(form) == key


@pytest.mark.parametrize("text", ["", "  ", "not base64!", "ü", "a"])
def test_a_secret_that_is_none_is_refused_at_the_start(text: str) -> None:
    """In plain words, naming the variable."""
    with pytest.raises(errors.BridgeError, match="WEBEX_GUEST_ISSUER_SECRET"):
        decode_secret(text)


def personal(
    real: WebexClient, vault: MemoryVault, clock: HandClock, token: str = PERSONAL_TOKEN
) -> PersonalTokenMinter:
    return PersonalTokenMinter(real, vault.of(object()), clock, token, environment="development")


async def test_a_personal_token_is_lent_for_the_rest_of_its_12_hours(
    sim: Simulator, real: WebexClient, clock: HandClock
) -> None:
    """The 12 hours count from when any run first saw it, and end in the report."""
    vault = MemoryVault(clock)
    first = personal(real, vault, clock)
    await first.prepare()
    assert (await first.mint("s-1", "Ada")).expires_in == 43200
    clock.pass_(3600)
    minted = await personal(real, vault, clock).mint("s-2", "Bo")
    assert (minted.token, minted.expires_in, minted.email) == (PERSONAL_TOKEN, 39600, PERSONAL_EMAIL)
    assert "Development only" in first.report().reasons[0]
    assert "2027-01-15T20:00" in first.report().reasons[0]
    assert PERSONAL_TOKEN not in json.dumps(vault.values)
    clock.pass_(39600)
    with pytest.raises(errors.CredentialsDead):
        await first.mint("s-1", "Ada")
    assert first.report().dead


async def test_a_refused_personal_token_is_dead(sim: Simulator, real: WebexClient, clock: HandClock) -> None:
    """A 401 is told in the report, before the standing warning."""
    minter = personal(real, MemoryVault(clock), clock, "mistyped")
    with pytest.raises(errors.CredentialsDead):
        await minter.prepare()
    report = minter.report()
    assert (report.ready, report.dead, len(report.reasons)) == (False, True, 2)
    with pytest.raises(errors.CredentialsDead):
        await minter.mint("s-1", "Ada")
    assert len(sim.world.calls) == 1


def test_a_personal_token_is_refused_in_production(client: WebexClient, clock: HandClock) -> None:
    """Even if nobody checked before."""
    with pytest.raises(errors.BridgeError, match="BRIDGE_ENV"):
        PersonalTokenMinter(client, MemoryVault(clock).of(1), clock, PERSONAL_TOKEN, environment="production")
