"""References to configs and guardrails: whether they are there to be referred to, and who refers to them.

What is referred to can be neither removed nor archived: calls would go on without it.
"""

from collections.abc import Iterator

from headgate.base.errors import Conflict, InvalidRequest
from headgate.tenancy import route_config, rules
from headgate.tenancy.config import Config
from headgate.tenancy.guardrail import Guardrail
from headgate.tenancy.guardrail_rules import built
from headgate.tenancy.organization import Organization
from headgate.tenancy.stores import Page, Stores
from headgate.tenancy.workspace import Workspace


def config_slug(
    stores: Stores, organization_id: str, workspace_id: str | None, value: object, param: str
) -> str | None:
    """The slug of the config that a slug or an id means. Raises `InvalidRequest` unless that workspace can use it."""
    if value is None:
        return None
    reference = rules.slug(value, param)
    config = stores.configs.get(organization_id, reference)
    if config is None or config.archived or config.workspace_id not in (None, workspace_id):
        raise InvalidRequest(f"`{param}`: there is no active config `{reference}` in this workspace.", param=param)
    return config.slug


def guardrail_ids(
    stores: Stores, organization_id: str, workspace_id: str | None, value: object, param: str
) -> tuple[str, ...]:
    """The ids of the guardrails that slugs or ids mean, in their order. Raises `InvalidRequest` unless each can be
    used there, and for one that checks models where answers are checked (`param` says which)."""
    found: dict[str, None] = {}
    for index, reference in enumerate(rules.texts(value, param, most=20)):
        guardrail = stores.guardrails.get(organization_id, reference)
        at = f"{param}[{index}]"
        if guardrail is None or guardrail.workspace_id not in (None, workspace_id):
            raise InvalidRequest(f"`{at}`: there is no guardrail `{reference[:100]}` to attach here.", param=at)
        if param.endswith("output_guardrails") and built(guardrail.checks)[0]:
            raise InvalidRequest(
                f"`{at}`: `{guardrail.slug}` checks which model is called; attach it to `input_guardrails`.", param=at
            )
        found[guardrail.id] = None
    return tuple(found)


def refuse_used_config(stores: Stores, config: Config) -> None:
    """Raises `Conflict` saying who has it as their default."""
    organization_id = config.organization_id
    keys = stores.api_keys.with_config(organization_id, config.slug)
    users = [f"{keys} API key{'s' if keys > 1 else ''}"] if keys else []
    users += [
        f"the workspace `{each.slug}`" for each in _workspaces(stores, organization_id) if each.config_id == config.slug
    ]
    if users:
        raise Conflict(f"The config `{config.slug}` is the default of {_listed(users)}. Give them another one first.")


def refuse_used_guardrail(stores: Stores, guardrail: Guardrail) -> None:
    """Raises `Conflict` saying who has it attached."""
    organization_id = guardrail.organization_id
    organization = stores.organizations.get(organization_id)
    users = ["the organization"] if organization is not None and _attaches(organization, guardrail) else []
    users += [
        f"the workspace `{each.slug}`" for each in _workspaces(stores, organization_id) if _attaches(each, guardrail)
    ]
    for config in stores.configs.find(organization_id, Page())[0]:
        if not {guardrail.id, guardrail.slug}.isdisjoint(route_config.parse(config.document).guardrails()):
            users.append(f"the config `{config.slug}`")
    if users:
        raise Conflict(f"The guardrail `{guardrail.slug}` is attached to {_listed(users)}. Detach it first.")


def _workspaces(stores: Stores, organization_id: str) -> Iterator[Workspace]:
    yield from stores.workspaces.find(organization_id, Page())[0]


def _attaches(owner: Organization | Workspace, guardrail: Guardrail) -> bool:
    return guardrail.id in owner.input_guardrails or guardrail.id in owner.output_guardrails


def _listed(users: list[str]) -> str:
    return ", ".join(users[:5]) + (f" and {len(users) - 5} more" if len(users) > 5 else "")
