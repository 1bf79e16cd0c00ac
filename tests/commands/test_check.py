"""bridge check: files, environment, calendars, and with --live Webex."""

from __future__ import annotations

import json

import pytest

from bridge import simulator as webex
from bridge.simulator import Simulator, World
from bridge.store.operator.visit import visit
from tests.commands.conftest import EXAMPLE_CHAIN, SECRET, SMALLEST, beside
from tests.harness import config, eventually, running

APP = {"WEBEX_SERVICE_APP_CLIENT_ID": "id", "WEBEX_SERVICE_APP_CLIENT_SECRET": "secret"}
CREDENTIALS = {**APP, "WEBEX_SERVICE_APP_REFRESH_TOKEN": "refresh"}


def test_good_configuration(bridge, write) -> None:
    """0, and the last line counts."""
    write(SMALLEST)
    ran = bridge("check", KIOSK_SECRET=SECRET, **CREDENTIALS)
    assert (ran.code, ran.out, ran.err) == (0, "no errors, no warnings\n", "")


def test_warnings_are_no_error(bridge, write) -> None:
    """Credentials that are not set yet are a warning: 0."""
    write(SMALLEST)
    ran = bridge("check", KIOSK_SECRET=SECRET)
    assert ran.code == 0
    assert "warning: WEBEX_SERVICE_APP_CLIENT_ID is not set" in ran.out
    assert ran.out.endswith("no errors, 2 warnings\n")


def test_first_start_needs_a_refresh_token(bridge, write) -> None:
    """A warning where there is no database yet; later that has one."""
    database = write(SMALLEST).parents[1] / "var" / "bridge.db"
    ran = bridge("check", KIOSK_SECRET=SECRET, **APP)
    assert (ran.code, "warning: WEBEX_SERVICE_APP_REFRESH_TOKEN is not set" in ran.out) == (0, True)
    database.parent.mkdir()
    database.touch()
    assert bridge("check", KIOSK_SECRET=SECRET, **APP).out == "no errors, no warnings\n"


@pytest.mark.parametrize("content", [b"", b"garbage", b"\xff"])
def test_damaged_key(bridge, write, content: bytes) -> None:
    """The key that the service made was overwritten: said before it starts, and in the same words then."""
    key = write(SMALLEST).parents[1] / "var" / "secret.key"
    key.parent.mkdir()
    key.write_bytes(content)
    for command in ("check", "run"):
        ran = bridge(command, KIOSK_SECRET=SECRET, **CREDENTIALS)
        assert ran.code == 1
        assert "var/secret.key holds no key; put back the copy" in ran.out + ran.err
        assert "should not have happened" not in ran.err


def test_every_problem_at_once(bridge, write) -> None:
    """File, line, what is wrong, what would be right, of the file and of the environment; 1."""
    write(SMALLEST.replace("Europe/London", "Europe/Londno").replace("amy@example.com", "amy"))
    ran = bridge("check", PORT="many")
    assert ran.code == 1
    assert "  5: agents.amy.email: " in ran.out
    assert "  7: teams.front-desk.timezone: " in ran.out
    assert "Try: Europe/London" in ran.out
    assert "KIOSK_SECRET" in ran.out
    assert "PORT: must be" in ran.out


def test_configuration_that_is_not_there(bridge) -> None:
    """The check fails: 1, naming the file."""
    ran = bridge("check", "--config", "nowhere.yaml")
    assert ran.code == 1
    assert "nowhere.yaml\n  there is no such file" in ran.out


def test_example_chain(bridge) -> None:
    """The configuration that ships as an example has no error."""
    ran = bridge("check", "--config", EXAMPLE_CHAIN, KIOSK_SECRET=SECRET, WEB_FORM_SECRET=SECRET)
    assert ran.code == 0


def test_calendars(bridge, write) -> None:
    """A calendar that is none is an error; an event that names nobody is a warning."""
    path = write(SMALLEST.replace("agents: [amy]", "agents: [amy], calendar: rota.ics"))
    rota = path.parent / "rota.ics"
    rota.write_text("no calendar")
    ran = bridge("check", KIOSK_SECRET=SECRET, **CREDENTIALS)
    assert ran.code == 1
    assert "teams.front-desk.calendar: " in ran.out
    rota.write_text(
        "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:x\r\nBEGIN:VEVENT\r\nUID:1\r\nDTSTART:20200101T080000Z\r\n"
        "DTEND:20200101T180000Z\r\nRRULE:FREQ=DAILY\r\nSUMMARY:Zoe Nobody\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
    )
    ran = bridge("check", KIOSK_SECRET=SECRET, **CREDENTIALS)
    assert ran.code == 0
    assert "Zoe Nobody" in ran.out
    assert "no errors, 1 warning" in ran.out


def test_live_waits_for_the_files(bridge, write, tmp_path) -> None:
    """Webex is not asked about a configuration that cannot be used, and no database is made."""
    write(SMALLEST.replace("timezone", "tmezone"))
    ran = bridge("check", "--live", KIOSK_SECRET=SECRET, **CREDENTIALS)
    assert ran.code == 1
    assert "not asked before" in ran.out
    assert not (tmp_path / "var").exists()


@pytest.fixture
def environ(sim: Simulator, tmp_path) -> dict[str, str]:
    """A fresh machine whose Webex is the simulator."""
    path = tmp_path / "bridge.yaml"
    path.write_text(json.dumps(config()))
    return {
        "BRIDGE_CONFIG": str(path),
        "DATABASE_URL": f"sqlite:///{tmp_path}/bridge.db",
        "BRIDGE_SECRET_KEY": "A" * 43 + "=",
        "KIOSK_SECRET": SECRET,
        "WEBEX_API_URL": sim.url,
        "WEBEX_SERVICE_APP_CLIENT_ID": webex.CLIENT_ID,
        "WEBEX_SERVICE_APP_CLIENT_SECRET": webex.CLIENT_SECRET,
        "WEBEX_SERVICE_APP_REFRESH_TOKEN": webex.REFRESH_TOKEN,
    }


