from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from ruamel.yaml import YAML

from config import schema
from config.check import render, report
from config.load import load
from config.model_base import Model
from config.models import Config
from config.problems import Problem
from config.settings import Settings
from tests.config.conftest import ENVIRON, MINIMAL
from tests.config.test_load import WHOLE

ROOT = Path(schema.__file__).parents[1]
EXAMPLE = ROOT / "config" / "bridge.yaml"
REFERENCE = (ROOT / "docs" / "configuration.md").read_text(encoding="utf-8")


def models() -> Iterator[type[Model]]:
    def below(model: type[Model]) -> Iterator[type[Model]]:
        yield model
        for child in model.__subclasses__():
            yield from below(child)

    return (model for model in below(Model) if model.__module__.startswith("config.model"))


def test_the_example_loads_once_its_secret_is_set() -> None:
    """What ships is the smallest set-up that works."""
    loaded = load(EXAMPLE, {"KIOSK_SECRET": ENVIRON["KIOSK_SECRET"]})
    assert loaded.warnings == ()
    assert EXAMPLE.read_text().startswith("# yaml-language-server: $schema=bridge.schema.json\n")


def test_the_shipped_schema_is_made_from_the_models() -> None:
    """`make schema` writes it anew after a change of the models."""
    assert schema.SHIPPED.read_text(encoding="utf-8") == schema.text()


@pytest.mark.parametrize("text", [MINIMAL, WHOLE, EXAMPLE.read_text()])
def test_valid_files_satisfy_the_schema(text: str) -> None:
    """An editor shows no fault in what the bridge accepts."""
    jsonschema.Draft202012Validator.check_schema(schema.schema())
    data = _dates_as_text(YAML(typ="safe", pure=True).load(text))
    jsonschema.validate(data, schema.schema())


@pytest.mark.parametrize(
    "wrong", ["webx: {}", "webex: {token_budget: 751}", "privacy: {mask: [x]}", "messages: {en: {clozed: x}}"]
)
def test_the_schema_refuses_what_the_bridge_refuses(wrong: str) -> None:
    """Unknown keys, values out of range and unknown names show in the editor."""
    data = YAML(typ="safe", pure=True).load(MINIMAL + wrong)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(data, schema.schema())


def _dates_as_text(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _dates_as_text(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_dates_as_text(item) for item in value]
    return value.isoformat() if hasattr(value, "isoformat") else value


def test_every_setting_has_a_description() -> None:
    """Descriptions are what editors show."""
    for model in models():
        for name, field in model.model_fields.items():
            assert field.description, f"{model.__name__}.{name}"
    assert Config in set(models())


def test_the_reference_names_every_key_of_the_configuration() -> None:
    """docs/configuration.md has a row for each key, with the key's name in code."""
    for model in models():
        for name in model.model_fields:
            assert re.search(rf"^\| `{name}` \|", REFERENCE, re.M) or f"## `{name}`" in REFERENCE, (
                f"{model.__name__}.{name} is not in docs/configuration.md"
            )


def test_the_reference_names_every_environment_variable() -> None:
    """docs/configuration.md has a row for each variable."""
    for name in Settings.model_fields:
        assert f"| `{name.upper()}` |" in REFERENCE


def test_the_examples_of_the_reference_load(tmp_path: Path) -> None:
    """Each whole file that the reference shows is valid."""
    examples = [block for block in re.findall(r"```yaml\n(.*?)```", REFERENCE, re.S) if "routes:" in block]
    assert examples
    (tmp_path / "rota.ics").touch()
    for text in examples:
        (tmp_path / "bridge.yaml").write_text(text, encoding="utf-8")
        assert load(tmp_path / "bridge.yaml", ENVIRON).roster.routes


def test_a_report_holds_the_configuration_s_and_the_environment_s_problems(tmp_path: Path) -> None:
    """`bridge check` tells both; missing credentials are a warning, since leads have none."""
    (tmp_path / "bridge.yaml").write_text(MINIMAL)
    problems, loaded = report(tmp_path / "bridge.yaml", ENVIRON)
    assert loaded is not None
    assert {problem.severity for problem in problems} == {"warning"}
    assert any("WEBEX_SERVICE_APP_CLIENT_ID" in problem.message for problem in problems)
    problems, loaded = report(tmp_path / "bridge.yaml", {**ENVIRON, "PORT": "x"})
    assert [str(problem) for problem in problems] == [
        "environment: PORT: must be a whole number from 1 to 65535."
    ]
    problems, loaded = report(tmp_path / "no.yaml", ENVIRON)
    assert loaded is None
    assert len(problems) == 1


def test_a_report_is_grouped_by_file() -> None:
    """The file's name stands once above its problems; the last line counts them."""
    problems = [
        Problem("a.yaml", 3, 1, "webx", "there is no setting 'webx' here", "webex"),
        Problem("a.yaml", 9, 1, "agents.bo", "this agent is in no team", "", "warning"),
        Problem("environment", None, None, "", "PORT: must be a number."),
    ]
    assert render(problems) == (
        "a.yaml\n"
        "  3: webx: there is no setting 'webx' here. Try: webex\n"
        "  9: warning: agents.bo: this agent is in no team.\n"
        "\n"
        "environment\n"
        "  PORT: must be a number.\n"
        "\n"
        "2 errors, 1 warning"
    )
    assert render([]) == "no errors, no warnings"


def test_the_example_chain_has_nothing_to_warn_of() -> None:
    """A lead who reads it as a model sees no warning."""
    loaded = load(ROOT / "config" / "example-chain" / "bridge.yaml", {}, offline=True)
    assert loaded.warnings == ()
