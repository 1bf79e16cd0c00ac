"""The processes of a measurement: the simulator, the bridge, a peer. Each is stopped by its own id."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from base64 import b64encode
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from cryptography.fernet import Fernet

from bridge.simulator import CLIENT_ID, CLIENT_SECRET, REFRESH_TOKEN

SECRET = b"k" * 32
WHSEC = "whsec_" + b64encode(SECRET).decode()
AGENT = "amy@example.com"
ROOT = Path(__file__).resolve().parent.parent


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def get(url: str, timeout: float = 5.0) -> tuple[int, bytes]:
    """(status, body); status 0 where nobody answers."""
    try:
        with urllib.request.urlopen(url, timeout=timeout) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()
    except OSError:
        return 0, b""


@dataclass
class Process:
    """A child with its log in a file. `url` is where it answers."""

    name: str
    command: list[str]
    url: str
    log: Path
    env: Mapping[str, str] = field(default_factory=dict)
    cwd: Path = ROOT
    ready: str = "/"
    _child: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        assert self._child is not None
        return self._child.pid

    @property
    def alive(self) -> bool:
        return self._child is not None and self._child.poll() is None

    def start(self) -> None:
        environ = {**os.environ, "PYTHONPATH": str(ROOT), **self.env}
        with open(self.log, "ab") as log:
            self._child = subprocess.Popen(self.command, cwd=self.cwd, env=environ, stdout=log, stderr=log)

    def wait_ready(self, seconds: float = 30.0) -> None:
        """Until it answers with a 2xx. RuntimeError with the end of its log if it does not."""
        until = time.monotonic() + seconds
        while time.monotonic() < until and self.alive:
            if 200 <= get(self.url + self.ready)[0] < 300:
                return
            time.sleep(0.05)
        raise RuntimeError(f"{self.name} did not start:\n{self.log.read_text(errors='replace')[-2000:]}")

    def kill(self) -> None:
        """As the power cut would."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        self._end(signal.SIGTERM)

    def _end(self, number: int) -> None:
        if self._child is None:
            return
        with contextlib.suppress(ProcessLookupError):
            self._child.send_signal(number)
        try:
            self._child.wait(15)
        except subprocess.TimeoutExpired:
            self._child.kill()
            self._child.wait()

    def cpu_seconds(self) -> float:
        """User and system time of this process so far (Linux; 0 elsewhere)."""
        return _cpu_seconds(self.pid, ended_children=False)

    def resident_mib(self) -> float:
        try:
            pages = int(Path(f"/proc/{self.pid}/statm").read_text().split()[1])
        except OSError:
            return 0.0
        return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def cpu_seconds_below(pid: int) -> float:
    """User and system time so far of all that this process started, and of what that started (Linux; 0 elsewhere)."""
    return sum(_cpu_seconds(child, ended_children=True) for child in descendants(pid))


def descendants(pid: int) -> list[int]:
    """The ids of the living processes below this one (Linux; none elsewhere)."""
    found: list[int] = []
    for listed in Path(f"/proc/{pid}/task").glob("*/children"):
        with contextlib.suppress(OSError):
            for child in map(int, listed.read_text().split()):
                found += [child, *descendants(child)]
    return found


def _cpu_seconds(pid: int, *, ended_children: bool) -> float:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    counted = fields[11:15] if ended_children else fields[11:13]
    return sum(map(int, counted)) / os.sysconf("SC_CLK_TCK")


@contextlib.contextmanager
def running(process: Process) -> Iterator[Process]:
    process.start()
    try:
        process.wait_ready()
        yield process
    finally:
        process.stop()


@contextlib.contextmanager
def folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="bridge-bench-") as name:
        yield Path(name)


def simulator(where: Path, latency: float = 0.0) -> Process:
    """Answers after `latency` seconds. `feed_of` gives the port that tells of messages at agents."""
    port, feed = free_port(), free_port()
    command = [sys.executable, "-m", "bench.sim", str(port), str(feed), str(latency)]
    process = Process(
        "simulator", command, f"http://127.0.0.1:{port}", where / "sim.log", ready="/_sim/violations"
    )
    process.feed = feed  # type: ignore[attr-defined]
    return process


def webex_environment(api: str) -> dict[str, str]:
    return {
        "WEBEX_API_URL": api,
        "WEBEX_SERVICE_APP_CLIENT_ID": CLIENT_ID,
        "WEBEX_SERVICE_APP_CLIENT_SECRET": CLIENT_SECRET,
        "WEBEX_SERVICE_APP_REFRESH_TOKEN": REFRESH_TOKEN,
        "KIOSK_SECRET": WHSEC,
    }


_CONFIG = """\
webex: {{poll_seconds: {poll}}}
sources:
  kiosk:
    auth: {{scheme: standard-webhooks, secrets: [env:KIOSK_SECRET]}}
    idle_minutes: 0
agents:
  amy: {{email: amy@example.com}}
  bo: {{email: bo@example.com}}
  cy: {{email: cy@example.com}}
teams:
  desk: {{timezone: UTC, agents: [{agents}]{more}}}
routes:
  - team: desk
"""


def write_config(where: Path, *, poll: int = 3600, agents: str = "amy", more: str = "") -> Path:
    path = where / "bridge.yaml"
    path.write_text(_CONFIG.format(poll=poll, agents=agents, more=more))
    return path


def bridge(
    where: Path,
    api: str,
    *,
    name: str = "bridge",
    database: str | None = None,
    key: str | None = None,
    webhooks: bool = False,
    env: Mapping[str, str] | None = None,
) -> Process:
    """`bridge run` on the configuration in `where`."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    environ = {
        **webex_environment(api),
        "BRIDGE_CONFIG": str(where / "bridge.yaml"),
        "BRIDGE_SECRET_KEY": key or Fernet.generate_key().decode(),
        "DATABASE_URL": database or f"sqlite:///{where}/bridge.db",
        "PORT": str(port),
        "LOG_FORMAT": "json",
        **({"PUBLIC_URL": url} if webhooks else {}),
        **(env or {}),
    }
    command = [sys.executable, "-m", "bridge", "run"]
    return Process(name, command, url, where / f"{name}.log", environ, where, ready="/readyz")
