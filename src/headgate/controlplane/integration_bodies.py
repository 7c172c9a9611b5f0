"""Integrations, and what of them workspaces and models get, as clients write them."""

from typing import Any

from pydantic import AliasChoices, Field

from headgate.controlplane.bodies import RateLimits, UsageLimits
from headgate.controlplane.body import SECRET, STAYS, Body, Reference

_PRICES = {
    "type": "static",
    "pay_as_you_go": {"request_token": {"price": 0.00025}, "response_token": {"price": 0.001}},
}


class IntegrationChange(Body):
    name: str | None = None
    description: str | None = None
    key: str | None = Field(
        None, description="The provider's credential; encrypted, and never shown again.", json_schema_extra=SECRET
    )
    configurations: dict[str, Any] | None = Field(
        None,
        description="`custom_host` (with the version path), `custom_headers`, `openai_organization`, `openai_project`, "
        "`capacity`.",
        json_schema_extra=SECRET,
    )
    pricing_adjustments: dict[str, Any] | None = Field(
        None,
        description="`multiplier`: what prices are multiplied by, by what is priced and under `default`.",
        examples=[{"multiplier": {"default": 1.2, "response_token": 1.5}}],
    )
    secret_mappings: list[Any] | None = Field(None, description="Not supported: send `key`.")
    slug: str | None = Field(None, description="Cannot be changed.", json_schema_extra=STAYS)
    ai_provider_id: str | None = Field(None, description="Cannot be changed.", json_schema_extra=STAYS)
    workspace_id: str | None = Field(None, description="Cannot be changed.", json_schema_extra=STAYS)

    def sent(self) -> dict[str, Any]:
        return {name: value for name, value in super().sent().items() if name != "name" or value is not None}


class NewIntegration(IntegrationChange):
    name: str
    ai_provider_id: str = Field(description="The provider's kind: `openai`, `anthropic` ...")
    slug: str | None = None
    workspace_id: Reference | None = Field(None, description="Slug or id, for one of that workspace only.")
    create_default_provider: bool | None = None
    default_provider_slug: str | None = None


class GlobalWorkspaceAccess(Body):
    enabled: bool
    usage_limits: UsageLimits = None
    rate_limits: RateLimits = None
    usage_limits_list: UsageLimits = None
    rate_limits_list: RateLimits = None


class WorkspaceAccess(GlobalWorkspaceAccess):
    id: str = Field(description="Slug or id of the workspace.")
    reset_usage: bool | None = None
    create_default_provider: bool | None = None
    default_provider_slug: str | None = None


class ProvisioningChange(Body):
    workspaces: list[WorkspaceAccess] | None = None
    global_workspace_access: GlobalWorkspaceAccess | None = None
    override_existing_workspace_access: bool | None = Field(
        None,
        # The SDK and the published API differ by one letter.
        validation_alias=AliasChoices("override_existing_workspace_access", "override_existing_workspaces_access"),
    )
    create_default_provider: bool | None = None
    default_provider_slug: str | None = None


class ModelAccess(Body):
    slug: str
    enabled: bool
    is_custom: bool | None = None
    is_finetune: bool | None = None
    base_model_slug: str | None = Field(None, description="The model whose price and limits it has, without its own.")
    configurations: dict[str, Any] | None = Field(
        None,
        description="For models of your own: `custom_host`, to which the integration's credential is not sent, and "
        "`custom_headers`.",
        json_schema_extra=SECRET,
    )
    pricing_config: dict[str, Any] | None = Field(None, description="Prices in US cents per token.", examples=[_PRICES])


class ModelsChange(Body):
    allow_all_models: bool | None = None
    models: list[ModelAccess] | None = None
