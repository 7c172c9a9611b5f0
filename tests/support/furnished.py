"""An installation that is lived in: something of everything in its tables, put there through its own doors."""

import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from tests.support.gateway import Gateway, simulated_providers
from tests.support.http import call

BUDGET_USD = 0.25
MODEL = "@openai/sim-fast"


@dataclass(frozen=True, slots=True)
class Furnished:
    """`key` is a tenant's, with a budget of `BUDGET_USD`; `key_id` its id."""

    workspace: str
    key: str
    key_id: str


def furnish(gateway: Gateway) -> Furnished:
    """Workspaces, tenants, people, integrations, configs, guardrails, policies, webhooks, keys, and calls of a few."""
    workspace = gateway.workspace("Lived in")
    for provider in simulated_providers(gateway.simulator):
        gateway.integrate(provider, [workspace])
    schema = {"type": "object", "properties": {"plan": {"type": "string", "default": "gold"}}}
    settings = {"api_key_metadata_schema": schema, "log_bodies": {"retention_days": 30}, "time_zone": "Europe/Oslo"}
    gateway.admin("PUT", "/admin/organisation", settings)
    tenant = {"tenant_id": "acme", "name": "Acmé ♥", "workspace_id": workspace, "metadata": {"region": "eu"}}
    gateway.admin("POST", "/admin/tenants", {**tenant, "limits": {"budget_usd": 50, "reset": "monthly"}})
    _people_and_rules(gateway, workspace)
    made = gateway.new_key(
        workspace,
        tenant_id="acme",
        usage_limits=[{"type": "cost", "credit_limit": BUDGET_USD, "periodic_reset": "monthly"}],
        rate_limits=[{"type": "requests", "unit": "rpm", "value": 100_000}],
        defaults={"metadata": {"_user": "ada", "team": "kernel"}},
    )
    furnished = Furnished(workspace, str(made["key"]), str(made["id"]))
    _calls(gateway, furnished)
    return furnished


def _people_and_rules(gateway: Gateway, workspace: str) -> None:
    admin = gateway.admin
    invite = {"email": "ada@example.com", "role": "member", "workspaces": [{"id": workspace, "role": "manager"}]}
    token = admin("POST", "/admin/users/invites", invite)["invite_link"].rpartition("=")[2]
    accepted = {"token": token, "first_name": "Ada", "last_name": "Lovelace"}
    admin("POST", "/admin/users/invites/accept", accepted)
    guardrail = {
        "name": "models",
        "workspace_id": workspace,
        "checks": [{"id": "default.modelWhitelist", "parameters": {"models": ["sim-slow"]}}],
    }
    admin("POST", "/guardrails", guardrail)
    admin("POST", "/configs", {"name": "patient", "workspace_id": workspace, "config": {"retry": {"attempts": 3}}})
    groups = {"name": "by team", "conditions": [{"key": "workspace_id", "value": workspace}]}
    budget = {"group_by": [{"key": "metadata.team"}], "type": "cost", "credit_limit": 100}
    admin("POST", "/policies/usage-limits", {**groups, **budget})
    admin("PUT", "/admin/alerts", {"percents": [1, 50], "emails": ["ops@example.com"]})
    admin("POST", "/admin/webhooks", {"url": "https://hooks.example.com/x", "types": ["key.rotation_due"]})
    filters = {"time_of_generation_min": "2020-01-01T00:00:00Z", "time_of_generation_max": "2020-02-01T00:00:00Z"}
    admin("POST", "/logs/exports", {"filters": filters, "requested_data": ["id"], "format": "csv"})


def _calls(gateway: Gateway, furnished: Furnished) -> None:
    once = {"Idempotency-Key": "only-once"}
    body = {"model": MODEL, "max_tokens": 50, "messages": [{"role": "user", "content": "Grüße, 水"}]}
    answers = [gateway.post("/v1/chat/completions", body, furnished.key, once)]
    models = (MODEL, "@anthropic/sim-fast", "@openai/sim-no-usage", "@openai/sim-500")
    answers += [gateway.chat(furnished.key, model) for model in models]
    if (gateway.data_dir / "headgate.db").exists():
        for answer in answers[:-1]:
            gateway.record(answer.header("x-headgate-request-id"))
    gateway.post("/v1/feedback", {"trace_id": "order-3", "value": 5, "weight": 0.25}, furnished.key)


def kill_in_a_call(gateway: Gateway, key: str) -> None:
    """The provider has the call, the gateway dies: only the journal knows of it."""
    before = len(gateway.upstream_calls())
    with ThreadPoolExecutor(1) as elsewhere:
        unanswered = elsewhere.submit(gateway.chat, key, "@openai/sim-stall")
        while len(gateway.upstream_calls()) == before:
            time.sleep(0.02)  # why: another process writes what is looked at
        gateway.process.kill()
        gateway.process.wait()
        assert isinstance(unanswered.exception(), OSError)


def admin(url: str, key: str, method: str, path: str, body: object = None) -> Any:
    """One call of the control plane, decoded. Raises `AssertionError` with the server's words if it refuses."""
    answer = call(method, f"{url}/v1{path}", body, {"x-portkey-api-key": key})
    assert answer.status == 200, f"{method} {path}: {answer.status} {answer.body.decode(errors='replace')}"
    return answer.json


def used(url: str, admin_key: str, furnished: Furnished) -> Mapping[str, Any]:
    """What the key has used of its budget, as the control plane says."""
    limits: Mapping[str, Any] = admin(url, admin_key, "GET", f"/api-keys/{furnished.key_id}")["usage_limits"]
    return limits
