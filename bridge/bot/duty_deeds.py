"""What commands about duty do: off, on, cover, pause, resume. Nothing is written here; Effects are given."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import chain

from bridge.bot.answering import Answering
from bridge.domain.bot.commands import Asker, Command
from bridge.domain.bot.times import ends_at, span_meant
from bridge.domain.conversation.desk import DutyBook
from bridge.domain.duty.duty import Override
from bridge.domain.duty.newest_word import Left, covers_lost, left_after_return, left_of
from bridge.domain.duty.roster import Team
from bridge.domain.identity import reference
from bridge.store import bot_reads
from bridge.store.bot import Effects, Saying
from bridge.store.overrides import NO_END, Change, Lift, plans

# 'off' and 'on' without an end: nobody is forgotten for ever.
OFF_SECONDS = 12 * 3600.0


class DutyDeeds(Answering):
    """Who works when, for a while."""

    async def off(self, command: Command, asker: Asker) -> Effects:
        agent, team = command.agent or "", self._team_of(command.agent)
        now = self._clock.now()
        start, until = span_meant(command.start, command.end, team.timezone, now, OFF_SECONDS)
        held = await self._store.read(bot_reads.of_agent, agent)
        book, _, _ = await self._book()
        what = (
            f"off {self._span(start, until, team)}"
            if command.end or command.start
            else f"off until {'you say' if agent == asker.agent else 'somebody says'} on"
        )
        ahead = start > now
        left = (
            f" {len(held)} open: {', '.join(reference(one.id) for one in held[:20])}."
            if held and not ahead
            else ""
        )
        bound = "" if command.end or command.start else ", at most 12 hours"
        effects = self._changed(
            command, asker, agent, f"{{who}} {what}{bound}.{left}",
            change=Change("off", start, until, asker.email, now, agent=agent),
        )  # fmt: skip
        return self._with_lost(effects, asker, book, _left(book, effects.changes))

    async def on(self, command: Command, asker: Asker) -> Effects:
        """Back to the rota; outside of one's shifts on duty nevertheless, for a while. A refusal is forgotten."""
        agent, team = command.agent or "", self._team_of(command.agent)
        book, desk, now = await self._book()
        known = desk.states.get(agent)
        again = " Whom Webex refused is tried again." if known and known.load(now).refused else ""
        back = [left_after_return(one, agent, now) for one in book.overrides]
        plain = DutyBook(book.roster, tuple(chain.from_iterable(back)), book.paused)
        teams = [one for one in book.roster.teams.values() if agent in one.agents]
        said = command.end is not None or command.start is not None
        if not said and any(agent in plain.table(one, now).on_duty for one in teams):
            lift = Lift(agent=agent, now=now)
            effects = self._changed(command, asker, agent, f"{{who}} on duty.{again}", lift=lift)
            return replace(self._with_lost(effects, asker, book, back), forgiven=(agent,))
        start, until = span_meant(command.start, command.end, team.timezone, now, OFF_SECONDS)
        ahead = start > now or any(plain.table(one, now).open for one in teams)
        closed = "" if ahead else ", as soon as a team opens"
        text = f"{{who}} on duty outside the shifts {self._span(start, until, team)}{closed}.{again}"
        effects = self._changed(
            command, asker, agent, text, change=Change("on", start, until, asker.email, now, agent=agent)
        )
        left = _left(book, effects.changes)
        return replace(self._with_lost(effects, asker, book, left), forgiven=(agent,))

    async def cover(self, command: Command, asker: Asker) -> Effects:
        absent, covering = command.agent or "", command.to or ""
        team, now, names = self._team_of(absent), self._clock.now(), self._roster().agents
        start, until = span_meant(command.start, command.end, team.timezone, now, OFF_SECONDS)
        change = Change("cover", start, until, asker.email, now, agent=covering, for_agent=absent)
        text = f"{names[covering].name} covers for {names[absent].name} {self._span(start, until, team)}."
        effects = replace(self._said(asker, command, text), changes=(change,))
        others = [one for one in (absent, covering) if one != asker.agent]
        effects = replace(effects, says=(*effects.says, *(Saying(names[one].email, text) for one in others)))
        book, _, _ = await self._book()
        return self._with_lost(effects, asker, book, _left(book, effects.changes))

    async def plans(self, command: Command, asker: Asker) -> Effects:
        """What holds now or later, each with the number that `cancel` takes."""
        now, names = self._clock.now(), self._roster().agents
        found = await self._store.read(plans, now)
        lines = [
            f"{number}. {self._told(one)}"
            for number, one in found.items()
            if command.agent in (None, one.agent, one.for_agent) and one.agent in names
        ]
        return self._said(asker, command, "\n".join(lines) or "Nothing was said: the rota holds.")

    async def cancel(self, command: Command, asker: Asker) -> Effects:
        """One plan less; whoever it was about hears of it."""
        found = await self._store.read(plans, self._clock.now())
        one = found.get(command.number or 0)
        if one is None or not (asker.lead or (one.kind != "cover" and one.agent == asker.agent)):
            return self._refused(
                asker, str(command), f"There is no plan {command.number}. Say plans for them."
            )
        text, agents = f"No longer: {self._told(one)}", self._roster().agents
        about = [agents[key].email for key in (one.agent, one.for_agent or "") if key in agents]
        says = tuple(Saying(email, text) for email in dict.fromkeys(about) if email != asker.email)
        effects = self._said(asker, command, text)
        return replace(effects, says=(*effects.says, *says), lifts=(Lift(number=command.number),))

    def _told(self, one: Override) -> str:
        agents, team = self._roster().agents, self._team_of(one.for_agent or one.agent)
        names = {key: agents[key].name if key in agents else key for key in (one.agent, one.for_agent or "")}
        does = f"covers for {names[one.for_agent or '']}" if one.kind == "cover" else f"is {one.kind}"
        start, end = one.start.timestamp(), one.end.timestamp()
        return f"{names[one.agent]} {does} {self._span(start, end, team)}."

    def _span(self, start: float, until: float, team: Team) -> str:
        begins = f"from {self._time(start, team)} " if start > self._clock.now() else ""
        return f"{begins}until {self._time(until, team)}"

    def _with_lost(self, effects: Effects, asker: Asker, book: DutyBook, left: Sequence[Left]) -> Effects:
        """The same, and word of the covers that end by it, to whoever covers, is covered, or asked."""
        says, agents = list(effects.says), self._roster().agents
        for one in covers_lost(book.overrides, left):
            by, of = agents.get(one.agent), agents.get(one.for_agent or "")
            if by is None or of is None:
                continue
            text = f"{by.name} no longer covers for {of.name}."
            says += [Saying(email, text) for email in dict.fromkeys((asker.email, by.email, of.email))]
        return replace(effects, says=tuple(says))

    def _changed(
        self,
        command: Command,
        asker: Asker,
        agent: str,
        text: str,
        change: Change | None = None,
        lift: Lift | None = None,
    ) -> Effects:
        """The answer to whoever said it, and word of it to whom it is about."""
        known = self._roster().agents[agent]
        own = agent == asker.agent
        effects = self._said(asker, command, text.format(who="You are" if own else f"{known.name} is"))
        says = (
            effects.says
            if own
            else (*effects.says, Saying(known.email, text.format(who="A lead said so: you are")))
        )
        return replace(effects, says=says, changes=(change,) if change else (), lifts=(lift,) if lift else ())

    async def pause(self, command: Command, asker: Asker) -> Effects:
        team, now = self._roster().teams[command.team or ""], self._clock.now()
        until = ends_at(command.end, team.timezone, now) if command.end else NO_END
        text = f"{team.key} takes nobody new until {self._time(until, team) if command.end else 'you say resume'}."
        change = Change("pause", now, until, asker.email, now, team=team.key)
        return replace(self._said(asker, command, text), changes=(change,))

    async def resume(self, command: Command, asker: Asker) -> Effects:
        effects = self._said(asker, command, f"{command.team} takes customers again.")
        return replace(effects, lifts=(Lift(team=command.team),))


def _left(book: DutyBook, changes: Sequence[Change]) -> list[Left]:
    """What this one new word leaves of each that was said before."""
    (new,) = changes
    return [left_of(one, new.as_override()) for one in book.overrides]
