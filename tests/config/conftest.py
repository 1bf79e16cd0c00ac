from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from config.load import Loaded, load
from config.problems import ConfigError, Problem

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
ENVIRON = {"KIOSK_SECRET": SECRET, "KIOSK_SECRET_OLD": SECRET, "FORMS_HOOK_SECRET": SECRET}
MINIMAL = """\
sources:
  kiosk:
    auth: {scheme: standard-webhooks, secrets: [env:KIOSK_SECRET]}
agents:
  amy: {email: amy@example.com}
teams:
  front-desk: {timezone: Europe/London, agents: [amy]}
routes:
  - team: front-desk
"""


@pytest.fixture
def read(tmp_path: Path) -> Callable[..., Loaded]:
    """Loads a text as bridge.yaml in a folder of its own; the pairs replace parts of the text first."""

    def reader(
        text: str = MINIMAL, *changes: tuple[str, str], environ: dict[str, str] | None = None
    ) -> Loaded:
        for old, new in changes:
            assert old in text
            text = text.replace(old, new)
        file = tmp_path / "bridge.yaml"
        file.write_text(text, encoding="utf-8", errors="surrogatepass")
        return load(file, ENVIRON if environ is None else environ)

    return reader


@pytest.fixture
def faults(read: Callable[..., Loaded]) -> Callable[..., dict[str, Problem]]:
    """The errors of such a text, by the place that they name."""

    def finder(*args: object, **kwargs: object) -> dict[str, Problem]:
        with pytest.raises(ConfigError) as caught:
            read(*args, **kwargs)
        assert all(problem.severity == "error" for problem in caught.value.problems)
        return {problem.where: problem for problem in caught.value.problems}

    return finder
