"""The tenant contract, T1 to T14, one requirement after the other, through one door: an OpenAI client and an Anthropic
client, plain and streamed, before the simulator as Anthropic, OpenAI and Google, at the catalog's own prices.

The windows themselves, the Redis behind several instances and the embedding are tried where they live:
tests/ledger/test_sliding.py, tests/storage/shares, tests/embed.
"""

import asyncio
import itertools
import json
import os
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from headgate.base.money import ceil_div
from headgate.embed import Headgate
from headgate.ledger.record import UsageRecord
from headgate.storage import usage_queries
from headgate.tenancy import keys
from tests.support.http import event
from tests.support.receiver import Receiver
from tests.support.simulator import Simulated, simulating

pytestmark = pytest.mark.asyncio(loop_scope="module")

SONNET, OPUS = "@anthropic/claude-sonnet-4-5", "@anthropic/claude-opus-4-1"
GPT, GEMINI = "@openai/gpt-4o", "@google/gemini-2.5-flash"
PER_MILLION = {SONNET: (3, 15), OPUS: (15, 75), GPT: (2.5, 10)}
"""US dollars for input and output, as the contract has them."""
PROVIDERS = {"anthropic": "/v1", "openai": "/v1", "google": "/v1beta"}
PATHS = {"chat": "/v1/chat/completions", "messages": "/v1/messages"}
SECRET = "upstream-secret"
HUNDRED = "Say 100 tokens, please."

every_format = pytest.mark.parametrize("client", PATHS)
plain_and_streamed = pytest.mark.parametrize("stream", [False, True], ids=["plain", "streamed"])


@dataclass(frozen=True)
class Told:
    """An answer, read whole."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def error(self) -> Any:
        return self.json["error"]

    @property
    def model(self) -> str:
        return self.headers["x-headgate-model"]

    @property
    def text(self) -> str:
        """What the model said, in either format, plain or streamed."""
        if not self.headers["content-type"].startswith("text/event-stream"):
            answer = self.json
            if "choices" in answer:
                return str(answer["choices"][0]["message"]["content"])
            return "".join(block["text"] for block in answer["content"])
        deltas = [data for _, data in map(event, self.body.decode().strip().split("\n\n")) if isinstance(data, dict)]
        chat = [each["delta"].get("content") or "" for data in deltas for each in data.get("choices", ())]
        return "".join(chat or [data.get("delta", {}).get("text", "") for data in deltas])


@dataclass
class Platform:
    """A platform's backend: its gateway, and one service key towards it."""

    headgate: Headgate
    simulated: Simulated
    receiver: Receiver
    admin_key: str
    key: str = ""
    numbers: Any = field(default_factory=itertools.count)

    async def send(self, method: str, path: str, body: object = None, *, key: str = "", **headers: str) -> Told:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        async with self.headgate.call(method, path, body, key=key or self.key, headers=named) as answer:
            return Told(answer.status, dict(answer.headers), await answer.read())

    async def admin(self, method: str, path: str, body: object = None) -> Any:
        told = await self.send(method, f"/v1{path}", body, key=self.admin_key)
        assert told.status == 200, told.body
        return told.json

    async def tenant(self, **fields: object) -> str:
        """A new one; its `tenant_id`."""
        name = f"customer-{next(self.numbers)}"
        await self.admin("POST", "/admin/tenants", {"tenant_id": name, "workspace_id": "default", **fields})
        return name

    async def own_key(self, tenant: str) -> str:
        body = {"name": tenant, "workspace_id": "default", "tenant_id": tenant, "scopes": ["completions.write"]}
        return str((await self.admin("POST", "/api-keys/workspace/service", body))["key"])

    async def ask(
        self, client: str, model: str | None, tenant: str, text: object = "hello there", *, key: str = "", **more: Any
    ) -> Told:
        """For a tenant, whom the header names."""
        body = {"max_tokens": 100, "messages": [{"role": "user", "content": text}], **more}
        if model is not None:
            body["model"] = model
        if more.get("stream") and client == "chat":
            body["stream_options"] = {"include_usage": True}
        return await self.send("POST", PATHS[client], body, key=key, **{"x_headgate_tenant": tenant} if tenant else {})

    async def record(self, told: Told) -> UsageRecord:
        """The call's usage record."""
        gateway, request_id = self.headgate.gateway, told.headers["x-headgate-request-id"]
        await gateway.usage.flush()
        found = await gateway.database.read(lambda connection: usage_queries.get(connection, request_id))
        assert found is not None
        return found


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def platform(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Platform]:
    directory: Path = tmp_path_factory.mktemp("tenants")
    admin = keys.mint(os.urandom(keys.PEPPER_BYTES)).text
    names = [name.partition("/")[2] for name in (SONNET, OPUS, GPT, GEMINI)]
    aliases = dict.fromkeys([*names, "unheard-of"], "sim-fast")
    headgate = Headgate(data_dir=directory / "data", admin_key=admin, allow_private_webhooks=True)
    with simulating(directory / "simulator.journal", aliases=aliases) as simulated:
        async with Receiver() as receiver, headgate.running():
            made = Platform(headgate, simulated, receiver, admin)
            for kind, path in PROVIDERS.items():
                where = {"configurations": {"custom_host": simulated.url + path}}
                body = {"name": kind, "slug": kind, "ai_provider_id": kind, "key": SECRET, **where}
                await made.admin("POST", "/integrations", body)
                access = {"workspaces": [{"id": "default", "enabled": True}]}
                await made.admin("PUT", f"/integrations/{kind}/workspaces", access)
            scopes = ["completions.write", "tenants.act_as"]
            service = {"name": "backend", "workspace_id": "default", "scopes": scopes}
            made.key = (await made.admin("POST", "/api-keys/workspace/service", service))["key"]
            yield made


