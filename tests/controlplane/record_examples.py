"""Writes the examples of the OpenAPI document: `python -m tests.controlplane.record_examples`.

It goes through every operation once, on a new installation whose clock stands still, and keeps what was sent and what
came back. Ids are made from their order, secrets are left out, long lists are cut.
"""

import asyncio
import hashlib
import json
import re
import tempfile
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

from headgate.base.clock import NANOS_PER_SECOND
from headgate.ledger.record import Outcome, UsageRecord
from headgate.storage.alert_rows import AlertedRows
from headgate.storage.database import open_database
from headgate.storage.migrate import upgrade
from tests.support.administration import NOON, World, founded
from tests.support.model_lists import models_of_our_own

PLACE = Path(__file__).parent.parent.parent / "src" / "headgate" / "controlplane" / "openapi" / "examples.json"
MOST = 2
ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
WINDOW = {"time_of_generation_min": "2027-01-01T00:00:00Z", "time_of_generation_max": "2027-02-01T00:00:00Z"}


class Walk:
    """Calls operations, each by its name, and keeps the first example of each."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.kept: dict[str, dict[str, Any]] = {}

    async def __call__(
        self, operation: str, *path: str, body: Any = None, key: str | None = None, **query: str
    ) -> dict[str, Any]:
        method, _, template = operation.partition(" ")
        names = re.findall(r"\{(\w+)\}", template)
        values = dict(zip(names, path, strict=True))
        filled = re.sub(r"\{(\w+)\}", lambda match: quote(values[match[1]], safe="/"), template)
        url = f"/v1{filled}" + (f"?{urlencode(query)}" if query else "")
        reply = await self.world.call(method, url, body, key=key)
        assert reply.status == 200, (operation, reply.body)
        try:
            answer: Any = reply.json
        except ValueError:
            answer = None
        self.kept.setdefault(operation, {"path": values, "query": query, "request": body, "response": answer})
        return answer if isinstance(answer, dict) else {}


async def organisation(walk: Walk) -> None:
    """Settings, workspaces and tenants."""
    schema = {
        "type": "object",
        "required": ["subscription_tier"],
        "properties": {
            "subscription_tier": {"type": "string", "enum": ["starter", "enterprise"], "default": "starter"}
        },
    }
    await walk(
        "PUT /admin/organisation",
        body={"name": "Example Inc.", "time_zone": "Europe/Oslo", "api_key_metadata_schema": schema},
    )
    await walk("GET /admin/organisation")
    metadata = {"tier": "enterprise", "default_monthly_budget": "500", "support_level": "premium"}
    limits = [{"type": "cost", "credit_limit": 500, "alert_threshold": 400, "periodic_reset": "monthly"}]
    await walk(
        "POST /admin/workspaces",
        body={
            "name": "workspace-enterprise",
            "description": "Enterprise tier customers",
            "defaults": {"metadata": metadata},
            "usage_limits": limits,
            "rate_limits": [{"type": "requests", "unit": "rpm", "value": 1000}],
        },
    )
    await walk("GET /admin/workspaces")
    await walk("PUT /admin/workspaces/{workspace_id}", "workspace-enterprise", body={"description": "The largest"})
    tenant = {
        "tenant_id": "acme-corp",
        "name": "Acme Corporation",
        "workspace_id": "workspace-enterprise",
        "tier": "enterprise",
        "allowed_models": ["@openai-prod/*"],
        "default_model": "@openai-prod/gpt-4o",
        "max_requests_per_minute": 120,
        "max_tokens_per_day": 500000,
        "monthly_budget_usd": 500,
        "downgrade": {"at": 0.9, "models": {"@openai-prod/gpt-4o": "@openai-prod/gpt-4o-mini"}},
        "metadata": {"region": "eu"},
    }
    await walk("POST /admin/tenants", body=tenant)
    await walk("GET /admin/tenants", workspace_id="workspace-enterprise")
    await walk("GET /admin/tenants/{tenant_id}", "acme-corp")
    await walk("PUT /admin/tenants/{tenant_id}", "acme-corp", body={"monthly_budget_usd": 750})


async def keys(walk: Walk) -> tuple[str, str]:
    """A customer's key; its id, and its text."""
    made = await walk(
        "POST /api-keys/{level}/{owner}",
        "workspace",
        "service",
        body={
            "name": "Service Key for ada@example.com",
            "workspace_id": "workspace-enterprise",
            "scopes": ["completions.write"],
            "defaults": {"metadata": {"user_email": "ada@example.com", "subscription_tier": "enterprise"}},
            "usage_limits": {"type": "cost", "credit_limit": 100, "periodic_reset": "monthly", "alert_threshold": 80},
            "rate_limits": [{"type": "requests", "unit": "rpm", "value": 100}],
        },
    )
    await walk("GET /api-keys", workspace_id="workspace-enterprise")
    await walk("GET /api-keys/{key_id}", made["id"])
    await walk("GET /api-keys/self", key=made["key"])
    change = {"rate_limits": [{"type": "requests", "unit": "rpm", "value": 50}], "reset_usage": True}
    await walk("PUT /api-keys/{key_id}", made["id"], body=change)
    rotated = await walk("POST /api-keys/{key_id}/rotate", made["id"], body={"key_transition_period_ms": 1_800_000})
    return made["id"], rotated["key"]


