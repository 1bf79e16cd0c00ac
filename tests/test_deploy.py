"""What deploy/ ships is right: each file by its own program where that is there, and by what we know of ourselves."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from bridge.service.metrics import Metrics
from config.settings import Settings
from tests.checkout import ROOT

DEPLOY = ROOT / "deploy"
_METRIC = re.compile(r"\b(?:bridge|process|python)_[a-z_]+")
_VARIABLE = re.compile(r"^(?:#\s*)?([A-Z][A-Z_]+)=", re.MULTILINE)


def program(name: str) -> str:
    """Its path; skips the test where the machine has none."""
    path = shutil.which(name) or shutil.which(name, path="/usr/sbin:/sbin")
    if path is None:
        pytest.skip(f"{name} is not on this machine")
    return path


def run(*command: str, cwd: Path = DEPLOY) -> str:
    """What a program says; fails with that where it is not content."""
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def yaml(name: str) -> list[Any]:
    """The documents of a YAML file."""
    return list(YAML(typ="safe").load_all((DEPLOY / name).read_text(encoding="utf-8")))


def names_of_ours() -> set[str]:
    """Every series that a process of ours shows, as Prometheus stores it."""
    found = {"process_cpu_seconds_total", "process_resident_memory_bytes", "process_open_fds"}
    for family in Metrics().registry.collect():
        if family.type == "counter":
            found.add(f"{family.name}_total")
        elif family.type == "histogram":
            found |= {f"{family.name}_{part}" for part in ("bucket", "sum", "count")}
        else:
            found.add(family.name)
    return found


def panels() -> Iterator[dict[str, Any]]:
    """The dashboard's panels, rows left out."""
    dashboard = json.loads((DEPLOY / "grafana/dashboard.json").read_text(encoding="utf-8"))
    yield from (panel for panel in dashboard["panels"] if panel["type"] != "row")


def test_alerts_use_metrics_that_there_are() -> None:
    """A rule about a metric that nobody shows would never fire."""
    used = _METRIC.findall(
        " ".join(
            rule["expr"] for group in yaml("prometheus/alerts.yaml")[0]["groups"] for rule in group["rules"]
        )
    )
    assert len(set(used)) == 8
    assert set(used) - names_of_ours() == set()


def test_prometheus_takes_the_rules_and_they_fire() -> None:
    """promtool reads them, and each fires in its test, at its time, with its words."""
    promtool = program("promtool")
    run(promtool, "check", "rules", "prometheus/alerts.yaml")
    run(promtool, "test", "rules", "prometheus/alerts_test.yaml")
    tested = {
        case["alertname"] for case in yaml("prometheus/alerts_test.yaml")[0]["tests"][0]["alert_rule_test"]
    }
    assert tested == {rule["alert"] for rule in yaml("prometheus/alerts.yaml")[0]["groups"][0]["rules"]}


def test_the_dashboard_shows_metrics_that_there_are() -> None:
    """Each panel asks for something, of series that we show, in its own place."""
    asked = [target["expr"] for panel in panels() for target in panel["targets"]]
    used = {name for query in asked for name in _METRIC.findall(query)}
    assert len(used) > 12
    assert used - names_of_ours() == set()
    assert len({panel["id"] for panel in panels()}) == len(list(panels()))
    taken: set[tuple[int, int]] = set()
    for panel in panels():
        place = panel["gridPos"]
        cells = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert not cells & taken, panel["title"]
        assert place["x"] + place["w"] <= 24
        taken |= cells


def test_the_systemd_unit_is_shut() -> None:
    """systemd rates its exposure below 3 of 10."""
    said = run(
        program("systemd-analyze"),
        "security",
        "--offline=true",
        "--no-pager",
        "systemd/webex-guest-bridge.service",
    )
    exposure = re.search(r"Overall exposure level.*: ([0-9.]+)", said)
    assert exposure
    assert float(exposure[1]) < 3


def test_nginx_takes_its_file(tmp_path: Path) -> None:
    """It is read as the one site of an nginx."""
    site = (DEPLOY / "proxy/nginx.conf").read_text(encoding="utf-8")
    site = site.replace("/etc/nginx/certs/bridge", str(_certificate(tmp_path).with_suffix("")))
    site = site.replace("/var/log/nginx", str(tmp_path))
    (tmp_path / "nginx.conf").write_text(
        f"pid {tmp_path}/pid;\nerror_log {tmp_path}/error.log;\nevents {{}}\nhttp {{\n{site}\n}}\n"
    )
    run(program("nginx"), "-t", "-c", str(tmp_path / "nginx.conf"))


