"""Tiers, integrations and customers, made through the gateway's own door as an administrator would."""

from collections.abc import Callable

from headgate.demo.client import Administrator
from headgate.demo.world import CUSTOMERS, REFUSED_MODEL, TIERS, UPSTREAMS, Customer, Tier, Upstream
from headgate.simulator.behaviours import BEHAVIOURS

STEPS = len(TIERS) + len(UPSTREAMS) + len(CUSTOMERS)


def set_up(administrator: Administrator, simulator: str, step: Callable[[str], None]) -> dict[Customer, str]:
    """The key of each customer. `step` is told of each of the `STEPS`. Raises `Refused`."""
    workspaces = {}
    for tier in TIERS:
        step(f"workspace {tier.name}")
        workspaces[tier] = _workspace(administrator, tier)
    for upstream in UPSTREAMS:
        step(f"integration {upstream.slug}")
        _integrate(administrator, upstream, simulator, workspaces)
    keys = {}
    for customer in CUSTOMERS:
        step(f"customer {customer.name}")
        keys[customer] = _key(administrator, customer, workspaces[customer.tier])
    return keys


def _workspace(administrator: Administrator, tier: Tier) -> str:
    body = {
        "name": tier.name,
        "description": f"Customers of the {tier.name} tier",
        "defaults": {"metadata": {"tier": tier.slug}},
    }
    return str(administrator.ask("POST", "/admin/workspaces", body)["slug"])


def _integrate(administrator: Administrator, upstream: Upstream, simulator: str, workspaces: dict[Tier, str]) -> None:
    body = {
        "name": f"Simulated {upstream.slug}",
        "slug": upstream.slug,
        "ai_provider_id": upstream.kind,
        "key": f"demo-key-for-{upstream.slug}",
        "configurations": {"custom_host": simulator + upstream.version_path},
    }
    administrator.ask("POST", "/integrations", body)
    models = [_model(name, upstream) for name in BEHAVIOURS]
    administrator.ask("PUT", f"/integrations/{upstream.slug}/models", {"models": models, "allow_all_models": False})
    given = [_provisioned(slug, tier) for tier, slug in workspaces.items()]
    administrator.ask("PUT", f"/integrations/{upstream.slug}/workspaces", {"workspaces": given})


def _model(name: str, upstream: Upstream) -> dict[str, object]:
    request, response = upstream.prices
    prices = {"request_token": {"price": request}, "response_token": {"price": response}}
    pricing = {"type": "static", "pay_as_you_go": prices}
    return {"slug": name, "enabled": name != REFUSED_MODEL, "is_custom": True, "pricing_config": pricing}


def _provisioned(slug: str, tier: Tier) -> dict[str, object]:
    return {"id": slug, "enabled": True, "usage_limits": [tier.budget]}


def _key(administrator: Administrator, customer: Customer, workspace: str) -> str:
    tier = customer.tier
    body = {
        "name": customer.name,
        "workspace_id": workspace,
        "scopes": ["completions.write"],
        "usage_limits": tier.budget,
        "rate_limits": [{"type": "requests", "unit": "rpm", "value": tier.rpm}],
        "defaults": {"metadata": {"subscription_tier": tier.slug, "user_email": customer.email}},
    }
    return str(administrator.ask("POST", "/api-keys/workspace/service", body)["key"])
