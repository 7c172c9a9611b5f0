"""`headgate serve` as a process: its first start, its second, its neighbours and its end."""

import http.client
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from headgate.base.errors import Conflict, HeadgateError
from headgate.process.serve import run
from headgate.settings import load
from headgate.tenancy import keys
from tests.support.databases import create_postgres_database
from tests.support.gateway import ADDRESS, Gateway, started
from tests.support.http import call
from tests.support.processes import end, running

KEY = re.compile(r"hg_[0-9a-z]{16}_[0-9a-z]{32}_[0-9a-z]{7}")
PRESET = keys.mint(b"any pepper").text


def serving(directory: Path) -> tuple[str, ...]:
    return ("serve", "--port", "0", "--data-dir", str(directory / "data"))


def get(url: str, key: str | None = None) -> Any:
    answer = call("GET", url, headers={} if key is None else {"x-portkey-api-key": key})
    assert answer.status == 200, answer.body
    return answer.json


def test_the_first_start_prints_the_admin_key_and_the_second_does_not(tmp_path: Path) -> None:
    """The key works, at once and after a restart, and stands nowhere in the data directory. A provider key in the
    environment is offered with the command that adds it, and neither taken nor shown. SIGTERM ends with 0."""
    found, log = {"OPENAI_API_KEY": "sk-found-in-the-environment"}, tmp_path / "first.log"
    with running(serving(tmp_path), log, ADDRESS, found) as (process, address):
        (key,) = set(KEY.findall(log.read_text()))
        assert [each["slug"] for each in get(f"{address[1]}/v1/admin/workspaces", key)["data"]] == ["default"]
        assert get(f"{address[1]}/v1/integrations", key)["data"] == []
        assert end(process) == 0
    assert "headgate integrations add openai --from-env" in log.read_text()
    assert "sk-found" not in log.read_text()
    log = tmp_path / "second.log"
    with running(serving(tmp_path), log, ADDRESS, found) as (process, address):
        assert get(f"{address[1]}/v1/admin/workspaces", key)["total"] == 1
        assert end(process) == 0
    assert not KEY.search(log.read_text())
    files = [path for path in (tmp_path / "data").rglob("*") if path.is_file()]
    assert files
    assert not [path for path in files if key.encode() in path.read_bytes()]


def test_provider_keys_are_adopted_where_that_is_said(tmp_path: Path) -> None:
    """With `adopt_keys` they are integrations of the default workspace from the first start on, and never shown. The
    admin key is the preset one."""
    environment = {"HEADGATE_ADMIN_KEY": PRESET, "OPENAI_API_KEY": "sk-found", "HEADGATE_ADOPT_KEYS": "1"}
    log = tmp_path / "log"
    with running(serving(tmp_path), log, ADDRESS, environment) as (_, address):
        (made,) = get(f"{address[1]}/v1/integrations", PRESET)["data"]
        assert (made["slug"], made["ai_provider_id"]) == ("openai", "openai")
        (given,) = get(f"{address[1]}/v1/integrations/openai/workspaces", PRESET)["workspaces"]
        assert given["enabled"] is True
    assert "sk-found" not in log.read_text()
    assert PRESET not in log.read_text()


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"admin_key": "p4ssword"}, "HEADGATE_ADMIN_KEY: the value (not shown, it is a secret)"),
        ({"master_key": "p4ssword"}, "HEADGATE_MASTER_KEY: A master key is 32 bytes"),
        ({"workers": 2, "redis_url": "redis://127.0.0.1/0"}, "redis_url: processes that share allowances share"),
        ({"redis_url": "redis://:p4ssword@127.0.0.1/name"}, "redis_url: `name` is not the number of a database"),
        ({"host": "192.0.2.1"}, "port: cannot listen on 192.0.2.1:"),
    ],
)
def test_a_wrong_setting_stops_the_start_before_anything_is_made(
    tmp_path: Path, wrong: dict[str, object], sentence: str
) -> None:
    """By the setting's name, without a secret's value, and without a database or key file left behind."""
    with pytest.raises(HeadgateError) as caught:
        run(load({}, {"data_dir": tmp_path, "port": 0, **wrong}))
    assert caught.value.message.startswith(sentence)
    assert "p4ssword" not in caught.value.message
    assert {path.name for path in tmp_path.iterdir()} <= {"headgate.lock"}


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    with started(tmp_path_factory.mktemp("gateway")) as running_gateway:
        yield running_gateway


def test_a_second_server_on_the_same_directory_is_refused(gateway: Gateway) -> None:
    """It names the process that has the directory, and leaves it alone."""
    with pytest.raises(Conflict, match=f"in use by process {gateway.process.pid}"):
        run(load({}, {"data_dir": gateway.data_dir, "port": 0}))
    assert get(f"{gateway.url}/v1/admin/workspaces", gateway.admin_key)["total"] >= 1


def test_a_second_server_on_the_same_port_is_refused(gateway: Gateway, tmp_path: Path) -> None:
    """By the setting's name, and before its own directory has anything in it."""
    port = int(gateway.url.rpartition(":")[2])
    with pytest.raises(Conflict, match=f"port: cannot listen on 127.0.0.1:{port}: Address already in use"):
        run(load({}, {"data_dir": tmp_path / "other", "port": port}))
    assert not (tmp_path / "other" / "headgate.db").exists()


def test_its_links_lead_to_the_port_it_took(gateway: Gateway) -> None:
    """Also where it was told to take a free one."""
    tenant = gateway.admin("POST", "/admin/tenants", {"name": "Acme", "workspace_id": "default"})
    link = gateway.admin("POST", f"/admin/tenants/{tenant['id']}/portal-sessions", {"name": "Ada"})["url"]
    assert link.startswith(f"{gateway.url}/portal/")


def test_health_is_the_process_and_readiness_the_calls(gateway: Gateway) -> None:
    """Both without a key."""
    assert get(f"{gateway.url}/healthz") == {"status": "ok"}
    assert get(f"{gateway.url}/readyz") == {"status": "ready"}


def test_a_body_without_an_announced_length_is_bounded_for_administrators_too(tmp_path: Path) -> None:
    """The control plane reads no more of a chunked body than `max_body_bytes`."""
    with started(tmp_path, {"HEADGATE_MAX_BODY_BYTES": "4096"}) as bounded:
        parts = urlsplit(bounded.url)
        connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=30)
        chunks = iter([b'{"name": "', b"x" * 5000, b'"}'])
        headers = {"x-api-key": bounded.admin_key, "Content-Type": "application/json"}
        connection.request("POST", "/v1/admin/workspaces", chunks, headers, encode_chunked=True)
        with connection.getresponse() as answer:
            assert answer.status == 413
            assert "4096 bytes" in json.loads(answer.read())["error"]["message"]
        connection.close()
        assert get(f"{bounded.url}/v1/admin/workspaces", bounded.admin_key)["total"] == 1


async def test_it_runs_on_postgresql(tmp_path: Path, postgres_url: str) -> None:
    """The database is elsewhere, the journal and the lock are here; a second start finds what the first one made."""
    settings = {"HEADGATE_DATABASE_URL": await create_postgres_database(postgres_url), "HEADGATE_ADMIN_KEY": PRESET}
    for start in ("first", "second"):
        with running(serving(tmp_path), tmp_path / f"{start}.log", ADDRESS, settings) as (process, address):
            assert get(f"{address[1]}/v1/admin/workspaces", PRESET)["total"] == 1
            assert end(process) == 0
    assert not (tmp_path / "data" / "headgate.db").exists()
