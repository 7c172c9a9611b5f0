"""The Portkey SDK's configs and guardrails: the guide's model rules, attached to a key through its config."""

from _told import ARGUMENTS, failure, tell
from portkey_ai import Portkey
from portkey_ai.api_resources import exceptions

base_url, workspace, model = ARGUMENTS["base_url"], ARGUMENTS["workspace"], ARGUMENTS["model"]
admin = Portkey(api_key=ARGUMENTS["admin_key"], base_url=base_url)
hello = [{"role": "user", "content": "hello there"}]


def guardrails():
    rules = {"defaults": ["nothing"], "metadata_routing": {"subscription_tier": {"enterprise": [model]}}}
    made = admin.guardrails.create(
        name="models by tier",
        checks=[{"id": "default.modelRules", "parameters": {"model_rules": rules}}],
        actions={"deny": True, "async": False},
        workspace_id=workspace,
    )
    listed = admin.guardrails.list(page_size=100, current_page=0)
    return made, {
        "made": [bool(made.id), made.slug[:3], bool(made.version_id)],
        "listed": made.slug in [each.slug for each in listed.data],
    }


def configs(guardrail):
    made = admin.configs.create(name="c", config={"retry": {"attempts": 3}}, workspace_id=workspace)
    admin.configs.update(slug=made.slug, config={"input_guardrails": [guardrail.id]}, status="active")
    found = admin.configs.retrieve(slug=made.slug)
    listed = admin.configs.list(workspace_id=workspace)
    return made, {
        "made": [bool(made.id), made.slug[:3]],
        "config": found.config == {"input_guardrails": [guardrail.id]},
        "listed": [each["slug"] for each in listed.data] == [made.slug],
    }


def customer(tier, config):
    minted = admin.api_keys.create(
        name=tier,
        workspace_id=workspace,
        type="workspace",
        sub_type="service",
        scopes=["completions.write"],
        defaults={"metadata": {"subscription_tier": tier}, "config_id": config.slug},
    )
    return Portkey(api_key=minted.key, base_url=base_url)


def calls(config):
    enterprise, starter = customer("enterprise", config), customer("starter", config)
    answer = enterprise.chat.completions.create(model=model, messages=hello, max_tokens=100)
    spoofing = starter.with_options(metadata={"subscription_tier": "enterprise"})
    return {
        "enterprise": answer.choices[0].message.content,
        "listed": [[each.id for each in each_key.models.list().data] for each_key in (enterprise, starter)],
        "starter": failure(lambda: spoofing.chat.completions.create(model=model, messages=hello), Exception)["status"],
    }


def removal(config):
    refused = failure(lambda: admin.configs.delete(slug=config.slug), exceptions.ConflictError)
    for each in admin.api_keys.list(workspace_id=workspace).data:
        admin.api_keys.delete(id=each["id"])
    admin.configs.delete(slug=config.slug)
    gone = failure(lambda: admin.configs.retrieve(slug=config.slug), exceptions.NotFoundError)
    return {"refused": refused["status"], "gone": gone["status"]}


guardrail, of_guardrails = guardrails()
config, of_configs = configs(guardrail)
tell(guardrails=of_guardrails, configs=of_configs, calls=calls(config), removal=removal(config))
