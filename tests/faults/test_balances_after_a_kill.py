"""What was spent counts after `kill -9`, and so does what a call held that nothing more was heard of."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.support.gateway import ADDRESS, Gateway, Provider, started
from tests.support.http import call
from tests.support.processes import running

RATES = [{"type": "requests", "unit": "rpd", "value": 100}, {"type": "tokens", "unit": "rpd", "value": 1_000_000}]
BUDGET = ("api_key", "cost", "lifetime")
BUDGETS = [{"credit_limit": 0.5}, {"credit_limit": 100_000, "type": "tokens", "periodic_reset": "monthly"}]


@contextmanager
def again(gateway: Gateway, directory: Path) -> Iterator[str]:
    """Another process on the same data directory; its URL."""
    serve = ("serve", "--port", "0", "--data-dir", gateway.data_dir)
    with running(serve, directory / "again.log", ADDRESS) as (_, address):
        yield address[1]


def limits(url: str, key: str) -> dict[tuple[str, str, str], dict[str, Any]]:
    answer = call("GET", f"{url}/v1/limits", None, {"authorization": f"Bearer {key}"})
    assert answer.status == 200, answer.body
    return {(each["scope"], each["resource"], each["window"]): each for each in answer.json["data"]}


def until(what: Any) -> None:
    deadline = time.monotonic() + 10
    while not what():
        assert time.monotonic() < deadline
        time.sleep(0.01)  # why: another process is watched


def test_balances_outlive_the_process(tmp_path: Path) -> None:
    """Budgets and rates of every scope are, to the nano-dollar, what they were; the unfinished call counts at all that
    it held, and what is left is not given out twice."""
    with started(tmp_path) as gateway:
        workspace = gateway.workspace("customers")
        provider = Provider("openai", "openai", gateway.simulator + "/v1", ["sim-fast", "sim-stall"])
        gateway.integrate(provider, [workspace])
        gateway.admin("PUT", f"/admin/workspaces/{workspace}", {"usage_limits": BUDGETS, "rate_limits": RATES})
        weekly = {"credit_limit": 5, "periodic_reset": "weekly"}
        access = [{"id": workspace, "enabled": True, "usage_limits": weekly}]
        gateway.admin("PUT", "/integrations/openai/workspaces", {"workspaces": access})
        key, other = gateway.key(workspace, usage_limits={"credit_limit": 0.2}), gateway.key(workspace)
        for each in (key, key, other):
            assert gateway.chat(each, "@openai/sim-fast").status == 200
        stalled = threading.Thread(target=_abandoned, args=(gateway, key))
        stalled.start()
        until(lambda: limits(gateway.url, key)[BUDGET]["held"])
        before = limits(gateway.url, key)
        gateway.process.kill()
        gateway.process.wait()
        stalled.join()
        with again(gateway, tmp_path) as url:
            after = limits(url, key)
            assert after.keys() == before.keys()
            for name, was in before.items():
                now = after[name]
                assert (now["used"], now["held"]) == (was["used"] + was["held"], 0), name
                assert now["left"] == was["left"]
            assert after["workspace", "requests", "86400-second"]["used"] == 4
            assert before["workspace", "cost", "lifetime"]["held"] == before[BUDGET]["held"] > 0
            tokens = after[BUDGET]["left"] // 20_000
            refused = _chat(url, key, tokens)
            assert (refused.status, refused.json["error"]["code"]) == (412, "04")
            assert _chat(url, key, tokens // 2).status == 200


def _chat(url: str, key: str, tokens: int) -> Any:
    body = {"model": "@openai/sim-fast", "max_tokens": tokens, "messages": [{"role": "user", "content": "hello"}]}
    return call("POST", f"{url}/v1/chat/completions", body, {"authorization": f"Bearer {key}"})


def _abandoned(gateway: Gateway, key: str) -> None:
    with pytest.raises(OSError):
        gateway.chat(key, "@openai/sim-stall")