async def test_live(environ: dict[str, str], world: World) -> None:
    """Tokens, scopes, agents and the bot are well: each is said, 0. No guest is minted for it."""
    ran = await beside({**environ, "WEBEX_BOT_TOKEN": webex.BOT_TOKEN}, "check", "--live")
    assert ran.code == 0
    assert "service-app credentials are accepted" in ran.out
    assert "0 guests so far; guest-issuer" in ran.out
    assert "1 of 1 agents are people of this organisation, 1 seen licensed" in ran.out
    assert f"the bot is Help <{webex.BOT_EMAIL}>" in ran.out
    assert ran.out.endswith("no errors, no warnings\n")
    assert not world.guests
    assert ran.err.startswith("made the database ")


async def test_live_keeps_a_rotated_refresh_token(environ: dict[str, str], world: World) -> None:
    """Where Webex ends the former refresh token, a second check works: the first one kept the new one."""
    world.rotate_refresh_tokens, world.service_expires_in = True, 0.5
    assert (await beside(environ, "check", "--live")).code == 0
    refreshed, over = [call for call in world.calls if call.path == "/v1/access_token"], world.now() + 0.5
    await eventually(lambda: world.now() > over)  # the first token is dead
    ran = await beside(environ, "check", "--live")
    assert (ran.code, ran.err) == (0, "")
    assert len([call for call in world.calls if call.path == "/v1/access_token"]) > len(refreshed)


async def test_live_with_wrong_credentials(environ: dict[str, str]) -> None:
    """A dead refresh token, and a bot token that is none: errors that name the place, never the secret."""
    bad = {"WEBEX_SERVICE_APP_REFRESH_TOKEN": "hush-refresh", "WEBEX_BOT_TOKEN": "hush-bot"}
    ran = await beside({**environ, **bad}, "check", "--live")
    assert ran.code == 1
    assert "service-app: " in ran.out
    assert "WEBEX_BOT_TOKEN: 401" in ran.out
    assert "hush" not in ran.out + ran.err


async def test_live_judges_agents(environ: dict[str, str], world: World, tmp_path) -> None:
    """A bot, or somebody without a licence, as an agent is an error; nobody of this address is a warning."""
    world.add_person("unpaid@example.com", "Una Paid", licensed=False)
    agents = {"amy": {"email": "amy@example.com"}, "bot": {"email": webex.BOT_EMAIL},
              "una": {"email": "unpaid@example.com"}, "zed": {"email": "zed@elsewhere.example"}}  # fmt: skip
    setup = config(agents=agents, teams={"front-desk": {"agents": list(agents)}})
    (tmp_path / "bridge.yaml").write_text(json.dumps(setup))
    ran = await beside(environ, "check", "--live")
    assert ran.code == 1
    assert (
        f"agents.bot: guests cannot write to {webex.BOT_EMAIL}: this is no person but a Webex bot" in ran.out
    )
    assert "agents.una: unpaid@example.com has no Webex licence" in ran.out
    assert "warning: agents.zed: zed@elsewhere.example: Webex shows this token nobody" in ran.out
    assert ran.out.endswith("2 errors, 1 warning\n")


async def test_live_with_a_persons_token_as_the_bots(environ: dict[str, str]) -> None:
    """The bot's token must be a bot's."""
    ran = await beside({**environ, "WEBEX_BOT_TOKEN": webex.PERSONAL_TOKEN}, "check", "--live")
    assert ran.code == 1
    assert "WEBEX_BOT_TOKEN: this is the token of a person, not of a bot" in ran.out


async def test_live_without_webex(environ: dict[str, str]) -> None:
    """Webex that cannot be reached: errors, 1, no traceback."""
    ran = await beside({**environ, "WEBEX_API_URL": "http://127.0.0.1:1/v1"}, "check", "--live")
    assert ran.code == 1
    assert "service-app: " in ran.out


async def test_live_beside_a_service(sim: Simulator, world: World) -> None:
    """The service's stored token is used: nothing is refreshed, nothing of the service's is disturbed."""
    async with running(config(), sim) as bridge:
        refreshed = len(bridge.calls("/access_token"))
        ran = await beside(bridge.environ, "check", "--live")
        assert (ran.code, ran.err) == (0, "")
        assert len(bridge.calls("/access_token")) == refreshed
        with visit(bridge.environ["DATABASE_URL"], writes=False) as connection:
            assert (
                connection.exec_driver_sql("select count(*) from lanes where owner like 'command%'").scalar()
                == 0
            )


async def test_live_with_the_scopes_of_the_readme_is_clean(environ: dict[str, str], world: World) -> None:
    """Nobody can be looked up without a scope for it: said, with its name, and no problem."""
    world.fault("GET /v1/people$", status=403, message="Missing required scope", times=None)
    ran = await beside(environ, "check", "--live")
    assert (ran.code, ran.out.splitlines()[-1]) == (0, "no errors, no warnings")
    assert (
        "1 of 1 agents were not looked up; that is optional, and needs the scope spark:people_read" in ran.out
    )
    assert "0 of" not in ran.out


async def test_live_tells_of_another_address(environ: dict[str, str], world: World) -> None:
    """Renamed since the rota was written: a warning, with the address that Webex shows."""
    world.people_by_email["amy@example.com"].email = "amy.chen@example.com"
    ran = await beside(environ, "check", "--live")
    assert ran.code == 0
    assert "warning: agents.amy: Webex knows amy@example.com as amy.chen@example.com now" in ran.out