async def models(walk: Walk) -> None:
    """Integrations, providers, virtual keys, prices."""
    integration = {"name": "OpenAI", "slug": "openai-prod", "ai_provider_id": "openai", "key": "the provider's own key"}
    await walk("POST /integrations", body=integration)
    await walk("GET /integrations", type="organisation")
    await walk("PUT /integrations/{slug}", "openai-prod", body={"description": "For production"})
    prices = {
        "type": "static",
        "pay_as_you_go": {"request_token": {"price": 0.0003}, "response_token": {"price": 0.0012}},
    }
    tuned = {"slug": "ft:gpt-4o:example", "enabled": True, "is_finetune": True, "pricing_config": prices}
    allowed = {"allow_all_models": False, "models": [{"slug": "gpt-4o", "enabled": True}, tuned]}
    await walk("PUT /integrations/{slug}/models", "openai-prod", body=allowed)
    await walk("GET /integrations/{slug}/models", "openai-prod")
    access = {
        "id": "workspace-enterprise",
        "enabled": True,
        "usage_limits": [{"type": "cost", "credit_limit": 500, "alert_threshold": 400, "periodic_reset": "monthly"}],
        "rate_limits": [{"type": "requests", "unit": "rpm", "value": 1000}],
    }
    given = {"global_workspace_access": {"enabled": False}, "workspaces": [access]}
    await walk("PUT /integrations/{slug}/workspaces", "openai-prod", body=given)
    await walk("GET /integrations/{slug}/workspaces", "openai-prod")
    await walk("GET /integrations/{slug}", "openai-prod")
    async with models_of_our_own("m-1", "m-2") as url:
        own = {"name": "Our own", "slug": "our-own", "ai_provider_id": "openai-compatible", "key": "its key"}
        await walk("POST /integrations", body=own | {"configurations": {"custom_host": url}})
        await walk("POST /integrations/{slug}/test", "our-own")
        await walk("DELETE /integrations/{slug}", "our-own")
    await walk("GET /model-configs/pricing/{provider}/{model}", "openai", "gpt-4o")
    provider = {
        "name": "OpenAI for batches",
        "slug": "openai-batch",
        "integration_id": "openai-prod",
        "workspace_id": "workspace-enterprise",
        "usage_limits": {"type": "cost", "credit_limit": 50, "periodic_reset": "monthly"},
    }
    await walk("POST /providers", body=provider)
    await walk("GET /providers", workspace_id="workspace-enterprise")
    await walk("GET /providers/{slug}", "openai-batch", workspace_id="workspace-enterprise")
    await walk("PUT /providers/{slug}", "openai-batch", body={"note": "At night only"})
    virtual = {"name": "Their own key", "provider": "openai", "key": "the customer's own key", "slug": "byok",
               "workspace_id": "workspace-enterprise"}  # fmt: skip
    await walk("POST /virtual-keys", body=virtual)
    await walk("GET /virtual-keys", workspace_id="workspace-enterprise")
    await walk("GET /virtual-keys/{slug}", "byok")
    await walk("PUT /virtual-keys/{slug}", "byok", body={"note": "Until the contract ends"})


