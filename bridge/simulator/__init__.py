"""A small Webex that ships: for the demo, for tests, for benchmarks.

It imports nothing else of this project, so that one misreading of Webex cannot hide in both. What it
imitates is what Webex publishes; where nothing is published its choices are settings (`Settings`).
"""

from bridge.simulator.app import Simulator, make_app
from bridge.simulator.model import Call, Person, Refusal
from bridge.simulator.seeds import (
    BOT_EMAIL,
    BOT_TOKEN,
    CLIENT_ID,
    CLIENT_SECRET,
    GUEST_ISSUER_ID,
    GUEST_ISSUER_SECRET,
    PEOPLE,
    PERSONAL_EMAIL,
    PERSONAL_TOKEN,
    REFRESH_TOKEN,
    person_token,
)
from bridge.simulator.serve import serve
from bridge.simulator.settings import Settings
from bridge.simulator.world import World

__all__ = [
    "BOT_EMAIL",
    "BOT_TOKEN",
    "CLIENT_ID",
    "CLIENT_SECRET",
    "GUEST_ISSUER_ID",
    "GUEST_ISSUER_SECRET",
    "PEOPLE",
    "PERSONAL_EMAIL",
    "PERSONAL_TOKEN",
    "REFRESH_TOKEN",
    "Call",
    "Person",
    "Refusal",
    "Settings",
    "Simulator",
    "World",
    "make_app",
    "person_token",
    "serve",
]