# -- architecture ------------------------------------------------------------------------------------------------------


@every_format
@plain_and_streamed
async def test_t1_one_gateway_one_key_one_endpoint_all_models(platform: Platform, client: str, stream: bool) -> None:
    """T1: Claude, GPT and Gemini answer on the same endpoint to the same key; a new tenant is a row, and no provider's
    key is ever seen by anybody."""
    before = await platform.admin("GET", "/integrations")
    tenant = await platform.tenant()
    for model in (SONNET, GPT, GEMINI):
        told = await platform.ask(client, model, tenant, stream=stream)
        assert (told.status, told.text) == (200, "You said: hello there")
        assert SECRET not in f"{told.headers}{told.body!r}"
    assert await platform.admin("GET", "/integrations") == before


@every_format
async def test_t2_the_tenant_is_named_by_metadata_or_has_a_key(platform: Platform, client: str) -> None:
    """T2: a key per tenant, and one service key that acts for a named tenant, come to the same; a name that nobody has
    is refused and says so."""
    tenant = await platform.tenant()
    own = await platform.own_key(tenant)
    body = {"model": SONNET, "max_tokens": 100, "messages": [{"role": "user", "content": "hi"}]}
    metadata = json.dumps({"tenant_id": tenant})
    calls = [
        platform.send("POST", PATHS[client], body, key=own),
        platform.send("POST", PATHS[client], body, x_headgate_tenant=tenant),
        platform.send("POST", PATHS[client], body, x_portkey_metadata=metadata),
        platform.send("POST", PATHS[client], {**body, "metadata": {"tenant_id": tenant}}),
    ]
    answers = [await call for call in calls]
    assert [told.status for told in answers] == [200] * 4
    assert [told.headers["x-headgate-tenant"] for told in answers] == [tenant] * 4
    assert len({(await platform.record(told)).tenant_id for told in answers}) == 1
    nobody = await platform.ask(client, SONNET, "nobody")
    assert (nobody.status, nobody.error["code"]) == (404, "tenant_not_found")
    assert "`nobody`" in nobody.error["message"]


# -- configuration -----------------------------------------------------------------------------------------------------


async def test_t3_a_tenant_s_fields(platform: Platform) -> None:
    """T3: `tenant_id`, `name`, models, default model, requests a minute, tokens a day, a monthly budget, and what was
    spent of it, which starts at nothing. The guide's two customers can be written down as they stand there."""
    acme = {
        "tenant_id": "acme-corp",
        "name": "Acme Corp",
        "allowed_models": [SONNET, OPUS],
        "default_model": SONNET,
        "max_requests_per_minute": 120,
        "max_tokens_per_day": 500_000,
        "monthly_budget_usd": 500,
    }
    startup = {"tenant_id": "startup-xyz", "max_requests_per_minute": 30, "monthly_budget_usd": 50}
    for fields in (acme, startup):
        await platform.admin("POST", "/admin/tenants", {"workspace_id": "default", **fields})
        shown = await platform.admin("GET", f"/admin/tenants/{fields['tenant_id']}")
        assert {name: shown[name] for name in fields} == fields
        assert shown["current_spend_usd"] == 0
    told = await platform.ask("chat", None, "acme-corp", HUNDRED)
    assert (told.status, told.model) == (200, "claude-sonnet-4-5")
    shown = await platform.admin("GET", "/admin/tenants/acme-corp")
    record = await platform.record(told)
    assert shown["current_spend_usd"] == pytest.approx(record.cost / 1e9, abs=1e-9)
    assert shown["current_spend_usd"] > 0


