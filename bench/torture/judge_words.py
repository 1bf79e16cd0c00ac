"""The customer's words: at agents, and in the customer's own transcript."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from bench.torture.compare import Difference, Finding, compare, short
from bench.torture.story import Story, Visit, Word


def judge_words(story: Story) -> Finding:
    """Exactly once for each agent, in order, and all of a visit's at the one who has it in the end.

    Who had it before has its beginning. Where Webex refused the guest or an agent, a word may be given up
    instead, but it is told; and each other one must be at somebody.
    """
    finding = Finding()
    threads = _threads(story, finding)
    for visit in story.visits.values():
        due = [word for word in story.words if word.visit == visit.id]
        finding.add(_transcript(story, visit, due))
        finding.add(_arrivals(story, visit, due, threads))
    for agent, texts in threads.items():
        finding.evidence += _visits_in_order(story, agent, texts)
    if (word := story.unanswered()) is not None:
        finding.waiting = True
        finding.evidence.append(f"{story.subject}: never acknowledged: {word.text[:60]}")
    finding.evidence += _visits_one_after_another(story)
    return finding


def _threads(story: Story, finding: Finding) -> dict[str, list[str]]:
    """What each agent received, without what was never acknowledged, which may have arrived once."""
    threads: dict[str, list[str]] = {}
    for event in story.events:
        if event.kind != "arrived":
            continue
        known = story.words_of(event.text)
        if not known:
            finding.evidence.append(f"{story.subject}: {event.agent} got what nobody said: {event.text[:60]}")
        else:
            threads.setdefault(event.agent, []).append(event.text)
    pending = story.unanswered()
    for agent, texts in threads.items():
        for unit in pending.units if pending else ():
            spare = texts.count(unit) - sum(word.visit is not None for word in story.words_of(unit))
            if spare > 1:
                finding.difference += Difference(doubled=spare - 1)
                finding.evidence.append(f"{story.subject}: {agent} got {spare} times: {unit[:60]}")
        threads[agent] = [text for text in texts if story.visit_of(text) is not None]
    return threads


def _arrivals(story: Story, visit: Visit, due: Sequence[Word], threads: dict[str, list[str]]) -> Finding:
    finding = Finding()
    units = [unit for word in due for unit in word.units]
    got = {
        agent: texts
        for agent, thread in threads.items()
        if (texts := [text for text in thread if story.visit_of(text) == visit.id])
    }
    given_up = _given_up(visit, due)
    missing = {agent: sum((Counter(units) - Counter(texts)).values()) for agent, texts in got.items()}
    for agent, texts in got.items():
        found = compare(_beginning(units, texts), texts)
        if story.refused:
            found = Difference(0, found.doubled, found.reordered)
        if found.any:
            finding.difference += found
            finding.evidence.append(_told(story, visit, f"words at {agent}", found, units, texts))
    nowhere = Counter(units) - Counter(given_up)
    if story.refused:
        for texts in got.values():
            nowhere -= Counter(texts)
        lost = sum(nowhere.values())
    else:
        present = visit.agent if visit.agent and not visit.ended else None
        held = [missing[agent] for agent in missing if present in (None, agent)]
        lost = min(held, default=len(units)) if nowhere else 0
    if lost:
        found = Difference(lost=lost)
        finding.difference += found
        finding.waiting = True
        texts = [text for one in got.values() for text in one]
        finding.evidence.append(_told(story, visit, "words at whoever has it", found, units, texts))
    return finding


def _beginning(units: Sequence[str], got: Sequence[str]) -> Sequence[str]:
    """Of `units` as much as holds what was got: in it nothing may be missing."""
    left = Counter(units) & Counter(got)
    for index, unit in enumerate(units):
        if not +left:
            return units[:index]
        left[unit] -= 1
    return units


def _given_up(visit: Visit, due: Sequence[Word]) -> list[str]:
    """The units of words that the customer sees as failed."""
    failed = Counter(
        item["text"] for item in visit.items if item["from"] == "customer" and item["delivery"] == "failed"
    )
    units = []
    for word in due:
        if failed[word.text] > 0:
            failed[word.text] -= 1
            units += word.units
    return units


def _transcript(story: Story, visit: Visit, due: Sequence[Word]) -> Finding:
    """Own words, once and in order; at the end each is sent, or failed for a reason and told."""
    finding = Finding()
    own = [item for item in visit.items if item["from"] == "customer"]
    shown, texts = [item["text"] for item in own], [word.text for word in due]
    pending = story.unanswered()
    if pending is not None and len(shown) > len(texts) and shown[-1] == pending.text:
        texts.append(pending.text)
    found = compare(texts, shown)
    if visit.closed:  # it was read before the end, and what came since is not known
        found = Difference(0, found.doubled, found.reordered)
    if found.any:
        finding.waiting = found.lost > 0
        finding.evidence.append(_told(story, visit, "own words in the transcript", found, texts, shown))
    if not visit.closed and any(item["delivery"] == "pending" for item in own):
        finding.waiting = True
        finding.evidence.append(f"{story.subject}: visit {_number(story, visit)}: words stay pending")
    finding.failed = sum(item["delivery"] == "failed" for item in own)
    if finding.failed and not story.refused:
        finding.evidence.append(
            f"{story.subject}: visit {_number(story, visit)}: words failed, and nobody refused them"
        )
    told = any(item["from"] == "system" for item in visit.items)
    if finding.failed and not visit.ended and not told:
        finding.evidence.append(
            f"{story.subject}: visit {_number(story, visit)}: words failed, and nobody told the customer"
        )
    return finding


def _visits_in_order(story: Story, agent: str, texts: Sequence[str]) -> list[str]:
    """In one thread nothing of an earlier visit comes after words of a later one."""
    numbers = list(story.visits)
    places = [numbers.index(story.visit_of(text) or "") for text in texts]
    if places == sorted(places):
        return []
    return [
        f"{story.subject}: {agent} got words of an earlier visit after those of a later one: {short(texts)}"
    ]


def _visits_one_after_another(story: Story) -> list[str]:
    """A new visit begins after the end of the one before, and none goes on after it."""
    told, known = [], []
    for word in story.words:
        if word.visit is None:
            continue
        if known and word.visit != known[-1]:
            if word.visit in known:
                told.append(f"{story.subject}: {word.text[:60]}: went to a visit that is over")
            elif not story.visits[known[-1]].ended:
                told.append(f"{story.subject}: {word.text[:60]}: another visit, but nobody ended the last")
        over_at = story.visits[word.visit].over_at
        if over_at is not None and word.sent_at > over_at:
            told.append(
                f"{story.subject}: {word.text[:60]}: sent after the end, and went to the visit before"
            )
        if not known or word.visit != known[-1]:
            known.append(word.visit)
    return told


def _told(
    story: Story, visit: Visit, what: str, found: Difference, due: Sequence[str], seen: Sequence[str]
) -> str:
    head = f"{story.subject} ({story.mode}): visit {_number(story, visit)} ({visit.id}): {what}: {found}"
    return f"{head}\n  due  {short(due)}\n  seen {short(seen)}"


def _number(story: Story, visit: Visit) -> int:
    return list(story.visits).index(visit.id) + 1
