"""Runs SDKs that nobody here wrote against the simulator: `python -m tests.sdks.run PYTHON`, see `.ci/sdks`.

PYTHON belongs to an environment of the SDKs' own: they and webexteamssdk want different versions of PyJWT.
"""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

from bridge.simulator import Simulator, World

HERE = Path(__file__).parent
SDKS = ("with_webexpythonsdk.py", "with_wxc_sdk.py")
# Not with `empty_pages`: wxc_sdk takes an empty page for the end, although Webex documents that it need not be.
PLACES = {
    "as Webex is documented": {},
    "elsewhere, counting in JSON": {"id_region": "urn:TEAM:us-west-2_r", "count_as_json": True},
    "in small pages": {"direct_page": 7, "max_page": 3},
}


async def main(python: str) -> int:
    """0 where every SDK got what it expected from every Webex."""
    failed = 0
    for place, settings in PLACES.items():
        for script in SDKS:
            print(f"{script.removesuffix('.py')}, {place}", flush=True)
            async with Simulator(World(**settings)) as simulator:
                simulator.world.fault(
                    "GET /v1/licenses$", 429, retry_after=7, owner="cy@example.com", times=None
                )
                status = await call(python, str(HERE / script), simulator.url)
            failed += status != 0
    return 1 if failed else 0


async def call(*command: str) -> int:
    # Nothing of this environment's, so that no proxy and no token of somebody's comes in.
    process = await asyncio.create_subprocess_exec(*command, env={"PATH": os.environ["PATH"]})
    async with asyncio.timeout(120):
        return await process.wait()


if __name__ == "__main__":
    sys.exit(asyncio.run(main(sys.argv[1])))