@every_format
@plain_and_streamed
async def test_t4_a_cheap_tier_does_not_have_a_dear_model(platform: Platform, client: str, stream: bool) -> None:
    """T4: refused as `model_not_allowed`, with the list of what is `allowed`, before anybody is asked."""
    tenant = await platform.tenant(allowed_models=[SONNET])
    before = len(platform.simulated.calls())
    told = await platform.ask(client, OPUS, tenant, stream=stream)
    assert (told.status, told.error["code"], told.error["details"]["allowed"]) == (412, "model_not_allowed", [SONNET])
    assert SONNET in told.error["message"]
    assert len(platform.simulated.calls()) == before


# -- rate limiting -----------------------------------------------------------------------------------------------------


@every_format
@plain_and_streamed
async def test_t5_requests_in_sixty_seconds(platform: Platform, client: str, stream: bool) -> None:
    """T5: at the limit the call is refused as `rate_limited`, with the seconds until the oldest leaves the window, to
    one decimal, in the details and in the message. What is refused does not count, and others notice nothing."""
    noisy, other = await platform.tenant(max_requests_per_minute=2), await platform.tenant(max_requests_per_minute=2)
    answers = [await platform.ask(client, SONNET, noisy, stream=stream) for _ in range(4)]
    assert [told.status for told in answers] == [200, 200, 429, 429]
    refused = answers[-1]
    details = refused.error["details"]
    assert details["reason"] == "rate_limited"
    assert details["allowance"] | {"scope": "tenant", "window": "60-second", "cap": 2} == details["allowance"]
    wait_s = details["retry_after"]
    assert 50 < wait_s <= 60
    assert re.search(rf"Try again in {re.escape(str(wait_s))} seconds\.$", refused.error["message"])
    assert str(wait_s) == f"{wait_s:.1f}"
    assert wait_s <= int(refused.headers["retry-after"]) < wait_s + 1
    assert (await platform.ask(client, SONNET, other, stream=stream)).status == 200


async def test_t6_one_count_for_all_of_a_tenant_s_calls(platform: Platform) -> None:
    """T6: of many at once, through both formats and through different keys, exactly the limit is let in. (One suite
    tries the counters of one process and those that several share: tests/ledger/contract.py.)"""
    tenant = await platform.tenant(max_requests_per_minute=10)
    own = await platform.own_key(tenant)
    calls = [
        platform.ask(client, SONNET, "" if key else tenant, key=key)
        for client, key in itertools.product(PATHS, ("", own))
        for _ in range(10)
    ]
    statuses = [told.status for told in await asyncio.gather(*calls)]
    assert sorted(statuses) == [200] * 10 + [429] * 30


@every_format
@plain_and_streamed
async def test_t7_tokens_a_day(platform: Platform, client: str, stream: bool) -> None:
    """T7: `max_tokens_per_day` is enforced: before the call, at what it can use, and over all calls of the day."""
    tenant = await platform.tenant(max_tokens_per_day=400)
    answers = [await platform.ask(client, SONNET, tenant, HUNDRED, stream=stream) for _ in range(5)]
    statuses = [told.status for told in answers]
    assert statuses == sorted(statuses)
    assert statuses[0] == 200
    assert statuses[-1] == 412
    details = answers[-1].error["details"]
    assert (details["reason"], details["allowance"]["resource"]) == ("budget_exceeded", "tokens")
    assert details["allowance"]["window"] == "daily"
    records = [await platform.record(told) for told in answers if told.status == 200]
    used = sum(count for record in records for count in record.usage.values())
    assert details["used"] == used <= 400


# -- cost and budget ---------------------------------------------------------------------------------------------------


@every_format
@pytest.mark.parametrize("model", PER_MILLION)
async def test_t8_cost_is_tokens_by_the_price_table(platform: Platform, client: str, model: str) -> None:
    """T8: input and output at so many dollars a million, from the provider's own counts."""
    told = await platform.ask(client, model, await platform.tenant(monthly_budget_usd=10), HUNDRED)
    usage = told.json["usage"]
    counts = (usage.get("prompt_tokens") or usage["input_tokens"], 100)
    assert (usage.get("completion_tokens") or usage["output_tokens"]) == 100
    nanos = sum(count * round(price * 1_000) for count, price in zip(counts, PER_MILLION[model], strict=True))
    assert (await platform.record(told)).cost == nanos
    assert told.headers["x-headgate-cost-usd"] == f"{ceil_div(nanos, 1_000) / 1e6:.6f}"


