"""The Dockerfile and the Compose file: what can be said of them without a container engine."""

import json
import os
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from headgate.settings import SETTINGS
from tests.deploy.places import CHART, DEPLOY, ROOT
from tests.support.gateway import ADDRESS
from tests.support.processes import end, running

DOCKERFILE = (DEPLOY / "Dockerfile").read_text()
COMPOSE: dict[str, Any] = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
GATEWAYS = ("gateway-1", "gateway-2")
MARGIN_S = 20
"""What a process may take after its drain, to write down what is left."""


def instruction(name: str) -> str:
    """Of the stage that becomes the image."""
    (found,) = re.findall(rf"^{name} ((?:.*\\\n)*.*)$", DOCKERFILE.rpartition("\nFROM ")[2], re.MULTILINE)
    return str(found)


def images() -> list[str]:
    named = re.findall(r"^FROM (\S+)", DOCKERFILE, re.MULTILINE)
    return named + [service["image"] for service in COMPOSE["services"].values()]


@pytest.mark.parametrize("image", sorted(set(images())))
def test_images_are_named_with_a_version_and_no_host(image: str) -> None:
    """`latest` is another one tomorrow; a host in front would be somebody's choice of a registry."""
    name, _, tag = image.partition(":")
    assert re.match(r"\d+\.?\d*", tag), image
    assert "." not in name.partition("/")[0]


def test_the_process_is_no_shell_s_child_and_not_root() -> None:
    """The exec form: SIGTERM reaches Headgate itself, which drains."""
    assert json.loads(instruction("ENTRYPOINT")) == ["headgate"]
    assert json.loads(instruction("CMD")) == ["serve"]
    assert int(instruction("USER").partition(":")[0]) >= 10_000
    assert instruction("USER").partition(":")[0] in (CHART / "templates" / "statefulset.yaml").read_text()


def test_what_is_copied_into_the_image_is_there_and_not_ignored() -> None:
    """Each source of a COPY exists, and `.dockerignore` lets it in."""
    sources = [name for line in re.findall(r"^COPY (?!--)(.+) \S+$", DOCKERFILE, re.MULTILINE) for name in line.split()]
    assert sources
    let_in = re.findall(r"^!(.+)$", (ROOT / ".dockerignore").read_text(), re.MULTILINE)
    assert [name for name in sources if not (ROOT / name).exists() or name not in let_in] == []


def test_the_health_check_tells_a_server_that_lives_from_one_that_does_not(tmp_path: Path) -> None:
    """The very command of the image, without curl."""
    command = json.loads(re.findall(r"HEALTHCHECK.*\\\n\s+CMD (\[.+\])", DOCKERFILE)[0])
    serve = ("serve", "--port", "0", "--data-dir", tmp_path / "data")
    with running(serve, tmp_path / "log", ADDRESS) as (process, address):
        environment = {**os.environ, "HEADGATE_PORT": address[1].rpartition(":")[2]}
        assert subprocess.run(command, env=environment, check=False).returncode == 0
        assert end(process) == 0
        down = subprocess.run(command, env=environment, check=False, stderr=subprocess.DEVNULL)
        assert down.returncode == 1


def test_settings_are_real_ones() -> None:
    """Every variable of ours, in the Dockerfile and the Compose file, is a setting."""
    told = set(re.findall(r"HEADGATE_[A-Z_]+", instruction("ENV")))
    for service in COMPOSE["services"].values():
        told |= {name for name in service.get("environment", {}) if name.startswith("HEADGATE_")}
    assert told - {setting.env for setting in SETTINGS} == set()
    assert "HEADGATE_REDIS_URL" in told


def test_every_gateway_has_a_disk_of_its_own_and_time_to_end() -> None:
    """No two share a journal; the engine waits longer than the drain; the root file system is read-only."""
    services = [COMPOSE["services"][name] for name in GATEWAYS]
    volumes = [each["volumes"][0].partition(":") for each in services]
    assert len({name for name, _, _ in volumes}) == len(GATEWAYS)
    (data_dir,) = re.findall(r"HEADGATE_DATA_DIR=(\S+)", instruction("ENV"))
    assert {place for _, _, place in volumes} == {data_dir} == {instruction("VOLUME")}
    for each in services:
        assert each["read_only"] is True
        grace = int(each["stop_grace_period"].removesuffix("s"))
        assert grace >= int(each["environment"]["HEADGATE_DRAIN_TIMEOUT_S"]) + MARGIN_S


def test_the_proxy_knows_every_gateway() -> None:
    """By the names of the services; and it is trusted to say whom a request came from."""
    servers = re.findall(r"^\s+server (\S+?):(\d+);", (DEPLOY / "nginx" / "headgate.conf").read_text(), re.MULTILINE)
    assert servers == [(name, instruction("EXPOSE")) for name in GATEWAYS]
    (front,) = COMPOSE["networks"]["front"]["ipam"]["config"]
    assert COMPOSE["services"]["gateway-1"]["environment"]["HEADGATE_TRUSTED_PROXIES"] == front["subnet"]


def test_no_secret_has_a_default() -> None:
    """Whoever starts it without one is told so."""
    text = (DEPLOY / "compose.yaml").read_text()
    assert set(re.findall(r"(?<!\$)\$\{?(\w+)[^}]*", text)) == set(re.findall(r"\$\{(\w+):\?\}", text))