async def rules(walk: Walk) -> None:
    """Guardrails, configs and policies."""
    tiers = {"starter": ["gpt-4o-mini"], "enterprise": ["gpt-4o", "gpt-4o-mini"]}
    parameters = {"rules": {"defaults": ["gpt-4o-mini"], "metadata": {"subscription_tier": tiers}}, "not": False}
    guardrail = {
        "name": "Models by tier",
        "workspace_id": "workspace-enterprise",
        "checks": [{"id": "default.modelRules", "parameters": parameters}],
        "actions": {"deny": True, "async": False},
    }
    made = await walk("POST /guardrails", body=guardrail)
    await walk("GET /guardrails", workspace_id="workspace-enterprise")
    await walk("PUT /guardrails/{guardrail_id}", made["id"], body={"name": "Models by subscription tier"})
    await walk("GET /guardrails/{guardrail_id}", made["id"])
    await walk("GET /guardrails/{guardrail_id}/versions", made["id"])
    await walk("DELETE /guardrails/{guardrail_id}", made["id"])
    config = {"retry": {"attempts": 3, "on_status_codes": [429, 503]}, "request_timeout": 30000}
    made = await walk(
        "POST /configs", body={"name": "Patient", "workspace_id": "workspace-enterprise", "config": config}
    )
    await walk("GET /configs", workspace_id="workspace-enterprise")
    await walk("PUT /configs/{slug}", made["slug"], body={"name": "Very patient"})
    await walk("GET /configs/{slug}", made["slug"])
    await walk("GET /configs/{slug}/versions", made["slug"])
    await walk("DELETE /configs/{slug}", made["slug"])
    prompt = {
        "name": "Greeting",
        "model": "@openai-prod/gpt-4o",
        "messages": [{"role": "user", "content": "Say hello to {{name}}."}],
        "parameters": {"max_tokens": 100},
        "workspace_id": "workspace-enterprise",
    }
    made = await walk("POST /prompts", body=prompt)
    await walk("GET /prompts", workspace_id="workspace-enterprise")
    await walk("PUT /prompts/{prompt_id}", made["slug"], body={"parameters": {"max_tokens": 50}})
    await walk("GET /prompts/{prompt_id}", made["slug"])
    await walk("POST /prompts/{prompt_id}/render", made["slug"], body={"variables": {"name": "Ada"}})
    await walk("DELETE /prompts/{prompt_id}", made["slug"])


async def policies(walk: Walk) -> None:
    """Both kinds, and their groups."""
    shared = {
        "conditions": [{"key": "workspace_id", "value": "workspace-enterprise"}],
        "group_by": [{"key": "api_key"}],
    }
    kinds: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
        "usage-limits": (
            {"name": "Each key", **shared, "type": "cost", "credit_limit": 10, "periodic_reset": "monthly"},
            {"credit_limit": 20},
        ),
        "rate-limits": (
            {"name": "Tokens of each key", **shared, "type": "tokens", "unit": "rpm", "value": 100000},
            {"value": 50000},
        ),
    }
    for kind, (body, change) in kinds.items():
        made = await walk(f"POST /policies/{kind}", body=body)
        await walk(f"GET /policies/{kind}")
        await walk(f"GET /policies/{kind}/{{policy_id}}", made["id"])
        await walk(f"PUT /policies/{kind}/{{policy_id}}", made["id"], body=change)
        await written(walk, 3)
        found = await walk(f"GET /policies/{kind}/{{policy_id}}/entities", made["id"])
        group = found["data"][0]["id"] if found["data"] else "k"
        await walk(f"PUT /policies/{kind}/{{policy_id}}/entities/{{entity_id}}/reset", made["id"], group)
        await walk(f"DELETE /policies/{kind}/{{policy_id}}", made["id"])