def test_haproxy_takes_its_file(tmp_path: Path) -> None:
    """It is read whole, with a certificate in its place."""
    text = (DEPLOY / "proxy/haproxy.cfg").read_text(encoding="utf-8")
    _certificate(tmp_path)
    (tmp_path / "haproxy.cfg").write_text(text.replace("/etc/haproxy/certs", str(tmp_path)))
    said = run(program("haproxy"), "-c", "-f", str(tmp_path / "haproxy.cfg"))
    assert "WARNING" not in said


def test_caddy_takes_its_file() -> None:
    """It is read whole."""
    run(program("caddy"), "validate", "--adapter", "caddyfile", "--config", "proxy/Caddyfile")


def _certificate(folder: Path) -> Path:
    """Makes a certificate for a test, with its key in the same file and beside it."""
    file, key = folder / "bridge.pem", folder / "bridge.key"
    run(
        *(program("openssl"), "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1"),
        *("-subj", "/CN=bridge.example.com", "-keyout", str(key), "-out", str(file)),
    )
    file.write_text(file.read_text() + key.read_text())
    return file


def test_the_environment_files_name_settings_that_there_are() -> None:
    """Each variable of the files that ship is one of ours, or a source's secret."""
    known = {name.upper() for name in Settings.model_fields} | {"KIOSK_SECRET"}
    assert set(_VARIABLE.findall((DEPLOY / "bridge.env.example").read_text())) - known == set()
    compose = yaml("compose.yaml")[0]["services"]["bridge"]["environment"]
    assert set(compose) - known == set()
    deployment = yaml("kubernetes/bridge.yaml")[0]["spec"]["template"]["spec"]["containers"][0]
    assert {variable["name"] for variable in deployment["env"]} - known == set()
    image = re.findall(r"\b([A-Z][A-Z_]+)=", (DEPLOY / "Dockerfile").read_text())
    others = {
        "PYTHON",
        "PATH",
        "PYTHONDONTWRITEBYTECODE",
        "PYTHONUNBUFFERED",
        "PIP_DISABLE_PIP_VERSION_CHECK",
    }
    assert set(image) - known - others - {"PIP_NO_CACHE_DIR"} == set()


def test_containers_have_no_rights() -> None:
    """No root user, no capabilities, a root that cannot be written."""
    bridge = yaml("compose.yaml")[0]["services"]["bridge"]
    assert (bridge["read_only"], bridge["cap_drop"]) == (True, ["ALL"])
    pod = yaml("kubernetes/bridge.yaml")[0]["spec"]["template"]["spec"]
    assert pod["securityContext"]["runAsNonRoot"]
    assert pod["containers"][0]["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert "\nUSER 10001:10001\n" in (DEPLOY / "Dockerfile").read_text()


def test_a_kubernetes_service_finds_its_pods() -> None:
    """What selects and what is selected have the same labels; probes ask addresses that there are."""
    deployment, service, budget, ingress = yaml("kubernetes/bridge.yaml")
    labels = deployment["spec"]["template"]["metadata"]["labels"]
    assert labels == deployment["spec"]["selector"]["matchLabels"] == service["spec"]["selector"]
    assert labels == budget["spec"]["selector"]["matchLabels"]
    container = deployment["spec"]["template"]["spec"]["containers"][0]
    assert container["readinessProbe"]["httpGet"]["path"] == "/readyz"
    assert container["livenessProbe"]["httpGet"]["path"] == "/healthz"
    inside = {"/metrics", "/readyz"}
    assert not inside & {path["path"] for path in ingress["spec"]["rules"][0]["http"]["paths"]}


def test_hosts_with_a_procfile_install_what_is_locked() -> None:
    """The root's requirements.txt has the lock's versions, and the bridge itself."""
    lock = (ROOT / "requirements/run.txt").read_text(encoding="utf-8")
    locked = [
        line.removesuffix("\\").rstrip() for line in lock.splitlines() if re.match(r"[A-Za-z0-9]", line)
    ]
    ours = (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines()
    assert [line for line in ours if not line.startswith("#")] == [*locked, "."]
