"""The multi-tenant guide, steps 1 to 5, with the Portkey SDK: its scripts' calls and what they read of the answers.

No `base_url` is given, as in the guide: the environment names it. Two things differ from the guide's print. It misses a
comma; and its own script for keys does not say the `subscription_tier` that its own schema requires, so that the schema
gets a default once that was shown.
"""

import os

from _told import ARGUMENTS, failure, tell

os.environ["PORTKEY_PROXY"] = ARGUMENTS["base_url"]

from portkey_ai import Portkey
from portkey_ai.api_resources import exceptions

portkey = Portkey(api_key=ARGUMENTS["admin_key"])
TIERS = {"enterprise": (500, 1000), "professional": (100, 100), "starter": (25, 10)}
MODELS = ["sim-fast", "sim-slow", "sim-huge"]
hello = [{"role": "user", "content": "hello there"}]
PRICES = {"type": "static", "pay_as_you_go": {"request_token": {"price": 0.001}, "response_token": {"price": 0.002}}}


def schema(**more):
    tier = {"type": "string", "enum": list(TIERS), **more}
    return {"type": "object", "required": ["subscription_tier"], "properties": {"subscription_tier": tier}}


def organization():
    """Step 1: what the metadata of every key must say. The SDK has no resource for it, only its plain methods."""
    body = {"api_key_metadata_schema": schema(), "workspace_metadata_schema": {"type": "object", "required": ["tier"]}}
    portkey.put(path="/admin/organisation", body=body)
    found = portkey.get(path="/admin/organisation").json()
    return found["api_key_metadata_schema"] == body["api_key_metadata_schema"]


def workspaces():
    """Step 2: one for each tier, with the guide's metadata, a number among it."""
    refused = failure(lambda: portkey.admin.workspaces.create(name="workspace-without"), exceptions.BadRequestError)
    for tier, (budget, _) in TIERS.items():
        metadata = {"tier": tier, "default_monthly_budget": budget, "support_level": "premium"}
        portkey.admin.workspaces.create(
            name=f"workspace-{tier}", description=f"{tier} tier customers", defaults={"metadata": metadata}
        )
    listed = portkey.admin.workspaces.list()
    # The SDK has no parameter for a workspace's own budget.
    portkey.put(
        path="/admin/workspaces/workspace-enterprise",
        body={"usage_limits": [{"type": "cost", "credit_limit": 400, "periodic_reset": "monthly"}]},
    )
    kept = portkey.admin.workspaces.retrieve(workspace_id="workspace-enterprise")
    return {
        "refused": [refused["status"], "defaults.metadata.tier" in refused["text"]],
        "listed": [[bool(each.id), each.slug, each.name] for each in listed.data][1:],
        "metadata": kept.defaults["metadata"],
        "budget": kept.usage_limits[0]["credit_limit"],
    }


def providers():
    """Step 3: the credential, who may use it within which limits, and which of its models."""
    made = portkey.integrations.create(
        name="OpenAI Production",
        ai_provider_id="openai",
        slug="openai-prod",
        key="sk-secret-of-the-guide-0001",
        configurations={"custom_host": ARGUMENTS["host"]},
    )
    portkey.integrations.workspaces.update(
        slug=made.slug,
        global_workspace_access={"enabled": False},
        override_existing_workspaces_access=True,
        workspaces=[
            {
                "id": f"workspace-{tier}",
                "enabled": True,
                "usage_limits": [
                    {"type": "cost", "credit_limit": usd, "alert_threshold": usd * 0.8, "periodic_reset": "monthly"}
                ],
                "rate_limits": [{"type": "requests", "unit": "rpm", "value": rpm}],
            }
            for tier, (usd, rpm) in TIERS.items()
        ],
    )
    models = [{"slug": name, "enabled": True, "is_custom": True, "pricing_config": PRICES} for name in MODELS]
    portkey.integrations.models.update(slug=made.slug, allow_all_models=False, models=models)
    given = portkey.integrations.workspaces.list(slug=made.slug).workspaces
    return {
        "masked": portkey.integrations.retrieve(slug=made.slug).masked_key,
        "given": {each.slug: [each.usage_limits["credit_limit"], each.rate_limits["value"]] for each in given},
    }


