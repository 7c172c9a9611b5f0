"""The cache of a config: who is given an answer again, and who is not. Each answer of the provider is another one."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from random import Random
from typing import Any

import pytest

from headgate.base.clock import SystemClock
from headgate.ledger.recovery import Replay
from headgate.storage.verification import verify
from tests.support.asgi import Reply
from tests.support.numbered import TOKEN, Numbered, ask, furnish
from tests.support.plane import Plane, open_plane

CACHED: dict[str, Any] = {"cache": {"mode": "simple", "max_age": 600}}
STATUS = "x-portkey-cache-status"


@pytest.fixture
async def provider() -> Numbered:
    return Numbered()


@pytest.fixture
async def plane(tmp_path: Path, provider: Numbered) -> AsyncIterator[Plane]:
    async with open_plane(tmp_path, provider.play) as opened:
        await furnish(opened)
        yield opened
        found = await opened.gateway.database.read(lambda connection: verify(connection, Replay(), SystemClock().now()))
        assert found.differences == []


async def call(
    plane: Plane,
    key: str,
    body: object = None,
    config: object = CACHED,
    path: str = "/v1/chat/completions",
    **headers: str,
) -> Reply:
    named = {} if config is None else {"x_portkey_config": json.dumps(config)}
    return await plane.call(key, ask() if body is None else body, path, **named, **headers).reply()


async def statuses(plane: Plane, key: str, *bodies: object, **more: Any) -> list[str]:
    return [(await call(plane, key, body, **more)).headers[STATUS] for body in bodies]


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
async def test_the_same_request_is_given_the_same_answer(plane: Plane, provider: Numbered, stream: bool) -> None:
    """Byte for byte and in the same shape. It costs nothing, is a request, and is on record as a hit."""
    key = await plane.key(
        usage_limits={"credit_limit": 1}, rate_limits=[{"type": "requests", "unit": "rpm", "value": 9}]
    )
    first, again = [await call(plane, key, ask(stream=stream)) for _ in range(2)]
    assert (first.status, again.status, provider.answers) == (200, 200, 1)
    assert (first.headers[STATUS], again.headers[STATUS]) == ("MISS", "HIT")
    assert again.body == first.body
    assert again.headers["content-type"] == first.headers["content-type"]
    assert (first.headers["x-headgate-source"], again.headers["x-headgate-source"]) == ("provider", "gateway")
    assert again.headers["x-headgate-cost-usd"] == "0.000000"
    assert again.headers["x-headgate-model"] == "ok"
    assert again.headers["x-ratelimit-remaining-requests"] == "7"
    made, given = sorted(await plane.records(), key=lambda record: record.started_at)
    assert (made.cache_status, made.cost, made.attempts) == ("MISS", TOKEN, 1)
    assert (given.cache_status, given.cost, given.usage, given.attempts) == ("HIT", 0, {}, 0)
    assert (given.status, given.outcome, given.model, given.stream) == (200, "ok", "ok", stream)
    assert given.request_id == again.headers["x-headgate-request-id"] != made.request_id


DIFFERENT = {
    "temperature": ask(temperature=0.5),
    "stream": ask(stream=True),
    "user": ask(user="u"),
    "metadata": ask(metadata={"a": "b"}),
    "model": ask(model="other"),
    "limit": ask() | {"max_tokens": 999},
    "tools": ask(tools=[{"type": "function", "function": {"name": "f"}}]),
    "system": ask() | {"messages": [{"role": "system", "content": "x"}, *ask()["messages"]]},
    "unknown member": ask(whatever=1),
    "null": ask(temperature=None),
    "space inside": ask() | {"messages": [{"role": "user", "content": "hi "}]},
}


async def test_a_request_that_differs_in_anything_is_another(plane: Plane, provider: Numbered) -> None:
    """Whatever member it is, known to us or not; and each is a hit when it comes again."""
    key = await plane.key()
    assert await statuses(plane, key, ask(), *DIFFERENT.values()) == ["MISS"] * (len(DIFFERENT) + 1)
    assert await statuses(plane, key, ask(), *DIFFERENT.values()) == ["HIT"] * (len(DIFFERENT) + 1)
    assert provider.answers == len(DIFFERENT) + 1


async def test_the_order_of_members_is_no_difference(plane: Plane) -> None:
    """It is none to a provider either."""
    key = await plane.key()
    assert await statuses(plane, key, ask(), dict(reversed(ask().items()))) == ["MISS", "HIT"]


async def test_endpoints_namespaces_and_overrides_are_apart(plane: Plane) -> None:
    """The same members at another path, under another namespace, or after another override."""
    key = await plane.key()
    embed = {"model": "@openai/ok", "input": "hi"}
    assert (await call(plane, key)).headers[STATUS] == "MISS"
    assert (await call(plane, key, x_portkey_cache_namespace="a")).headers[STATUS] == "MISS"
    assert (await call(plane, key, x_portkey_cache_namespace="a")).headers[STATUS] == "HIT"
    assert (await call(plane, key, config=CACHED | {"override_params": {"top_p": 1}})).headers[STATUS] == "MISS"
    for path in ("/v1/chat/completions", "/chat/completions"):
        assert (await call(plane, key, path=path)).headers[STATUS] == "HIT"
    messages = await call(plane, key, path="/v1/messages")
    assert (messages.status, messages.headers[STATUS]) == (200, "MISS")
    assert (await call(plane, key, embed, path="/v1/embeddings")).headers.get(STATUS) != "HIT"


async def test_a_refresh_asks_again_and_is_kept(plane: Plane, provider: Numbered) -> None:
    """`x-portkey-cache-force-refresh: true`: the newest answer is the one that is given from then on."""
    key = await plane.key()
    old = await call(plane, key)
    new = await call(plane, key, x_portkey_cache_force_refresh="true")
    after = await call(plane, key)
    assert [each.headers[STATUS] for each in (old, new, after)] == ["MISS", "REFRESH", "HIT"]
    assert after.body == new.body != old.body
    assert sorted(record.cache_status for record in await plane.records()) == ["HIT", "MISS", "REFRESH"]


async def test_without_a_cache_nothing_is_kept(plane: Plane, provider: Numbered) -> None:
    """A config has to ask for it, and a call without a config is not even told of it."""
    key = await plane.key()
    for _ in range(2):
        assert STATUS not in (await call(plane, key, config=None)).headers
        assert (await call(plane, key, config={"retry": {"attempts": 1}})).headers[STATUS] == "DISABLED"
    assert await statuses(plane, key, None, None) == ["MISS", "HIT"]
    assert {record.cache_status for record in await plane.records()} == {"", "MISS", "HIT"}


async def test_an_answer_that_is_too_old_is_not_given(plane: Plane) -> None:
    """Of the ages that the writer and the reader allow, the lower one counts."""
    key = await plane.key()
    short = {"cache": {"mode": "simple", "max_age": 1}}
    assert (await call(plane, key)).headers[STATUS] == "MISS"
    await asyncio.sleep(1.05)  # why: this clock is the machine's own, and a second is the shortest age there is
    assert (await call(plane, key, config=short)).headers[STATUS] == "MISS"


async def test_semantic_is_refused_with_a_way_out(plane: Plane) -> None:
    """It would give one customer's answer to another question; the message names what there is."""
    reply = await call(plane, await plane.key(), config={"cache": {"mode": "semantic"}})
    assert (reply.status, reply.json["error"]["param"]) == (400, "config.cache.mode")
    assert "`simple`" in reply.json["error"]["message"]


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (ask(model="e500"), 500),
        (ask(model="cut", stream=True), 200),
        (ask(model="reset"), 502),
        (ask(model="no-usage"), 200),
    ],
    ids=["error", "broken off", "no answer", "no usage"],
)
async def test_only_good_answers_are_kept(plane: Plane, provider: Numbered, body: object, status: int) -> None:
    """Nothing that failed, broke off, or cost what nobody knows."""
    key = await plane.key()
    replies = [await call(plane, key, body) for _ in range(2)]
    assert [reply.status for reply in replies] == [status, status]
    assert provider.answers == 2
    assert len({record.cache_status for record in await plane.records()} - {"MISS"}) == 0


