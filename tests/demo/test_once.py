"""`bridge demo --once` as a newcomer runs it."""

import asyncio
import socket
import sys

from bridge.commands import demo


async def test_once_plays_a_whole_conversation(tmp_path):
    """From any folder, without an account or a setting, every step is seen and the exit code is 0."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "bridge",
        "demo",
        "--once",
        cwd=tmp_path,
        env={"PATH": "/usr/bin:/bin"},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await asyncio.wait_for(process.communicate(), 180)
    assert process.returncode == 0, (out.decode(), err.decode())
    text = out.decode()
    assert text.count("✓") == 8
    assert "✗" not in text
    assert "\x1b[" not in text
    assert list(tmp_path.iterdir()) == []


def test_another_port_is_taken_when_ours_is(monkeypatch):
    """Somebody else is at 8080: the demo does not fail for that; it prints where it is."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        monkeypatch.setattr(demo, "_PORT", port)
        assert demo.port_for(None, once=False) != port
    assert demo.port_for(None, once=False) == port
    assert demo.port_for(1234, once=False) == 1234
