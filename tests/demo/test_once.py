"""`bridge demo --once` as a newcomer runs it."""

import asyncio
import sys


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
    out, err = await asyncio.wait_for(process.communicate(), 60)
    assert process.returncode == 0, (out.decode(), err.decode())
    text = out.decode()
    assert text.count("✓") == 8
    assert "✗" not in text
    assert "\x1b[" not in text
    assert list(tmp_path.iterdir()) == []