async def test_what_lasts_is_not_asked_of_a_memory(plane: Plane, provider: Numbered) -> None:
    """A request that goes on at the provider, or begins what is kept there, is more than its answer."""
    key = await plane.key()
    lasting = [ask(thread={"type": "create"}), ask(background=True)]
    assert await statuses(plane, key, *lasting * 2) == ["DISABLED"] * 4
    assert provider.answers == 4


async def test_the_room_may_be_none(tmp_path: Path) -> None:
    """`cache_max_bytes = 0`: configs with a cache stay valid, and nothing is kept."""
    provider = Numbered()
    async with open_plane(tmp_path, provider.play, cache_max_bytes=0) as plane:
        await furnish(plane)
        key = await plane.key()
        assert await statuses(plane, key, None, None) == ["DISABLED", "DISABLED"]


async def test_an_answer_that_is_too_large_is_not_kept(tmp_path: Path) -> None:
    """It goes out all the same."""
    provider = Numbered()
    async with open_plane(tmp_path, provider.play, cache_max_bytes=16 * 1024) as plane:
        await furnish(plane)
        key = await plane.key()
        assert await statuses(plane, key, *[ask(model="long")] * 2) == ["MISS", "MISS"]
        assert await statuses(plane, key, *[ask()] * 2) == ["MISS", "HIT"]


