"""bridge guests, beside a running service."""

from __future__ import annotations

import re

from bridge.simulator import Simulator, World
from tests.commands.conftest import beside
from tests.harness import config, eventually, running


async def test_counts(sim: Simulator, world: World) -> None:
    """Webex's own count, the tokens that live, and when the next is due, with the service's stored token."""
    async with running(config(), sim) as bridge:
        ran = await beside(bridge.environ, "guests")
        assert (ran.code, ran.err) == (0, "")
        assert ran.out.splitlines() == [
            "guests at Webex: 0",
            "live tokens:     0, of 0 guests",
            "next re-issue:   none, for no conversation is open",
        ]
        for subject in ("ada", "bert"):
            await bridge.opened(subject, "hello")
        await eventually(lambda: len(bridge.texts()) == 2)
        refreshed = len(bridge.calls("/access_token"))
        ran = await beside(bridge.environ, "guests")
        assert ran.code == 0
        assert re.match(
            r"guests at Webex: 2\nlive tokens:     2, of 2 guests\nnext re-issue:   in 1\d h \(2", ran.out
        )
        assert len(bridge.calls("/access_token")) == refreshed


async def test_webex_cannot_be_asked(sim: Simulator, world: World) -> None:
    """What the database knows is said, then why Webex could not be asked; 1."""
    async with running(config(), sim) as bridge:
        world.fault("GET /v1/guests/count", 503)
        ran = await beside(bridge.environ, "guests")
        assert ran.code == 1
        assert "live tokens:     0, of 0 guests" in ran.out
        assert ran.err.startswith("Webex could not be asked for the number of guests: 503 ")


async def test_wrong_key(sim: Simulator) -> None:
    """A key that does not open the stored token is told as that."""
    async with running(config(), sim) as bridge:
        ran = await beside({**bridge.environ, "BRIDGE_SECRET_KEY": "A" * 43 + "="}, "guests")
        assert ran.code == 1
        assert "BRIDGE_SECRET_KEY does not open" in ran.err


def test_key_that_is_not_there_is_not_made(bridge, tmp_path, write) -> None:
    """Without a database nothing is made: no file, no key."""
    from tests.commands.conftest import SMALLEST

    write(SMALLEST)
    ran = bridge("guests")
    assert (ran.code, ran.out) == (1, "")
    assert "no database" in ran.err
    assert not (tmp_path / "var").exists()
