"""The Portkey SDK's integrations, providers, virtual keys and models, from an empty workspace to a call and back."""

from _told import ARGUMENTS, failure, tell
from portkey_ai import Portkey
from portkey_ai.api_resources import exceptions

base_url, host, workspace = ARGUMENTS["base_url"], ARGUMENTS["host"], ARGUMENTS["workspace"]
admin = Portkey(api_key=ARGUMENTS["admin_key"], base_url=base_url)
hello = [{"role": "user", "content": "hello there"}]
PRICES = {"type": "static", "pay_as_you_go": {"request_token": {"price": 0.001}, "response_token": {"price": 0.002}}}


def said(name):
    """A call by a new customer of the workspace."""
    minted = admin.api_keys.create(
        name=f"caller of {name}",
        workspace_id=workspace,
        type="workspace",
        sub_type="service",
        scopes=["completions.write"],
    )
    caller = Portkey(api_key=minted.key, base_url=base_url)
    answer = caller.chat.completions.create(model=name, messages=hello, max_tokens=100)
    return answer.choices[0].message.content


def integrations():
    made = admin.integrations.create(
        name="Through the SDK",
        description="d",
        key="sk-secret-of-the-sdk-0001",
        ai_provider_id="openai",
        slug="sdk-openai",
        configurations={"custom_host": host},
        pricing_adjustments={"multiplier": {"default": 1.5}},
    )
    models = [
        {"slug": name, "enabled": True, "is_custom": True, "pricing_config": PRICES} for name in ARGUMENTS["models"]
    ]
    admin.integrations.models.update(slug=made.slug, allow_all_models=False, models=models)
    admin.integrations.workspaces.update(
        slug=made.slug,
        global_workspace_access={"enabled": False},
        override_existing_workspaces_access=False,
        workspaces=[
            {
                "id": workspace,
                "enabled": True,
                "usage_limits": [{"type": "cost", "credit_limit": 500, "alert_threshold": 400}],
                "rate_limits": [{"type": "requests", "unit": "rpm", "value": 1000}],
            }
        ],
    )
    found = admin.integrations.retrieve(slug=made.slug)
    admin.integrations.update(slug=made.slug, description="changed")
    given = admin.integrations.workspaces.list(slug=made.slug)
    known = admin.integrations.models.list(slug=made.slug)
    return {
        "made": [bool(made.id), made.slug],
        "listed": made.slug in [each.slug for each in admin.integrations.list().data],
        "masked": found.masked_key,
        "host": found.configurations["custom_host"],
        "given": [
            [each.enabled, each.usage_limits["credit_limit"], each.rate_limits["value"]] for each in given.workspaces
        ],
        "models": {each.slug: each.enabled for each in known.models if each.is_custom},
        "said": said(f"@{made.slug}/{ARGUMENTS['models'][0]}"),
    }


def providers():
    made = admin.providers.create(
        name="Second name",
        integration_id="sdk-openai",
        workspace_id=workspace,
        slug="sdk-second",
        note="n",
        usage_limits={"credit_limit": 10, "type": "cost"},
        rate_limits={"type": "requests", "unit": "rpm", "value": 5},
        expires_at="2100-01-01T00:00:00Z",
    )
    listed = admin.providers.list(workspace_id=workspace)
    answer = said(f"@{made.slug}/{ARGUMENTS['models'][0]}")
    updated = admin.providers.update(slug=made.slug, workspace_id=workspace, note="changed", reset_usage=True)
    found = admin.providers.retrieve(slug=made.slug, workspace_id=workspace)
    told = {
        "listed": sorted(each.slug for each in listed.data),
        "limits": [found.usage_limits["credit_limit"], found.rate_limits],
        "note": found.note,
        "integration": found.integration_id,
        "updated": updated.slug,
        "said": answer,
    }
    admin.providers.delete(slug=made.slug)
    missing = failure(lambda: admin.providers.retrieve(slug=made.slug), exceptions.NotFoundError)
    return {**told, "gone": missing["status"]}


def virtual_keys():
    made = admin.virtual_keys.create(
        name="Old name",
        provider="openai",
        key="sk-secret-of-the-sdk-0002",
        workspace_id=workspace,
        usage_limits={"credit_limit": 10},
    )
    listed = admin.virtual_keys.list(workspace_id=workspace)
    admin.virtual_keys.update(slug=made.slug, note="changed", key="sk-secret-of-the-sdk-0003")
    found = admin.virtual_keys.retrieve(slug=made.slug)
    told = {
        "slug": made.slug,
        "listed": [each["slug"] for each in listed.data],
        "note": found.note,
        "key": found.key,
    }
    admin.virtual_keys.delete(slug=made.slug)
    missing = failure(lambda: admin.virtual_keys.retrieve(slug=made.slug), exceptions.NotFoundError)
    return {**told, "gone": missing["status"]}


def models():
    customer = Portkey(api_key=ARGUMENTS["key"], base_url=base_url)
    named = customer.with_options(provider="@sdk-openai").models.list()
    one = customer.models.retrieve(f"@sdk-openai/{ARGUMENTS['models'][0]}")
    return {
        "total": [customer.models.list().total, len(customer.models.list().data)],
        "named": sorted(each.id for each in named.data),
        "one": [one.id, one.object, one.owned_by, type(one.created).__name__],
        "deleted": failure(lambda: customer.models.delete("@sdk-openai/m"), Exception)["status"],
    }


def removal():
    refused = failure(lambda: admin.integrations.delete(slug="sdk-openai"), exceptions.ConflictError)
    admin.integrations.models.delete(slug="sdk-openai", slugs=",".join(ARGUMENTS["models"]))
    admin.integrations.workspaces.update(slug="sdk-openai", workspaces=[{"id": workspace, "enabled": False}])
    admin.integrations.delete(slug="sdk-openai")
    return {"refused": [refused["status"], workspace in refused["text"]]}


tell(
    integrations=integrations(), providers=providers(), virtual_keys=virtual_keys(), models=models(), removal=removal()
)