# What holds for any call holds for one that is given an answer again.


async def test_a_model_that_was_taken_away_is_taken_away(plane: Plane, provider: Numbered) -> None:
    """What somebody may use is looked at first, and its answers from before are not given."""
    key = await plane.key()
    assert await statuses(plane, key, None, None) == ["MISS", "HIT"]
    body = {"models": [{"slug": "ok", "enabled": False}], "allow_all_models": True}
    await plane.admin("PUT", "/integrations/openai/models", body)
    refused = await call(plane, key)
    assert (refused.status, refused.json["error"]["code"]) == (412, "model_not_allowed")


@pytest.mark.parametrize("side", ["input", "output"])
@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
async def test_a_guardrail_that_came_later_counts(plane: Plane, side: str, stream: bool) -> None:
    """An answer that was good before it is checked again; where it may not pass, nothing is counted or recorded."""
    key = await plane.key(rate_limits=[{"type": "requests", "unit": "rpm", "value": 9}])
    assert await statuses(plane, key, *[ask(stream=stream)] * 2) == ["MISS", "HIT"]
    word = {"input": "hi", "output": "answer"}[side]
    check = {"id": "default.contains", "parameters": {"words": [word], "operator": "none"}}
    body = {"name": "g", "checks": [check], "actions": {"deny": True}, "workspace_id": "default"}
    slug = (await plane.admin("POST", "/guardrails", body))["slug"]
    await plane.admin("PUT", "/admin/workspaces/default", {"defaults": {f"{side}_guardrails": [slug]}})
    refused = await call(plane, key, ask(stream=stream))
    assert refused.status == 446
    assert refused.headers["x-ratelimit-remaining-requests"] == "7"
    assert len(await plane.records()) == 2


async def test_what_a_guardrail_flagged_is_not_kept(plane: Plane, provider: Numbered) -> None:
    """The next call is told of it anew."""
    key = await plane.key()
    check = {"id": "default.contains", "parameters": {"words": ["answer"], "operator": "none"}}
    body = {"name": "g", "checks": [check], "actions": {"deny": False}, "workspace_id": "default"}
    slug = (await plane.admin("POST", "/guardrails", body))["slug"]
    config = CACHED | {"output_guardrails": [slug]}
    replies = [await call(plane, key, config=config) for _ in range(2)]
    assert [(reply.status, reply.headers[STATUS]) for reply in replies] == [(246, "MISS"), (246, "MISS")]
    assert provider.answers == 2