async def people(walk: Walk) -> None:
    """From an invite to a member, and out again."""
    invite = {
        "email": "grace@example.com",
        "role": "member",
        "workspaces": [{"id": "workspace-enterprise", "role": "manager"}],
        "workspace_api_key_details": {"scopes": ["logs.view"]},
    }
    made = await walk("POST /admin/users/invites", body=invite)
    await walk("GET /admin/users/invites", status="pending")
    await walk("GET /admin/users/invites/{invite_id}", made["id"])
    again = await walk("POST /admin/users/invites/{invite_id}/resend", made["id"])
    token = again["invite_link"].partition("token=")[2]
    accepted = {"token": token, "first_name": "Grace", "last_name": "Hopper"}
    user = await walk("POST /admin/users/invites/accept", body=accepted, key="")
    await walk("GET /admin/users", role="member")
    await walk("GET /admin/users/{user_id}", user["id"])
    await walk("PUT /admin/users/{user_id}", user["id"], body={"role": "admin"})
    members = "/admin/workspaces/{workspace_id}/users"
    await walk(f"GET {members}", "workspace-enterprise")
    await walk("GET /admin/workspaces/{workspace_id}", "workspace-enterprise")
    await walk(f"GET {members}/{{user_id}}", "workspace-enterprise", user["id"])
    await walk(f"PUT {members}/{{user_id}}", "workspace-enterprise", user["id"], body={"role": "member"})
    await walk(f"DELETE {members}/{{user_id}}", "workspace-enterprise", user["id"])
    await walk(f"POST {members}", "workspace-enterprise", body={"users": [{"id": user["id"], "role": "member"}]})
    await portal(walk, user["id"])
    await walk("DELETE /admin/users/{user_id}", user["id"])
    other = await walk("POST /admin/users/invites", body={"email": "edsger@example.com", "role": "member"})
    await walk("DELETE /admin/users/invites/{invite_id}", other["id"])


async def portal(walk: Walk, user: str) -> None:
    """Who looks at a tenant in the portal."""
    users, sessions = "/admin/tenants/{tenant_id}/users", "/admin/tenants/{tenant_id}/portal-sessions"
    await walk(f"POST {users}", "acme-corp", body={"users": [{"id": user, "role": "manager"}]})
    await walk(f"GET {users}", "acme-corp")
    await walk(f"DELETE {users}/{{user_id}}", "acme-corp", user)
    asked = {"name": "ada@example.com", "expires_in": 300, "return_url": "https://app.example.com/billing"}
    made = await walk(f"POST {sessions}", "acme-corp", body=asked)
    await walk(f"GET {sessions}", "acme-corp")
    await walk(f"DELETE {sessions}/{{session_id}}", "acme-corp", made["id"])


async def alerts(walk: Walk) -> None:
    """Percents, letters and webhooks."""
    await walk("PUT /admin/alerts", body={"percents": [50, 90, 100], "emails": ["finance@example.com"]})
    await walk("GET /admin/alerts")
    hook = {"url": "https://hooks.example.com/headgate", "types": ["budget.threshold_reached", "key.exhausted"]}
    made = await walk("POST /admin/webhooks", body=hook)
    await walk("GET /admin/webhooks")
    await walk("GET /admin/webhooks/{webhook_id}", made["id"])
    await walk("PUT /admin/webhooks/{webhook_id}", made["id"], body={"description": "Budgets that run out"})
    delivery = await walk("POST /admin/webhooks/{webhook_id}/test", made["id"])
    await walk("GET /admin/webhooks/{webhook_id}/deliveries", made["id"])
    replay = "POST /admin/webhooks/{webhook_id}/deliveries/{delivery_id}/replay"
    await walk(replay, made["id"], delivery["id"])
    await walk("DELETE /admin/webhooks/{webhook_id}", made["id"])
    await walk("GET /admin/alerts/sent")
    await system(walk)