@every_format
async def test_t8_a_model_without_a_price_is_not_free(platform: Platform, client: str) -> None:
    """T8: where the guide falls back on a price that nobody set, the call is refused."""
    tenant = await platform.tenant(monthly_budget_usd=10)
    told = await platform.ask(client, "@openai/unheard-of", tenant)
    assert (told.status, told.error["code"]) == (412, "cost_not_bounded")


@every_format
@plain_and_streamed
async def test_t9_the_budget_is_checked_before_the_call(platform: Platform, client: str, stream: bool) -> None:
    """T9: at the most that the call can cost. Over it the provider is not asked, and the refusal is `budget_exceeded`,
    with what is spent."""
    tenant = await platform.tenant(monthly_budget_usd=0.003)
    first = await platform.ask(client, SONNET, tenant, HUNDRED, stream=stream)
    assert first.status == 200
    before = len(platform.simulated.calls())
    told = await platform.ask(client, SONNET, tenant, HUNDRED, stream=stream)
    details = told.error["details"]
    assert (told.status, details["reason"], details["allowance"]["cap"]) == (412, "budget_exceeded", "$0.003000")
    assert details["used"] == f"${ceil_div((await platform.record(first)).cost, 1_000) / 1e6:.6f}"
    assert len(platform.simulated.calls()) == before


@every_format
@plain_and_streamed
async def test_t10_an_answer_says_what_it_cost_and_what_is_left(platform: Platform, client: str, stream: bool) -> None:
    """T10: the tenant, the model, input and output tokens, the cost to six decimals, what is spent and what is left. A
    stream's head goes out before its cost is known, and says what is held instead; its record has the cost."""
    tenant = await platform.tenant(monthly_budget_usd=10)
    told = await platform.ask(client, SONNET, tenant, HUNDRED, stream=stream)
    assert (told.headers["x-headgate-tenant"], told.model) == (tenant, "claude-sonnet-4-5")
    counts = re.findall(rb'"(prompt_tokens|completion_tokens|input_tokens|output_tokens)": ?(\d+)', told.body)
    assert {int(count) for _, count in counts} >= {100}
    record = await platform.record(told)
    left = float(told.headers["x-headgate-budget-remaining-usd"])
    spent = float(told.headers["x-headgate-budget-used-usd"])
    assert round(left, 2) == 10.0
    assert left + spent == pytest.approx(10)
    assert ("x-headgate-cost-usd" in told.headers) is not stream
    if not stream:
        assert told.headers["x-headgate-cost-usd"] == told.headers["x-headgate-budget-used-usd"]
        assert re.fullmatch(r"0\.\d{6}", told.headers["x-headgate-cost-usd"])
        assert float(told.headers["x-headgate-cost-usd"]) == pytest.approx(record.cost / 1e9, abs=1e-6)
    limits = (await platform.send("GET", "/v1/limits", x_headgate_tenant=tenant)).json["data"]
    assert [limit["used"] for limit in limits] == [record.cost]


@every_format
@plain_and_streamed
async def test_t11_near_the_budget_a_cheaper_model_answers(platform: Platform, client: str, stream: bool) -> None:
    """T11: from 90 % on unless set otherwise, instead of a hard stop; the customer's webhook is told, and the model is
    one that the tenant may use."""
    down = {"models": {OPUS: SONNET}}
    tenant = await platform.tenant(monthly_budget_usd=0.1, downgrade=down)
    hook = {"url": platform.receiver.url, "tenant_id": tenant, "types": ["budget.downgraded"]}
    await platform.admin("POST", "/admin/webhooks", hook)
    first = await platform.ask(client, OPUS, tenant, "Say 1230 tokens, please.", max_tokens=1_230, stream=stream)
    assert (first.status, first.model) == (200, "claude-opus-4-1")
    second = await platform.ask(client, OPUS, tenant, "hi", max_tokens=5, stream=stream)
    assert (second.status, second.model) == (200, "claude-sonnet-4-5")
    assert second.headers["x-headgate-downgraded-from"] == OPUS
    [message] = await told_of(platform, tenant, 1)
    assert (message["data"]["model_asked"], message["data"]["model"]) == (OPUS, SONNET)
    walled = await platform.tenant(monthly_budget_usd=0.1, downgrade=down, allowed_models=[OPUS])
    for text, most in (("Say 1230 tokens, please.", 1_230), ("hi", 5)):
        told = await platform.ask(client, OPUS, walled, text, max_tokens=most, stream=stream)
        assert (told.status, told.model) == (200, "claude-opus-4-1")


