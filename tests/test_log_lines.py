"""The log's lines on their way out: nobody waits for them, none is lost without a word, their order stays."""

from __future__ import annotations

import fcntl
import os
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from bridge import log_lines
from bridge.log_lines import LogLines


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    reader, writer = os.pipe()
    yield reader, writer
    for end in (reader, writer):
        try:
            os.close(end)
        except OSError:
            continue


def until(condition: Callable[[], bool]) -> None:
    while not condition():
        threading.Event().wait(0.01)


def read_all(reader: int, until: bytes) -> bytes:
    found = b""
    while until not in found:
        found += os.read(reader, 65536)
    return found


def test_lines_come_out_in_order(tmp_path: Path) -> None:
    """A burst, from several threads: each thread's lines stay in their order, and none is torn."""
    with (tmp_path / "log").open("ab") as file:
        lines = LogLines(file.fileno())

        def tell(name: str) -> None:
            for number in range(2000):
                lines.write(f"{name} {number}\n")

        threads = [threading.Thread(target=tell, args=(name,)) for name in "ab"]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert lines.drain(60)
    written = (tmp_path / "log").read_text().splitlines()
    assert len(written) == 4000
    for name in "ab":
        mine = [line for line in written if line.startswith(name)]
        assert mine == [f"{name} {number}" for number in range(2000)]


def test_a_full_disk_costs_the_lines_alone(tmp_path: Path) -> None:
    """They are counted and the reason is told; when there is room again, the log says how many are missing."""
    fd = os.open("/dev/full", os.O_WRONLY)
    lines = LogLines(fd)
    for _ in range(3):
        lines.write("lost\n")
    assert lines.drain(60)
    assert lines.dropped == 3
    assert "No space left" in (lines.trouble() or "")
    with (tmp_path / "log").open("ab") as file:
        os.dup2(file.fileno(), fd)
        until(lambda: lines.trouble() is None)  # it tries by itself
        lines.write("kept\n")
        assert lines.drain(60)
    assert (tmp_path / "log").read_text() == "3 lines of the log were lost\nkept\n"
    assert lines.dropped == 3


def test_a_reader_who_does_not_read_stops_nobody(
    pipe: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What does not fit into pipe and queue is dropped, the trouble is told, and all goes on when they read."""
    monkeypatch.setattr(log_lines, "_STUCK_SECONDS", 0.0)
    monkeypatch.setattr(log_lines, "_MOST_BYTES", 100_000)
    reader, writer = pipe
    lines = LogLines(writer)
    for number in range(1000):
        lines.write(f"{number} {'x' * 995}\n")
    until(lambda: "nobody reads it" in (lines.trouble() or ""))
    assert not lines.drain(0)
    assert lines.dropped > 0
    found = read_all(reader, b"lines of the log were lost\n")
    assert lines.drain(60)
    assert lines.trouble() is None
    kept = [int(line.split()[0]) for line in found.splitlines() if line.endswith(b"x")]
    assert kept == list(range(1000 - lines.dropped))


def test_a_pipe_that_does_not_block_is_waited_for(pipe: tuple[int, int]) -> None:
    """Whoever shares it with us may have made it so; its lines come out whole all the same."""
    reader, writer = pipe
    fcntl.fcntl(writer, fcntl.F_SETFL, os.O_NONBLOCK)
    lines = LogLines(writer)
    for number in range(200):
        lines.write(f"{number} {'x' * 995}\n")
    lines.write("end\n")
    found = read_all(reader, b"end\n")
    assert [int(line.split()[0]) for line in found.splitlines()[:-1]] == list(range(200))
    assert lines.dropped == 0


def test_a_torn_line_spoils_no_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The disk takes half a line, then nothing, then all: the next line begins as one."""
    answers: list[int | None] = [4, None]

    def write(fd: int, data: bytes) -> int:
        limit = answers.pop(0) if answers else len(data)
        if limit is None:
            raise OSError(28, "No space left on device")
        return real(fd, data[:limit])

    real = os.write
    monkeypatch.setattr(log_lines.os, "write", write)
    with (tmp_path / "log").open("ab") as file:
        lines = LogLines(file.fileno())
        lines.write("torn line\n")
        assert lines.drain(60)
        lines.write("whole\n")
        assert lines.drain(60)
    assert (tmp_path / "log").read_text() == "torn\n1 lines of the log were lost\nwhole\n"


def test_no_standard_error_is_no_log() -> None:
    """Every line counts as dropped, and the trouble is told."""
    lines = LogLines(None)
    lines.write("lost\n")
    assert lines.drain(0)
    assert lines.dropped == 1
    assert "no standard error" in (lines.trouble() or "")