async def system(walk: Walk) -> None:
    """As anybody's would be: nothing of the machine on which it was recorded."""
    await walk("POST /admin/system/verify")
    found = await walk("GET /admin/system")
    found |= {"process_id": 1, "python": "3.13.1", "version": "1.0.0"}
    found["settings"] = [{"name": "data_dir", "value": "/var/lib/headgate"}]
    found["stores"][0] |= {"version": "3.51.3", "answered_ms": 0.4, "warnings": []}


async def written(walk: Walk, first: int) -> None:
    """Three calls of the customer's."""
    world = walk.world
    listed = await world.ok("GET", "/v1/api-keys?workspace_id=workspace-enterprise")
    key = listed["data"][0]
    records = [
        UsageRecord(
            request_id=f"req_{number:032x}",
            trace_id=f"order-{number}",
            organization_id=world.root.organization_id,
            workspace_id=key["workspace_id"],
            key_id=key["id"],
            integration_id="int_1",
            provider="openai-prod",
            provider_kind="openai",
            endpoint="/v1/chat/completions",
            model_asked="@openai-prod/gpt-4o",
            model="gpt-4o",
            stream=False,
            started_at=NOON - number * 60 * NANOS_PER_SECOND,
            ended_after=NANOS_PER_SECOND // 2,
            outcome=Outcome.OK,
            status=200,
            usage={"input": 100, "output": 50},
            cost=750_000,
            cost_lines=(("input", 100, 2_500_000_000, 250_000), ("output", 50, 10_000_000_000, 500_000)),
            metadata={"subscription_tier": "enterprise", "_user": "ada"},
        )
        for number in range(first, first + 3)
    ]
    rows = AlertedRows(world.clock)
    await world.database.write(lambda connection: rows.insert(connection, records))


async def usage(walk: Walk) -> None:
    """Analytics, logs, exports, feedback and the audit log."""
    await walk("GET /analytics/graphs/{graph}", "cost", **WINDOW)
    await walk("GET /analytics/groups/{group_by}", "ai-models", **WINDOW)
    await walk("GET /analytics/groups/metadata/{key}", "subscription_tier", **WINDOW)
    await walk("GET /analytics/summary/cache", **WINDOW)
    lines = await walk("GET /logs", **WINDOW, page_size="2")
    await walk("GET /logs/{log_id}", lines["data"][0]["id"])
    workspace = {"name": "Logs", "workspace_id": "workspace-enterprise", "scopes": ["logs.write", "completions.write"]}
    made = await walk.world.ok("POST", "/v1/api-keys/workspace/service", workspace)
    await walk.world.ok("PUT", "/v1/admin/organisation", {"log_bodies": {"retention_days": 30}})
    sent = {
        "request": {"url": "https://models.example.com"},
        "response": {"status": 200},
        "metadata": {"trace_id": "t"},
    }
    await walk("POST /logs", body=sent, key=made["key"])
    given = await walk("POST /feedback", body={"trace_id": "order-3", "value": 5, "weight": 1}, key=made["key"])
    await walk("PUT /feedback/{feedback_id}", given["feedback_ids"][0], body={"value": 10}, key=made["key"])
    await walk("GET /analytics/graphs/feedbacks", **WINDOW)
    await walk("GET /analytics/graphs/feedbacks/{graph}", "scores", **WINDOW)
    export = {
        "filters": WINDOW,
        "requested_data": ["id", "created_at", "ai_model", "cost", "metadata"],
        "format": "csv",
    }
    made = await walk("POST /logs/exports", body=export)
    await walk("GET /logs/exports")
    await walk("PUT /logs/exports/{export_id}", made["id"], body={"description": "January"})
    await walk("POST /logs/exports/{export_id}/start", made["id"])
    await walk.world.services.analytics.exporter.turn()
    await walk("GET /logs/exports/{export_id}", made["id"])
    link = await walk("GET /logs/exports/{export_id}/download", made["id"])
    query = dict(pair.split("=") for pair in link["signed_url"].partition("?")[2].split("&"))
    await walk("GET /logs/exports/{export_id}/file", made["id"], key="", **query)
    await walk("POST /logs/exports/{export_id}/cancel", made["id"])
    await walk("GET /audit-logs", start_time="2027-01-01T00:00:00Z", end_time="2027-02-01T00:00:00Z", page_size="2")
    await walk("DELETE /admin/cache", tenant_id="acme-corp")


