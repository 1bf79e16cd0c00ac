"""bridge export: conversations and messages as CSV that a spreadsheet may open."""

from __future__ import annotations

import csv
import io
from datetime import UTC, datetime, timedelta

import pytest

from bridge.commands.export import _safe
from bridge.simulator import Simulator
from bridge.store.operator.visit import visit
from tests.commands.conftest import Ran, beside
from tests.harness import RunningBridge, config, eventually, running

TODAY = datetime.now(UTC).date()


def rows(ran: Ran) -> list[dict[str, str]]:
    assert (ran.code, ran.err) == (0, "")
    return list(csv.DictReader(io.StringIO(ran.out, newline="")))


async def test_rows(sim: Simulator, database_url: str) -> None:
    """One row for each message with its conversation's columns; what was said is word for word."""
    words = 'He said "no",\r\nthen left; ü ☂'
    async with running(config(), sim, database_url=database_url) as bridge:
        ada = await bridge.opened("ada", words, store="S12", topic="returns", language="en")
        await eventually(lambda: len(bridge.texts()) == 1)
        await ada.say("two")
        await eventually(lambda: len(bridge.texts()) == 2)
        await eventually(lambda: both_sent(bridge))
        bridge.world.say("amy@example.com", next(iter(bridge.world.guests)), text="hello")

        async def heard() -> bool:
            return bool(await ada.heard())

        await eventually(heard)
        found = rows(
            await beside(bridge.environ, "export", "--from", TODAY, "--to", TODAY + timedelta(days=1))
        )
    assert [(row["seq"], row["from"], row["text"]) for row in found] == [
        ("1", "customer", words), ("2", "customer", "two"), ("3", "agent", "hello"),
    ]  # fmt: skip
    first = found[0]
    assert {row["conversation"] for row in found} == {ada.id}
    assert (first["source"], first["subject"], first["displayName"]) == ("kiosk", "ada", "Ada")
    assert (first["store"], first["topic"], first["language"]) == ("S12", "returns", "en")
    assert (first["team"], first["agent"], first["status"], first["delivery"]) == (
        "front-desk",
        "amy",
        "open",
        "sent",
    )
    assert first["startedAt"].startswith(f"{TODAY.year}-")
    assert first["startedAt"].endswith("Z")


def both_sent(bridge: RunningBridge) -> bool:
    with visit(bridge.environ["DATABASE_URL"], writes=False) as connection:
        found = connection.exec_driver_sql("select count(*) from messages where delivery = 'sent'").scalar()
    return found == 2


async def test_formulas_are_disarmed(sim: Simulator) -> None:
    """What a spreadsheet would run has an apostrophe before it, in every column that a customer fills."""
    evil = '=HYPERLINK("http://evil.example")'
    async with running(config(), sim) as bridge:
        await bridge.event(
            subject=f"+{evil}", displayName=f"@{evil}", message=evil, store=evil, topic=f" {evil}"
        )
        await bridge.event(subject="b", displayName="-B", message="-1")
        await eventually(lambda: len(bridge.texts()) == 2)
        found = rows(await beside(bridge.environ, "export", "--from", "2020-01-01", "--to", "2100-01-01"))
    assert found[0]["text"] == found[0]["store"] == f"'{evil}"
    assert (found[0]["subject"], found[0]["displayName"]) == (f"'+{evil}", f"'@{evil}")
    assert found[0]["topic"] == f"' {evil}"
    assert (found[1]["displayName"], found[1]["text"]) == ("'-B", "'-1")


@pytest.mark.parametrize(
    "text",
    [
        "＝1+1",
        "＋1",
        "－1",
        "＠x",
        "﹦1",
        "\t=1",
        "\tx",
        "\rx",
        "\nx",
        "\u00a0=1",
        "\ufeff=1",
        "\u200b=1",
        "\x00=1",
        " ＝1",
    ],
)
def test_every_disguise_of_a_formula_is_disarmed(text: str) -> None:
    """Full-width signs, and what stands unseen in front of one."""
    assert _safe(text) == f"'{text}"


@pytest.mark.parametrize("text", ["", "x=1", " x", "ü", "5-3", "'=1", "。＝"])
def test_what_is_no_formula_stays_as_it_is(text: str) -> None:
    """Word for word."""
    assert _safe(text) == text


async def test_days_are_inclusive_and_may_have_an_offset(sim: Simulator) -> None:
    """A day lasts from its midnight to the next one, in UTC or where the offset says; a time is an instant."""
    async with running(config(), sim) as bridge:
        await bridge.opened("ada")
        noon = datetime(2026, 3, 10, 23, 30, tzinfo=UTC).timestamp()
        with visit(bridge.environ["DATABASE_URL"], writes=True) as connection:
            connection.exec_driver_sql(f"update conversations set created_at = {noon}")

        async def number(first: str, last: str) -> int:
            return len(rows(await beside(bridge.environ, "export", "--from", first, "--to", last)))

        assert await number("2026-03-10", "2026-03-10") == 1
        assert await number("2026-03-11", "2026-03-12") == 0
        assert await number("2026-03-11+01:00", "2026-03-11+01:00") == 1
        assert await number("2026-03-10T23:30Z", "2026-03-11T00:30+01:00") == 1
        assert await number("2026-03-10T23:31", "2026-03-10T23:40") == 0


async def test_conversation_without_messages_has_a_row(sim: Simulator) -> None:
    """Nothing said yet: the conversation is there all the same. An empty answer is its heading."""
    async with running(config(), sim) as bridge:
        await bridge.opened("ada")
        found = rows(await beside(bridge.environ, "export", "--from", "2020-01-01", "--to", "2100-01-01"))
        assert [(row["subject"], row["seq"], row["text"]) for row in found] == [("ada", "", "")]
        ran = await beside(bridge.environ, "export", "--from", "2020-01-01", "--to", "2020-01-01")
        assert (rows(ran), ran.out.count("\n")) == ([], 1)


@pytest.mark.parametrize(
    ("first", "last", "words"),
    [
        ("2026-11-31", "2026-12-01", "--from: 2026-11-31 is no date"),
        ("2026-11-30", "soon", "--to: 'soon' is no date"),
        ("2026-11-30", "2026-11-29", "is before"),
        ("2026-11-30", "9999-12-31", "--to: 9999-12-31 is no date"),
        ("0001-01-01+14:00", "2026-11-29", "--from: 0001-01-01+14:00 is no date"),
        ("2026-11-30+99:00", "2026-12-01", "is no date"),
    ],
)
def test_wrong_dates(bridge, first: str, last: str, words: str) -> None:
    """2 and a sentence before any database is looked at."""
    ran = bridge("export", "--from", first, "--to", last)
    assert (ran.code, ran.out) == (2, "")
    assert words in ran.err
