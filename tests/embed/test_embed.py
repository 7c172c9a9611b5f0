"""The gateway inside another application: the guide's own example, mounted and called without a socket."""

import os
import re
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI

from headgate.base.errors import Conflict
from headgate.embed import Headgate
from headgate.ledger.record import Outcome
from headgate.storage import usage_queries
from headgate.tenancy import keys
from tests.support.asgi import request
from tests.support.pages import DOCS
from tests.support.simulator import Simulated, simulating

ADMIN = keys.mint(os.urandom(keys.PEPPER_BYTES)).text
PRICES = {"request_token": {"price": 0.0}, "response_token": {"price": 0.01}}
HELLO = {"model": "@openai/sim-fast", "max_tokens": 50, "messages": [{"role": "user", "content": "hello there"}]}


@pytest.fixture
def simulated(tmp_path: Path) -> Iterator[Simulated]:
    with simulating(tmp_path / "simulator.journal", aliases={"gpt-4o-mini": "sim-fast"}) as running:
        yield running


@pytest.fixture
def example(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """The names of the guide's code, run as it stands there, in a directory of its own."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HEADGATE_ADMIN_KEY", ADMIN)
    [code] = re.findall(r"```python\n(.*?)```", (DOCS / "guides" / "embedding.md").read_text(), re.DOTALL)
    names: dict[str, Any] = {}
    exec(compile(code, "embedding.md", "exec"), names)
    return names


@pytest.fixture
async def headgate(tmp_path: Path, simulated: Simulated, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Headgate]:
    """Running, with the simulator as its provider."""
    monkeypatch.setenv("HEADGATE_ADMIN_KEY", ADMIN)
    headgate = Headgate(data_dir=tmp_path / "data", drain_timeout_s=0)
    async with headgate.running():
        await set_up(headgate, simulated)
        yield headgate


async def admin(headgate: Headgate, method: str, path: str, body: object) -> Any:
    async with headgate.call(method, f"/v1{path}", body, key=ADMIN) as answer:
        told = await answer.json()
    assert answer.status == 200, told
    return told


async def set_up(headgate: Headgate, simulated: Simulated) -> str:
    """An integration, a tenant with a dollar and one with a cent, and a key that acts for them."""
    integration = {"name": "openai", "slug": "openai", "ai_provider_id": "openai", "key": "upstream"}
    where = {"configurations": {"custom_host": simulated.url + "/v1"}}
    await admin(headgate, "POST", "/integrations", integration | where)
    models = [
        {"slug": name, "enabled": True, "is_custom": True, "pricing_config": {"pay_as_you_go": PRICES}}
        for name in ("gpt-4o-mini", "sim-fast", "sim-slow")
    ]
    await admin(headgate, "PUT", "/integrations/openai/models", {"models": models, "allow_all_models": True})
    access = {"workspaces": [{"id": "default", "enabled": True}]}
    await admin(headgate, "PUT", "/integrations/openai/workspaces", access)
    for name, dollars in (("acme", 1), ("poor", 0.01)):
        tenant = {"tenant_id": name, "workspace_id": "default", "usage_limits": {"credit_limit": dollars}}
        await admin(headgate, "POST", "/admin/tenants", tenant)
    scopes = ["completions.write", "tenants.act_as"]
    body = {"name": "backend", "workspace_id": "default", "scopes": scopes}
    return str((await admin(headgate, "POST", "/api-keys/workspace/service", body))["key"])


async def test_the_guide_s_example(
    example: dict[str, Any], simulated: Simulated, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Its route answers for a tenant, and refuses what the tenant cannot pay; all paths work below the mount."""
    app: FastAPI = example["app"]
    async with app.router.lifespan_context(app):
        key = await set_up(example["headgate"], simulated)
        monkeypatch.setenv("SERVICE_KEY", key)
        told = await request(app, "POST", "/summaries?text=hello+there&customer=acme")
        assert (told.status, told.json["summary"]) == (200, "You said: hello there")
        assert 0 < float(told.json["cost_usd"]) < 0.01
        told = await request(app, "POST", "/summaries?text=hello&customer=nobody")
        assert (told.status, told.json["detail"]) == (404, "There is no tenant `nobody` in this workspace.")
        told = await request(app, "POST", "/summaries?text=hello+there&customer=poor")
        assert (told.status, told.json["detail"][:20]) == (412, "The lifetime cost li")
        for path in ("/ai/v1/chat/completions", "/ai/chat/completions"):
            told = await request(app, "POST", path, HELLO, {"authorization": f"Bearer {key}"})
            assert (told.status, told.headers["x-headgate-model"]) == (200, "sim-fast")
        told = await request(app, "POST", "/ai/v1/messages", HELLO, {"x-api-key": key})
        assert (told.status, told.json["type"]) == (200, "message")
        told = await request(app, "GET", "/ai/v1/admin/tenants/acme", None, {"x-portkey-api-key": ADMIN})
        assert (told.status, told.json["tenant_id"]) == (200, "acme")
        assert (await request(app, "GET", "/ai/readyz")).json == {"status": "ready"}
    assert (tmp_path / "headgate-data" / "headgate.db").exists()


async def test_a_stream_comes_part_by_part(headgate: Headgate) -> None:
    """Its first event is read while the model still writes: nothing is collected first."""
    key = await customer(headgate)
    ask = {**HELLO, "model": "@openai/sim-slow", "stream": True}
    async with headgate.call("POST", "/v1/chat/completions", ask, key=key) as answer:
        seen = [(headgate.gateway.data_plane.live, part) async for part in answer]
    assert answer.headers["content-type"].startswith("text/event-stream")
    assert seen[0][0] == 1
    assert b"".join(part for _, part in seen).endswith(b"data: [DONE]\n\n")
    assert len(seen) > 2


async def test_whoever_leaves_the_block_has_hung_up(headgate: Headgate) -> None:
    """The call is settled and recorded as for any client that leaves."""
    key = await customer(headgate)
    ask = {**HELLO, "model": "@openai/sim-slow", "stream": True}
    async with headgate.call("POST", "/v1/chat/completions", ask, key=key) as answer:
        async for _ in answer:
            break
    await headgate.gateway.drain(30)
    await headgate.gateway.usage.flush()
    [record] = await headgate.gateway.database.read(
        lambda connection: usage_queries.recent(connection, usage_queries.EVERYTHING, 10)
    )
    assert (record.outcome, record.status) == (Outcome.CLIENT_GONE, 499)
    assert record.cost > 0


async def test_the_end_of_the_lifespan_drains(
    tmp_path: Path, simulated: Simulated, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A call under way is ended and recorded; the lock is free, and the next start knows what was spent."""
    monkeypatch.setenv("HEADGATE_ADMIN_KEY", ADMIN)
    headgate = Headgate(data_dir=tmp_path / "data", drain_timeout_s=0)
    async with headgate.running():
        await set_up(headgate, simulated)
        key = await customer(headgate, usage_limits={"credit_limit": 1})
        ask = {**HELLO, "model": "@openai/sim-slow", "stream": True}
        under_way = headgate.call("POST", "/v1/chat/completions", ask, key=key)
        answer = await under_way.__aenter__()
        assert answer.status == 200
    body = await answer.read()
    assert b"draining" in body
    await under_way.__aexit__(None, None, None)
    async with headgate.running(), headgate.call("GET", "/v1/limits", key=key) as answer:
        [limit] = (await answer.json())["data"]
    assert (limit["held"], limit["used"] > 0) == (0, True)


async def test_one_process_has_the_data_directory(headgate: Headgate) -> None:
    """A second start is refused, and the first goes on."""
    second = Headgate(data_dir=headgate.settings.data_dir)
    with pytest.raises(Conflict) as refused:
        async with second.running():
            pass
    assert refused.value.param == "data_dir"
    async with headgate.call("GET", "/readyz", key="") as answer:
        assert answer.status == 200


async def test_it_says_that_it_does_not_run(tmp_path: Path) -> None:
    """A call without a lifespan names the way out."""
    headgate = Headgate(data_dir=tmp_path / "data")
    with pytest.raises(RuntimeError, match=re.escape("lifespan=headgate.lifespan")):
        async with headgate.call("GET", "/v1/models", key="key"):
            pass


async def customer(headgate: Headgate, **more: object) -> str:
    body = {"name": "customer", "workspace_id": "default", "scopes": ["completions.write"], **more}
    return str((await admin(headgate, "POST", "/api-keys/workspace/service", body))["key"])