def model_rules():
    """Step 3, advanced: models by the tier that a key's metadata names, attached to a workspace, in both spellings."""
    rules = {"enterprise": MODELS[:2], "professional": MODELS[:1], "starter": MODELS[2:]}
    guide = {"model_rules": {"defaults": MODELS[2:], "metadata_routing": {"subscription_tier": rules}}}
    product = {"rules": {"defaults": MODELS[2:], "metadata": {"subscription_tier": rules}}, "not": False}
    attached = {}
    for workspace, parameters in (("workspace-professional", guide), ("workspace-enterprise", product)):
        made = portkey.guardrails.create(
            name=f"models of {workspace}",
            checks=[{"id": "default.modelRules", "parameters": parameters}],
            actions={"deny": True, "async": False},
            workspace_id=workspace,
        )
        body = {"defaults": {"input_guardrails": [made.id]}}
        portkey.put(path=f"/admin/workspaces/{workspace}", body=body)
        attached[workspace] = made.id
    return attached


def create_key(workspace_slug, customer_email, **metadata):
    """Step 4, the script's call."""
    monthly_budget = 100.0
    return portkey.api_keys.create(
        name=f"Service Key for {customer_email}",
        workspace_id=workspace_slug,
        type="workspace",
        sub_type="service",
        scopes=["completions.write"],
        usage_limits={
            "credit_limit": monthly_budget,
            "type": "cost",
            "periodic_reset": "monthly",
            "alert_threshold": int(monthly_budget * 0.8),
        },
        defaults={"metadata": {"user_email": customer_email, **metadata}},
        rate_limits=[{"type": "requests", "unit": "rpm", "value": 100}],
    )


def keys():
    """Step 4: refused by the guide's own schema as the script stands, and made with the schema's default."""
    refused = failure(lambda: create_key("workspace-starter", "bob@example.com"), exceptions.BadRequestError)
    portkey.put(path="/admin/organisation", body={"api_key_metadata_schema": schema(default="starter")})
    made = {
        "starter": create_key("workspace-starter", "bob@example.com"),
        "professional": create_key("workspace-professional", "ada@example.com", subscription_tier="professional"),
        "enterprise": create_key("workspace-enterprise", "eve@example.com", subscription_tier="enterprise"),
    }
    wrong = failure(
        lambda: create_key("workspace-starter", "x@example.com", subscription_tier="gold"), exceptions.BadRequestError
    )
    told = {
        "refused": [refused["status"], "defaults.metadata.subscription_tier" in refused["text"]],
        "wrong": [wrong["status"], "subscription_tier" in wrong["text"]],
        "objects": sorted({each.object for each in made.values()}),
    }
    return {tier: each.key for tier, each in made.items()}, told


def customers(keys):
    """Step 5: which models a customer sees, and what calls of his are taken."""
    told = {}
    for tier, key in keys.items():
        client = Portkey(api_key=key)
        models = client.models.list()
        model_data = models.data if hasattr(models, "data") else models
        ids = sorted(model.id for model in model_data)
        answer = client.chat.completions.create(model=ids[0], messages=hello, max_tokens=100)
        told[tier] = {"ids": ids, "said": answer.choices[0].message.content}
    outside = Portkey(api_key=keys["professional"], metadata={"subscription_tier": "enterprise"})

    def call(model):
        return failure(lambda: outside.chat.completions.create(model=model, messages=hello), Exception)["status"]

    told["spoofed"] = call("@openai-prod/sim-slow")
    told["not provisioned"] = call("@openai-prod/sim-529")
    return told


organized = organization()
of_workspaces = workspaces()
of_providers = providers()
guardrails = model_rules()
minted, of_keys = keys()
tell(
    organization=organized,
    workspaces=of_workspaces,
    providers=of_providers,
    keys=of_keys,
    customers=customers(minted),
    secrets=minted,
)
