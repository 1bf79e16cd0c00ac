"""Every event that is not taken is counted, and told in the log: who sends must not be turned away unseen."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import structlog
from prometheus_client import Counter

from bridge.ports import Clock
from handlers.problems import Problem

LOG_SECONDS = 1.0  # at most one line in so long for a source: a sender gone mad must not fill the log
_REASONS = {
    400: "body",
    408: "body",
    409: "field",
    413: "too-large",
    415: "content-type",
    422: "field",
    429: "rate",
    503: "unavailable",
}


class Refusals:
    """Counts and tells what the senders' door refuses."""

    def __init__(self, clock: Clock, counter: Counter) -> None:
        self._clock = clock
        self._counted: Callable[..., Any] = cache(counter.labels)
        self._told: dict[str, float] = {}
        self._untold: dict[str, int] = {}
        self._log = structlog.get_logger()

    def refuse(self, source: str, problem: Problem) -> None:
        """Notes one refusal of a source that is configured."""
        reason = problem.reason or _REASONS.get(problem.status, "body")
        self._counted(source, reason).inc()
        now = self._clock.monotonic()
        if now - self._told.get(source, -LOG_SECONDS) < LOG_SECONDS:
            self._untold[source] = self._untold.get(source, 0) + 1
            return
        self._told[source] = now
        more = {"more": untold} if (untold := self._untold.pop(source, 0)) else {}
        self._log.warning(
            "event.refused",
            source=source,
            status=problem.status,
            reason=reason,
            why=problem.why or _why(problem),
            **more,
        )


def _why(problem: Problem) -> str:
    """Which fields are wrong, else what the sender was told: neither holds anything of the event."""
    fields = [error["field"] for error in problem.extra.get("errors", ())]
    return ", ".join(fields[:8]) if fields else problem.detail
