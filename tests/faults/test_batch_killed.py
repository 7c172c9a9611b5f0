"""`kill -9` between the end of a batch and its correction: after the restart it is corrected, once."""

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from tests.support import crashing
from tests.support.batches import line
from tests.support.crashing import BatchPoint
from tests.support.gateway import simulated_providers
from tests.support.http import call
from tests.support.mortal import Mortal, mortal
from tests.support.processes import HEADGATE, clean_environment
from tests.support.stand import KIND, form

PATIENCE_S = 60.0


@pytest.fixture
def lives(tmp_path: Path) -> Iterator[Mortal]:
    with mortal(tmp_path, {}) as made:
        yield made


def asked(lives: Mortal, key: str, method: str, path: str, body: object = None, **headers: str) -> Any:
    sent = {"authorization": f"Bearer {key}", **{name.replace("_", "-"): value for name, value in headers.items()}}
    answer = call(method, f"{lives.gateway.url}/v1{path}", body, sent)
    assert answer.status == 200, answer.body
    return answer.json


def made(lives: Mortal, key: str) -> str:
    """A batch; its id."""
    content = form({"purpose": "batch", "file": line(1, max_tokens=1000)})
    sent = asked(lives, key, "POST", "/files", content, Content_Type=KIND, x_portkey_provider="@openai")
    body = {"input_file_id": sent["id"], "endpoint": "/v1/chat/completions", "completion_window": "24h"}
    return str(asked(lives, key, "POST", "/batches", body)["id"])


def headgate(lives: Mortal, *command: str) -> str:
    """What the command says of the books; it succeeds."""
    arguments = [sys.executable, *HEADGATE, *command, "--data-dir", str(lives.gateway.data_dir)]
    ran = subprocess.run(arguments, capture_output=True, env=clean_environment(), timeout=PATIENCE_S, text=True)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return ran.stdout


def record(lives: Mortal) -> dict[str, Any]:
    """Of the batch."""
    [found] = [each for each in lives.gateway.records().values() if each["endpoint"] == "/v1/batches"]
    return found


@pytest.mark.parametrize("point", BatchPoint)
def test_a_batch_is_corrected_once(lives: Mortal, point: BatchPoint) -> None:
    """By whoever comes next, where nobody has; and what came back can be spent, and is no more than that."""
    lives.start(("-m", crashing.__name__, point, "1"))
    workspace = lives.gateway.workspace("batches")
    for provider in simulated_providers(lives.gateway.simulator):
        lives.gateway.integrate(provider, [workspace])
    key = lives.gateway.key(workspace, usage_limits={"credit_limit": 100})
    name = made(lives, key)
    with suppress(ConnectionError):
        asked(lives, key, "GET", f"/batches/{name}")
    lives.dead()
    lives.start(HEADGATE)
    until = time.monotonic() + PATIENCE_S
    while "corrected" not in record(lives)["usage_flags"]:
        assert time.monotonic() < until
        asked(lives, key, "GET", f"/batches/{name}")
        time.sleep(0.05)  # why: another process writes what is looked at
    found = record(lives)
    [bill] = [each for each in lives.gateway.bills().values() if each.request_id == found["request_id"]]
    assert found["usage"] == bill.usage
    [limit] = asked(lives, key, "GET", "/limits")["data"]
    assert limit["used"] == found["cost"]
    assert headgate(lives, "verify")
    assert "came back" in headgate(lives, "usage", "explain", found["request_id"])