async def test_t12_usage_is_written_down_and_alerts_go_out(platform: Platform) -> None:
    """T12: tenant, model, tokens and cost of each call; webhooks at 80, 90 and 100 % of the budget."""
    tenant = await platform.tenant(usage_limits={"type": "cost", "credit_limit": 0.0186, "periodic_reset": "monthly"})
    hook = {"url": platform.receiver.url, "tenant_id": tenant, "types": ["budget.threshold_reached"]}
    await platform.admin("POST", "/admin/webhooks", hook)
    for tokens in (1_000, 100, 50, 50, 20):
        text = f"Say {tokens} tokens, please."
        told = await platform.ask("messages", SONNET, tenant, text, max_tokens=tokens)
        if told.status == 200:
            record = await platform.record(told)
            assert (record.model, record.usage["output"]) == ("claude-sonnet-4-5", tokens)
            assert record.cost == record.usage["input"] * 3_000 + tokens * 15_000
    messages = await told_of(platform, tenant, 3)
    assert {name for message in messages for name in message["data"]["thresholds"]} == {"80%", "90%", "100%"}


async def told_of(platform: Platform, tenant: str, count: int) -> list[dict[str, Any]]:
    """What the tenant's webhook was told, once there is so much of it."""

    def found() -> list[dict[str, Any]]:
        told = [message.json for message in platform.receiver.messages]
        return [each for each in told if each["data"]["scope"]["name"] == tenant]

    async with asyncio.timeout(30):
        while len(found()) < count:  # noqa: ASYNC110 - another task of this loop receives them
            await asyncio.sleep(0.02)  # why: what is waited for comes over a connection
    return found()


# -- routing -----------------------------------------------------------------------------------------------------------

SIMPLE, COMPLEX = "a" * 2_000, "a" * 2_001
PARTS = [{"type": "text", "text": "a" * 1_500}, {"type": "text", "text": "b" * 501}]
TABLE = {
    "tiers": {
        "free": {"simple": SONNET, "complex": SONNET},
        "pro": {"simple": SONNET, "complex": OPUS},
        "enterprise": {"simple": SONNET, "complex": OPUS},
    },
    "default_tier": "free",
    "complexity": {"length": 2_000, "keywords": ["analyze", "compare", "generate code"]},
}


@every_format
@plain_and_streamed
@pytest.mark.parametrize("tier", ["free", "pro", "enterprise", "unheard-of", None])
async def test_t13_tier_and_complexity_choose_the_model(
    platform: Platform, client: str, stream: bool, tier: str | None
) -> None:
    """T13: more than 2,000 characters are complex, as a text or as parts; so is a word in the system prompt. An unknown
    tier is free."""
    await platform.admin("PUT", "/admin/organisation", {"routing_table": TABLE})
    tenant = await platform.tenant(**{} if tier is None else {"tier": tier})
    dear = "claude-opus-4-1" if tier in ("pro", "enterprise") else "claude-sonnet-4-5"
    prompt = "Compare the two offers."
    system: dict[str, Any] = {"system": prompt}
    if client == "chat":
        messages = [{"role": "system", "content": prompt}, {"role": "user", "content": "hi"}]
        system = {"messages": messages}
    for text, more, expected in (
        (SIMPLE, {}, "claude-sonnet-4-5"),
        (COMPLEX, {}, dear),
        (PARTS, {}, dear),
        (PARTS[:1], {}, "claude-sonnet-4-5"),
        ("hi", system, dear),
    ):
        told = await platform.ask(client, "auto", tenant, text, stream=stream, max_tokens=5, **more)
        assert (told.status, told.model) == (200, expected)


async def test_t14_the_table_is_configuration(platform: Platform) -> None:
    """T14: changed by an administrator, it holds from the next call on."""
    tenant = await platform.tenant(tier="pro")
    for model in (GPT, SONNET):
        table = {"tiers": {"pro": model}, "default_tier": "pro"}
        await platform.admin("PUT", "/admin/organisation", {"routing_table": table})
        told = await platform.ask("chat", "auto", tenant)
        assert (told.status, told.model) == (200, model.partition("/")[2])