async def test_a_spent_budget_refuses_and_a_held_one_does_not(plane: Plane, provider: Numbered) -> None:
    """A call that costs nothing passes while others hold what is left, and not once it is spent."""
    key = await plane.key(usage_limits={"credit_limit": 0.15})
    assert await statuses(plane, key, None) == ["MISS"]  # held $0.10
    slow = plane.call(key, ask(model="slow"))
    await provider.reached.wait()
    assert (await call(plane, key, ask("another"))).status == 429
    assert await statuses(plane, key, None) == ["HIT"]
    provider.go_on.set()
    assert (await slow.reply()).status == 200
    spent = await plane.key(usage_limits={"credit_limit": 0.0003})
    assert (await call(plane, spent, ask("the third answer") | {"max_tokens": 3})).status == 200
    refused = await call(plane, spent)
    assert (refused.status, refused.json["error"]["type"]) == (412, "budget_exhausted_error")


async def test_a_rate_of_requests_counts_them(plane: Plane, provider: Numbered) -> None:
    """A hit is a request like any other, and a refused one is none."""
    key = await plane.key(rate_limits=[{"type": "requests", "unit": "rpm", "value": 2}])
    assert await statuses(plane, key, None, None) == ["MISS", "HIT"]
    refused = await call(plane, key)
    assert (refused.status, provider.answers) == (429, 1)
    assert len(await plane.records()) == 2


async def test_a_rate_of_tokens_does_not(plane: Plane) -> None:
    """Nothing was generated."""
    key = await plane.key(rate_limits=[{"type": "tokens", "unit": "rpm", "value": 2000}])
    assert await statuses(plane, key, None) == ["MISS"]
    left = {(await call(plane, key)).headers["x-ratelimit-remaining-tokens"] for _ in range(3)}
    assert len(left) == 1


# Whose answers they are.


async def tenants(plane: Plane) -> dict[str, tuple[str, str | None]]:
    """By a name: a key, and the tenant it acts for. Two workspaces; a tenant of each; and workspaces without one."""
    await plane.admin("POST", "/admin/workspaces", {"name": "Else", "slug": "else"})
    access = {"workspaces": [{"id": each, "enabled": True} for each in ("default", "else")]}
    await plane.admin("PUT", "/integrations/openai/workspaces", access)
    for tenant, workspace in (("acme", "default"), ("globex", "default"), ("initech", "else")):
        await plane.admin("POST", "/admin/tenants", {"tenant_id": tenant, "workspace_id": workspace})
    scopes = ["completions.write", "tenants.act_as"]
    backend = {each: await plane.key(workspace_id=each, scopes=scopes) for each in ("default", "else")}
    return {
        "acme": (backend["default"], "acme"),
        "globex": (backend["default"], "globex"),
        "initech": (backend["else"], "initech"),
        "default": (backend["default"], None),
        "else": (await plane.key(workspace_id="else"), None),
    }


@pytest.mark.parametrize("seed", range(3))
async def test_never_across_tenants(plane: Plane, provider: Numbered, seed: int) -> None:
    """Sixty of the same few requests by five parties, some at once, with namespaces that try to be somebody else: no
    party is ever given an answer that was made for another one."""
    random, parties = Random(seed), await tenants(plane)
    got: list[tuple[str, str, Reply]] = []

    async def one() -> None:
        name = random.choice(list(parties))
        key, tenant = parties[name]
        namespace = random.choice(["", "", *parties, "1:a", f"{random.choice(list(parties))}:"])
        acting = {} if tenant is None else {"x_headgate_tenant": tenant}
        body = ask(random.choice(["hi", "there"]), stream=random.random() < 0.3)
        reply = await call(plane, key, body, **acting, x_portkey_cache_namespace=namespace)
        assert reply.status == 200
        got.append((name, reply.headers[STATUS], reply))

    for _ in range(12):
        await asyncio.gather(*(one() for _ in range(5)))
    records = await plane.records()
    made_for = {record.usage["output"]: (record.workspace_id, record.tenant_id) for record in records if record.usage}
    whose = {record.request_id: (record.workspace_id, record.tenant_id) for record in records}
    for name, _, reply in got:
        number = int(reply.body.partition(b"answer ")[2].split(b'"')[0])
        assert made_for[number] == whose[reply.headers["x-headgate-request-id"]], name
    assert sum(status == "HIT" for _, status, _ in got) > 5


