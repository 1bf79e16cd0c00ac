"""What Prometheus may read. A registry of our own: nothing is global, two services can live in one process."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    GCCollector,
    Histogram,
    PlatformCollector,
    ProcessCollector,
    generate_latest,
)

_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)

_WAITS = (1, 5, 15, 30, 60, 120, 300, 600, 1800, 3600, 14400)


class Metrics:
    """Names are documented in docs/operating.md."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        own = self.registry
        self.events = Counter(
            "bridge_events", "Events by source and answer", ["source", "status"], registry=own
        )
        self.events_refused = Counter(
            "bridge_events_refused",
            "Events not taken, by source and reason",
            ["source", "reason"],
            registry=own,
        )
        self.deliveries = Counter(
            "bridge_deliveries",
            "Attempts to say a customer's words in Webex, by outcome",
            ["outcome"],
            registry=own,
        )
        self.callbacks = Counter(
            "bridge_callbacks", "Calls to sources by result", ["source", "result"], registry=own
        )
        self.replies = Counter(
            "bridge_replies", "Agents' messages by what became of them", ["outcome"], registry=own
        )
        self.conversations = Counter(
            "bridge_conversations", "Conversations by what happened", ["event"], registry=own
        )
        self.webex_calls = Counter(
            "bridge_webex_calls", "Calls to Webex", ["method", "path", "status"], registry=own
        )
        self.webex_seconds = Histogram(
            "bridge_webex_seconds", "How long Webex took", ["path"], buckets=_SECONDS, registry=own
        )
        self._calls, self._seconds = cache(self.webex_calls.labels), cache(self.webex_seconds.labels)
        self.config_refused = Counter(
            "bridge_configuration_refused", "Changed configurations not taken", registry=own
        )
        self.config_loaded = Gauge(
            "bridge_configuration_loaded_timestamp_seconds", "When the one in force was read", registry=own
        )
        self.guests = Gauge("bridge_guests", "Guests as Webex counts them", registry=own)
        self.log_lines_dropped = Counter(
            "bridge_log_lines_dropped", "Lines of the log that could not be written", registry=own
        )
        self.oldest_work = Gauge(
            "bridge_oldest_open_work_seconds",
            "Since the time of the oldest work came that nobody has taken up, by stage",
            ["stage"],
            registry=own,
        )
        self.streams = Gauge("bridge_streams", "Open customers' streams", registry=own)
        self.wait = Histogram(
            "bridge_wait_seconds",
            "From a conversation's beginning until an agent has it",
            buckets=_WAITS,
            registry=own,
        )
        self.first_answer = Histogram(
            "bridge_first_answer_seconds",
            "From a conversation's beginning to its agent's first answer",
            buckets=_WAITS,
            registry=own,
        )
        self.requests = Histogram(
            "bridge_request_seconds",
            "How long we took for a request, streams left out",
            ["method", "route", "status"],
            buckets=_SECONDS,
            registry=own,
        )
        self._tokens = {
            name: Counter(f"bridge_tokens_{name}", text, registry=own)
            for name, text in (
                ("minted", "Guest tokens minted by this process"),
                ("reissued", "Guest tokens re-issued in time by this process"),
                ("failed", "Mints that failed in this process"),
            )
        }
        self._counted = dict.fromkeys(self._tokens, 0)
        self.build = Gauge(
            "bridge_build_info", "What runs: always 1", ["version", "python", "database"], registry=own
        )
        ProcessCollector(registry=own)
        PlatformCollector(registry=own)
        GCCollector(registry=own)
        self._state = {
            name: Gauge(f"bridge_{name}", text, registry=own)
            for name, text in (
                ("tokens_live", "Live tokens of guests with an open conversation"),
                ("envelopes_open", "Envelopes not decided yet"),
                ("deliveries_open", "Deliveries not settled yet"),
                ("dead_letters", "What was given up and waits for an operator"),
                ("conversations_open", "Conversations with an agent"),
                ("conversations_queued", "Conversations waiting for an agent"),
            )
        }

    def show(self, values: Iterable[tuple[str, float]]) -> None:
        for name, value in values:
            self._state[name].set(value)

    def count_tokens(self, minted: int, reissued: int, failed: int) -> None:
        """Brings the counters to what this process has counted since its start."""
        for name, total in (("minted", minted), ("reissued", reissued), ("failed", failed)):
            self._tokens[name].inc(total - self._counted[name])
            self._counted[name] = total

    def webex_call(self, method: str, path: str, status: int | None, seconds: float) -> None:
        self._calls(method, path, str(status or "none")).inc()
        self._seconds(path).observe(seconds)

    def render(self) -> bytes:
        return generate_latest(self.registry)
