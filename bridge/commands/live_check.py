"""`bridge check --live`: what Webex says of the credentials, the agents and the bot."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from bridge.commands.asking import Asking, asking
from bridge.domain.duty.roster import Agent
from bridge.domain.errors import BridgeError, Refused, WebexError
from bridge.ports import Minter
from bridge.webex.setup import AgentCheck, check_agents, who_am_i
from config.load import Loaded
from config.problems import Problem, Severity
from config.settings import Settings, missing_credentials

Tell = Callable[[str], None]


async def ask_webex(settings: Settings, loaded: Loaded, tell: Tell) -> list[Problem]:
    """Tells what is well as it goes; what is not comes back."""
    guests = loaded.config.webex.guests
    if missing := missing_credentials(settings, guests):
        return [_problem(guests, f"not asked, for {' and '.join(missing)} must be set first.")]
    try:
        async with asking(settings, guests, may_make=True) as ask:
            found = await _credential(ask.minter, guests, tell)
            return found + await _agents(ask, loaded.roster.agents, tell) + await _bot(settings, tell)
    except BridgeError as error:
        return [_problem("DATABASE_URL", str(error))]


async def _credential(minter: Minter, guests: str, tell: Tell) -> list[Problem]:
    """Can a token be obtained, and may it count guests? Minting is not tried: guests cannot be deleted."""
    try:
        await minter.prepare()
        tell(f"webex: {guests} credentials are accepted")
        count = await minter.guest_count()
        if count is not None:
            tell(f"webex: {count} guests so far; guest-issuer:read or guest-issuer:write is granted")
    except WebexError as error:
        scopes = isinstance(error, Refused) and error.status == 403
        hint = "the scopes guest-issuer:read and guest-issuer:write of the Service App." if scopes else ""
        return [_problem(guests, str(error), hint)]
    return [_problem(guests, reason, severity="warning") for reason in minter.report().reasons]


_OPTIONAL = "that is optional, and needs the scope"


async def _agents(ask: Asking, agents: Mapping[str, Agent], tell: Tell) -> list[Problem]:
    """Each agent as the Service App sees them; whom it may not see is looked for with the bot's token."""
    checks: dict[str, AgentCheck] = {}
    bot = ask.settings.webex_bot_token
    for token in (await ask.token(), bot.get_secret_value() if bot else None):
        left = [agent.email for agent in agents.values() if _unseen(checks.get(agent.email))]
        if token and left:
            try:
                checks.update(await check_agents(ask.settings.webex_api_url, token, left, licences=True))
            except WebexError as error:
                return [_problem("agents", f"Webex could not be asked: {error}", severity="warning")]
    seen = {email: check for email, check in checks.items() if not _unseen(check)}
    _tell_agents(seen, len(agents), tell)
    return [problem for agent in agents.values() for problem in _judged(agent, seen.get(agent.email))]


def _tell_agents(seen: Mapping[str, AgentCheck], number: int, tell: Tell) -> None:
    """Counts only what was looked up; what was not is said to be optional, with the scope that it needs (facts 6)."""
    if len(seen) < number:
        left = f"{number - len(seen)} of {number} agents were not looked up"
        tell(f"webex: {left}; {_OPTIONAL} spark:people_read on the Service App")
    if not seen:
        return
    good = sum(check.found is True for check in seen.values())
    known = [check.licensed for check in seen.values() if check.licensed is not None]
    licensed = f", {sum(known)} seen licensed" if known else ""
    tell(f"webex: {good} of {len(seen)} agents are people of this organisation{licensed}")
    if good and not known:
        tell(f"webex: licences were not looked up; {_OPTIONAL} spark-admin:people_read on the Service App")


def _unseen(check: AgentCheck | None) -> bool:
    return check is None or check.found is None


def _judged(agent: Agent, check: AgentCheck | None) -> list[Problem]:
    where = f"agents.{agent.key}"
    if check is None:
        return []
    if check.found and check.address:
        text = f"Webex knows {agent.email} as {check.address} now; both are heard."
        return [_problem(where, text, f"email: {check.address}", severity="warning")]
    if check.found and check.licensed is not False:
        return []
    if check.found:
        return [_problem(where, f"{agent.email} has no Webex licence.", "a licence for them in Control Hub.")]
    if check.type is not None or check.reason is None:
        return [_problem(where, f"guests cannot write to {agent.email}: {check.reason}")]
    doubt = " (people of other organisations are never shown)" if check.found is False else ""
    return [_problem(where, f"{agent.email}: {check.reason}{doubt}.", severity="warning")]


async def _bot(settings: Settings, tell: Tell) -> list[Problem]:
    if settings.webex_bot_token is None:
        tell("webex: no bot, for WEBEX_BOT_TOKEN is not set")
        return []
    try:
        bot = await who_am_i(settings.webex_api_url, settings.webex_bot_token.get_secret_value())
    except WebexError as error:
        return [_problem("WEBEX_BOT_TOKEN", str(error))]
    if bot.type != "bot":
        return [_problem("WEBEX_BOT_TOKEN", f"this is the token of a {bot.type or 'person'}, not of a bot.")]
    tell(f"webex: the bot is {bot.display_name} <{', '.join(bot.emails)}>")
    return []


def _problem(where: str, message: str, remedy: str = "", severity: Severity = "error") -> Problem:
    return Problem("webex", None, None, where, message, remedy, severity)