async def test_keys_of_one_workspace_share(plane: Plane, provider: Numbered) -> None:
    """And those of one tenant, whoever acts for it."""
    parties = await tenants(plane)
    for _ in range(2):
        await call(plane, await plane.key())
    assert provider.answers == 1
    backend = await plane.key(scopes=["completions.write", "tenants.act_as"])
    for key in (parties["acme"][0], backend):
        await call(plane, key, x_headgate_tenant="acme")
    assert provider.answers == 2


async def test_it_can_be_emptied(plane: Plane, provider: Numbered) -> None:
    """Of a tenant, a workspace, or all; each once, audited; and an answer that was under way does not come in late."""
    parties = await tenants(plane)

    async def hits() -> list[str]:
        found = []
        for name, (key, tenant) in parties.items():
            acting = {} if tenant is None else {"x_headgate_tenant": tenant}
            if (await call(plane, key, **acting)).headers[STATUS] == "HIT":
                found.append(name)
        return found

    assert await hits() == []
    assert await hits() == list(parties)
    assert await plane.admin("DELETE", "/admin/cache?tenant_id=acme") == {"purged": 1}
    assert await hits() == ["globex", "initech", "default", "else"]
    assert await plane.admin("DELETE", "/admin/cache?workspace_id=else") == {"purged": 2}
    assert await hits() == ["acme", "globex", "default"]
    key = parties["else"][0]
    slow = plane.call(key, ask(model="slow"), x_portkey_config=json.dumps(CACHED))
    await provider.reached.wait()
    assert await plane.admin("DELETE", "/admin/cache") == {"purged": 5}
    provider.go_on.set()
    assert (await slow.reply()).status == 200
    assert (await call(plane, key, ask(model="slow"))).headers[STATUS] == "MISS"
    assert await hits() == []


async def test_an_answer_of_the_second_target_is_the_second_target_s(plane: Plane, provider: Numbered) -> None:
    """What a fallback said is not given for the target that failed: that one is asked again."""
    key = await plane.key()
    targets = [{"override_params": {"model": f"@openai/{model}"}} for model in ("e500", "ok")]
    config = CACHED | {"strategy": {"mode": "fallback"}, "targets": targets}
    first = await call(plane, key, config=config)
    assert (first.status, [body["model"] for body in plane.asked]) == (200, ["e500", "ok"])
    again = await call(plane, key, config=config)
    assert (again.headers[STATUS], [body["model"] for body in plane.asked[2:]]) == ("MISS", ["e500", "ok"])
    direct = await call(plane, key, config=CACHED | {"override_params": {"model": "@openai/ok"}})
    assert direct.headers[STATUS] == "HIT"
    assert direct.body == again.body


async def test_the_figures_tell_of_it(plane: Plane) -> None:
    """Hit rate, latency and summary count what there was."""
    key = await plane.key()
    assert await statuses(plane, key, None, None, None, None) == ["MISS", "HIT", "HIT", "HIT"]
    await plane.records()
    asked = "time_of_generation_min=2020-01-01T00:00:00Z&time_of_generation_max=2100-01-01T00:00:00Z"
    rate = (await plane.admin("GET", f"/analytics/graphs/cache/hit-rate?{asked}"))["summary"]
    assert (rate["hits"], rate["total"], float(rate["rate"])) == (3, 4, 75.0)
    summary = (await plane.admin("GET", f"/analytics/summary/cache?{asked}"))["summary"]
    assert (summary["hits"], summary["total_requests"]) == (3, 4)
    assert summary["cache_speedup"] > 1