async def removal(walk: Walk, key_id: str) -> None:
    """Everything away again."""
    await walk("DELETE /api-keys/{key_id}", key_id)
    await walk("DELETE /virtual-keys/{slug}", "byok")
    await walk("DELETE /providers/{slug}", "openai-batch")
    taken = {"workspaces": [{"id": "workspace-enterprise", "enabled": False}]}
    await walk("PUT /integrations/{slug}/workspaces", "openai-prod", body=taken)
    await walk("DELETE /integrations/{slug}/models", "openai-prod", slugs="gpt-4o")
    await walk("DELETE /integrations/{slug}", "openai-prod")
    await walk("DELETE /admin/tenants/{tenant_id}", "acme-corp")
    await walk("POST /admin/workspaces", body={"name": "Empty", "slug": "empty"})
    await walk("DELETE /admin/workspaces/{workspace_id}", "empty")


async def recorded() -> dict[str, dict[str, Any]]:
    """The examples of every operation, by its name."""
    with tempfile.TemporaryDirectory() as directory:
        database = await open_database(f"sqlite:///{directory}/headgate.db", synchronous="NORMAL")
        try:
            await upgrade(database)
            async with founded(database) as world:
                walk = Walk(world)
                await organisation(walk)
                key_id, _ = await keys(walk)
                await models(walk)
                await rules(walk)
                await written(walk, 0)
                await policies(walk)
                await people(walk)
                await alerts(walk)
                await usage(walk)
                await removal(walk, key_id)
                return walk.kept
        finally:
            await database.close()


def tidied(examples: dict[str, dict[str, Any]]) -> str:
    """As the file has them: an id is made from its place in their order, so that a run changes no more than it must."""
    text = json.dumps(_cut(examples), indent=1, sort_keys=True, ensure_ascii=False)
    text = re.sub(r"hg_([0-9a-z]{16})_[0-9a-z]{32}_[0-9a-z]+", r"hg_\1_…", text)
    text = re.sub(r"whsec_[A-Za-z0-9+/=]+", "whsec_…", text)
    text = re.sub(r"token=[0-9a-zA-Z_-]+", "token=…", text)
    names: dict[str, str] = {}

    def stable(match: re.Match[str]) -> str:
        if match[0] not in names:
            digest = hashlib.sha256(f"{match[1]}{len(names)}".encode()).digest() * 2
            hexadecimal = re.fullmatch(r"[0-9a-f]{32,}", match[2]) is not None
            made = digest.hex() if hexadecimal else "".join(ALPHABET[byte % 32] for byte in digest)
            names[match[0]] = f"{match[1] or ''}{made[: len(match[2])]}"
        return names[match[0]]

    text = re.sub(r"hg_[0-9a-z]{4}…[0-9a-z]{4}", "hg_k7qm…x2p9", text)
    ids = (r"[0-9a-f]{64}", r"(?<=req_)[0-9a-f]{32}", r"(?<=p[cg]-)[0-9a-z]{6}", rf"[{ALPHABET}]{{20}}",
           rf"(?<=[\":/])[{ALPHABET}]{{16}}(?=[\"/])")  # fmt: skip
    return re.sub(rf"\b([a-z]{{2,4}}_|p[cg]-)?({'|'.join(ids)})\b", stable, text)


def _cut(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _cut(each) for name, each in value.items()}
    if isinstance(value, list):
        return [_cut(each) for each in value[: MOST if value and isinstance(value[0], dict) else None]]
    return value


if __name__ == "__main__":
    PLACE.write_text(tidied(asyncio.run(recorded())) + "\n")
