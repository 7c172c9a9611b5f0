"""Providers, and virtual keys, as clients write and see them."""

from typing import Any

from pydantic import Field

from headgate.controlplane.bodies import RateLimits, UsageLimits
from headgate.controlplane.body import SECRET, STAYS, Body
from headgate.controlplane.limit_views import budgets
from headgate.controlplane.views import rate_limits
from headgate.tenancy.moments import to_iso
from headgate.tenancy.providers import Provided
from headgate.tenancy.standing import Budgets


class ProviderChange(Body):
    name: str | None = None
    note: str | None = None
    usage_limits: UsageLimits = None
    rate_limits: RateLimits = None
    usage_limits_list: UsageLimits = None
    rate_limits_list: RateLimits = None
    expires_at: str | None = Field(None, description="ISO 8601, in the future.")
    reset_usage: bool | None = None

    def sent(self) -> dict[str, Any]:
        return {name: value for name, value in super().sent().items() if name != "name" or value is not None}


class ProviderUpdate(ProviderChange):
    slug: str | None = Field(None, description="Cannot be changed.", json_schema_extra=STAYS)
    integration_id: str | None = Field(None, description="Cannot be changed.", json_schema_extra=STAYS)
    workspace_id: str | None = Field(None, description="Cannot be changed.", json_schema_extra=STAYS)


class NewProvider(ProviderChange):
    name: str
    integration_id: str = Field(description="Slug or id of an integration that the workspace has.")
    workspace_id: str | None = Field(None, description="Slug or id; needed with an admin key.")
    slug: str | None = Field(None, description="Models are addressed as `@slug/model`; made from `name` if absent.")


class VirtualKeyChange(ProviderChange):
    key: str | None = Field(
        None, description="The provider's credential; encrypted, and never shown again.", json_schema_extra=SECRET
    )
    apiVersion: str | None = Field(None, description="Not supported.")  # noqa: N815 - the contract's spelling
    resourceName: str | None = Field(None, description="Not supported.")  # noqa: N815
    deploymentName: str | None = Field(None, description="Not supported.")  # noqa: N815


class NewVirtualKey(VirtualKeyChange):
    name: str
    provider: str = Field(description="Its kind: `openai`, `anthropic` ...")
    workspace_id: str | None = Field(None, description="Slug or id; needed with an admin key.")
    slug: str | None = Field(None, description="Models are addressed as `@slug/model`; made from `name` if absent.")


def status(found: Provided, standing: Budgets, now: int) -> str:
    """`active`, `exhausted` (a budget of its own is) or `expired`."""
    if found[0].expired(now):
        return "expired"
    return "exhausted" if any(each.exhausted for each in standing) else "active"


def shown(found: Provided, standing: Budgets, now: int) -> dict[str, Any]:
    """As it is on its own. `usage_limits` is an object or null, as the SDK demands; all are in `usage_limits_list`."""
    provider, integration = found
    its_budgets = budgets(standing)
    return {
        "id": provider.id,
        "slug": provider.slug,
        "name": provider.name,
        "note": provider.note,
        "integration_id": integration.slug,
        "ai_provider_id": integration.kind,
        "workspace_id": provider.workspace_id,
        "status": status(found, standing, now),
        "usage_limits": its_budgets[0] if its_budgets else None,
        "usage_limits_list": its_budgets,
        "rate_limits": rate_limits(provider.rate_limits),
        "reset_usage": False,
        "expires_at": None if provider.expires_at is None else to_iso(provider.expires_at),
        "created_at": to_iso(provider.created_at),
        "last_updated_at": to_iso(provider.updated_at),
        "object": "provider",
    }


def listed(found: Provided, standing: Budgets, now: int) -> dict[str, Any]:
    """As it is in a list: there the SDK takes an object or null for `rate_limits`, on its own an array or null."""
    entry = shown(found, standing, now)
    rates = entry["rate_limits"]
    return entry | {"rate_limits": rates[0] if rates else None, "rate_limits_list": rates}


def virtual_key(found: Provided, standing: Budgets, now: int) -> dict[str, Any]:
    """The older noun's fields; of its credential no more than what it can be recognised by."""
    _, integration = found
    return shown(found, standing, now) | {
        "provider": integration.kind,
        "key": integration.masked_key,
        "object": "virtual-key",
    }
