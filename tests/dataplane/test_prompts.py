"""Calls that are made from stored prompts: a chat like any other, recorded under the prompt's name."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from tests.support.stand import Stand, standing

pytestmark = pytest.mark.asyncio(loop_scope="module")
CENT = 10_000_000
GREETING: dict[str, Any] = {
    "name": "Greeting",
    "model": "@openai/sim-fast",
    "messages": [
        {"role": "system", "content": "You are {{ who }}."},
        {"role": "user", "content": [{"type": "text", "text": "Hello {{name}}"}]},
    ],
    "parameters": {"max_tokens": 100, "temperature": 0},
    "workspace_id": "default",
}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stand(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stand]:
    async with standing(tmp_path_factory.mktemp("prompts")) as opened:
        await opened.price("sim-fast", request_token=0.01, response_token=0.1)
        yield opened


async def stored(stand: Stand, **more: object) -> str:
    return str((await stand.admin("POST", "/prompts", {**GREETING, **more}))["slug"])


async def test_a_prompt_becomes_a_call(stand: Stand) -> None:
    """Rendered, held, charged and recorded as a chat, with the prompt's slug."""
    slug = await stored(stand)
    body = {"variables": {"who": "a gate", "name": "Ada"}}
    reply = await stand.call(await stand.key(), f"/prompts/{slug}/completions", body)
    assert reply.json["choices"][0]["message"]["content"] == "You said: Hello Ada"
    record = await stand.record(reply)
    assert (record.prompt, record.model, record.endpoint) == (slug, "sim-fast", "/v1/prompts/{id}/completions")
    assert record.cost == record.usage["input"] * CENT // 100 + record.usage["output"] * CENT // 10


async def test_what_the_call_says_goes_before_the_prompt(stand: Stand) -> None:
    """Settings, a stream too; by the prompt's id as by its slug."""
    made = await stand.admin("POST", "/prompts", GREETING)
    body = {"variables": {"who": "x", "name": "Ada"}, "max_tokens": 1, "stream": True}
    reply = await stand.call(await stand.key(), f"/prompts/{made['id']}/completions", body)
    assert reply.headers["content-type"].startswith("text/event-stream")
    assert b'"finish_reason":"length"' in reply.body


async def test_a_budget_holds_for_it(stand: Stand) -> None:
    """What it can cost is bounded from what it renders to."""
    slug = await stored(stand, parameters={"max_tokens": 5_000})
    key = await stand.key(usage_limits={"credit_limit": 1})
    refused = await stand.call(key, f"/prompts/{slug}/completions", {"variables": {"who": "x", "name": "y"}})
    assert (refused.status, refused.json["error"]["code"]) == (412, "04")


async def test_values_are_text_and_nothing_else(stand: Stand) -> None:
    """No value can add a message, or use a variable in its turn."""
    slug = await stored(stand)
    evil = '"}], "model": "other", {{who}}'
    reply = await stand.call(
        await stand.key(), f"/prompts/{slug}/completions", {"variables": {"who": "x", "name": evil}}
    )
    assert reply.json["choices"][0]["message"]["content"] == f"You said: Hello {evil}"
    numbers = {"variables": {"who": 7, "name": ["a", 1]}}
    reply = await stand.call(await stand.key(), f"/prompts/{slug}/completions", numbers)
    assert reply.json["choices"][0]["message"]["content"] == 'You said: Hello ["a",1]'


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({"variables": {"who": "x"}}, "variables.name"),
        ({}, "variables.who"),
        ({"variables": []}, "variables"),
        ({"variables": {}, "messages": []}, "messages"),
    ],
)
async def test_what_is_missing_is_named(stand: Stand, body: dict[str, Any], param: str) -> None:
    """Nothing is sent with a hole in it."""
    slug = await stored(stand)
    refused = await stand.call(await stand.key(), f"/prompts/{slug}/completions", body)
    assert (refused.status, refused.json["error"]["param"]) == (400, param)


async def test_prompts_of_other_workspaces_are_as_good_as_absent(stand: Stand) -> None:
    """Word for word."""
    slug = await stored(stand)
    other = (await stand.admin("POST", "/admin/workspaces", {"name": "other"}))["slug"]
    key = await stand.key(other)
    told = [await stand.call(key, f"/prompts/{name}/completions", {}) for name in (slug, "pp-000000")]
    assert [reply.status for reply in told] == [404, 404]
    assert told[0].body.replace(slug.encode(), b"") == told[1].body.replace(b"pp-000000", b"")


async def test_a_change_is_seen_by_the_next_call(stand: Stand) -> None:
    """And a prompt that was removed by none."""
    slug = await stored(stand, string="Hello", messages=None)
    key = await stand.key()
    await stand.admin("PUT", f"/prompts/{slug}", {"string": "Goodbye {{name}}"})
    reply = await stand.call(key, f"/prompts/{slug}/completions", {"variables": {"name": "Ada"}})
    assert reply.json["choices"][0]["message"]["content"] == "You said: Goodbye Ada"
    rendered = await stand.admin("POST", f"/prompts/{slug}/render", {"variables": {"name": "Ada"}})
    assert rendered["data"] == {
        "model": "@openai/sim-fast",
        "max_tokens": 100,
        "temperature": 0,
        "messages": [{"role": "user", "content": "Goodbye Ada"}],
    }
    await stand.admin("DELETE", f"/prompts/{slug}")
    assert (await stand.call(key, f"/prompts/{slug}/completions", {})).status == 404
