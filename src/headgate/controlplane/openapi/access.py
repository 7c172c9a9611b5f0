"""How models are reached: integrations, what of them workspaces have, providers, models, configs, guardrails."""

from typing import Any, Literal

from pydantic import Field

from headgate.controlplane.openapi.shape import Budget, BudgetLimit, Document, Moment, Number, Rate, Shape


class IntegrationMade(Shape):
    id: str
    slug: str
    object: Literal["integration"]


class Integration(Shape):
    id: str
    organisation_id: str
    workspace_id: str | None
    type: Literal["organisation", "workspace"]
    ai_provider_id: str
    slug: str
    name: str
    description: str
    status: Literal["active"]
    created_at: Moment
    last_updated_at: Moment
    object: Literal["integration"]


class Configurations(Shape):
    """Of headers the names only."""

    custom_host: str | None
    custom_headers: dict[str, str]


class IntegrationConfigurations(Configurations):
    capacity: Document | None


class GlobalAccess(Shape):
    enabled: bool
    usage_limits: BudgetLimit | None
    rate_limits: Rate | None
    usage_limits_list: list[BudgetLimit]
    rate_limits_list: list[Rate]


class IntegrationDetail(Integration):
    masked_key: str | None
    configurations: IntegrationConfigurations
    allow_all_models: bool
    pricing_adjustments: Document | None
    global_workspace_access_settings: GlobalAccess
    workspace_count: int


class AccessGiven(Shape):
    id: str
    slug: str
    name: str
    enabled: bool
    usage_limits: Budget | None
    rate_limits: Rate | None
    usage_limits_list: list[Budget]
    rate_limits_list: list[Rate]
    created_at: Moment
    last_updated_at: Moment


class IntegrationWorkspaces(Shape):
    total: int
    workspaces: list[AccessGiven]
    global_workspace_access: GlobalAccess


class IntegrationModel(Shape):
    slug: str
    name: str
    enabled: bool
    is_custom: bool
    is_finetune: bool
    base_model_slug: str | None
    configurations: Configurations | None
    pricing_config: Document | None
    created_at: Moment | None = Field(None, description="Absent where no administrator said anything about the model.")
    last_updated_at: Moment | None = None


class IntegrationModels(Shape):
    total: int
    allow_all_models: bool
    models: list[IntegrationModel]


class Price(Shape):
    """In US cents per token."""

    id: str
    type: Literal["static"]
    pay_as_you_go: dict[str, Document]
    tiers: list[Document]
    variants: dict[str, Document]
    effective_from: Moment | None
    source: str
    currency: Literal["USD"]
    provider: str
    model: str


class ProviderNamed(Shape):
    id: str
    slug: str
    object: Literal["provider"] | None = None


class _Provider(Shape):
    id: str
    slug: str
    name: str
    note: str | None
    integration_id: str
    ai_provider_id: str
    workspace_id: str
    status: Literal["active", "exhausted", "expired"]
    usage_limits: Budget | None
    usage_limits_list: list[Budget]
    reset_usage: bool
    expires_at: Moment | None
    created_at: Moment
    last_updated_at: Moment


class Provider(_Provider):
    rate_limits: list[Rate]
    object: Literal["provider"]


class ProviderListed(_Provider):
    rate_limits: Rate | None = Field(description="The first one; all are in `rate_limits_list`.")
    rate_limits_list: list[Rate]
    object: Literal["provider"]


class VirtualKey(_Provider):
    provider: str
    key: str | None = Field(description="Masked.")
    rate_limits: list[Rate]
    object: Literal["virtual-key"]


class Named(Shape):
    id: str
    slug: str


class VirtualKeyMade(Named):
    success: Literal[True]
    data: Named


class VirtualKeyDetail(VirtualKey):
    success: Literal[True]
    data: VirtualKey


class _VersionNamed(Shape):
    id: str
    slug: str
    version_id: str


class ConfigNamed(_VersionNamed):
    object: Literal["config"]


class ConfigMade(ConfigNamed):
    success: Literal[True]
    data: ConfigNamed


class Config(_VersionNamed):
    name: str
    organisation_id: str
    workspace_id: str | None
    is_default: int
    status: Literal["active", "archived"]
    created_at: Moment
    last_updated_at: Moment
    object: Literal["config"]


class WholeConfig(Config):
    config: Document


class ConfigDetail(WholeConfig):
    success: Literal[True]
    data: WholeConfig


class PromptNamed(_VersionNamed):
    object: Literal["prompt"]


class PromptMade(PromptNamed):
    success: Literal[True]
    data: PromptNamed


class Prompt(_VersionNamed):
    name: str
    organisation_id: str
    workspace_id: str
    model: str | None
    created_at: Moment
    last_updated_at: Moment
    object: Literal["prompt"]


class WholePrompt(Prompt):
    messages: list[Document]
    parameters: Document
    variables: list[str]


class PromptDetail(WholePrompt):
    success: Literal[True]
    data: WholePrompt


class PromptRendered(Shape):
    """`data` is a chat request."""

    success: Literal[True]
    data: Document


class GuardrailNamed(_VersionNamed):
    object: Literal["guardrail"]


class GuardrailMade(GuardrailNamed):
    success: Literal[True]
    data: GuardrailNamed


class Guardrail(_VersionNamed):
    name: str
    organisation_id: str
    workspace_id: str | None
    status: Literal["active"]
    created_at: Moment
    last_updated_at: Moment
    object: Literal["guardrail"]


class WholeGuardrail(Guardrail):
    checks: list[Document]
    actions: Document


class GuardrailDetail(WholeGuardrail):
    success: Literal[True]
    data: WholeGuardrail


class _Version(Shape):
    id: str
    version_id: str
    version: int
    name: str
    created_by: str
    created_at: Moment
    object: Literal["version"]


class ConfigVersion(_Version):
    config: Document
    status: str


class GuardrailVersion(_Version):
    checks: list[Document]
    actions: Document


class Condition(Shape):
    key: str
    value: Any = Field(description="A text, or a list of them.")
    excludes: bool


class GroupKey(Shape):
    key: str


class _Policy(Shape):
    id: str
    name: str
    status: Literal["active"]
    organisation_id: str
    workspace_id: str | None
    conditions: list[Condition]
    group_by: list[GroupKey]
    created_at: Moment
    last_updated_at: Moment


class GroupUse(Shape):
    current_usage: Number
    held: Number
    remaining: Number
    status: Literal["active", "exhausted"]
    last_reset_at: Moment | None
    next_usage_reset_at: Moment | None


class UsagePolicy(_Policy, BudgetLimit):
    value_key_usage_map: dict[str, GroupUse] | None = Field(None, description="With `include_usage`.")
    object: Literal["policy_usage_limits"]


class RatePolicy(_Policy, Rate):
    value_key_usage_map: dict[str, GroupUse] | None = Field(None, description="With `include_usage`.")
    object: Literal["policy_rate_limits"]


class PolicyMade(Shape):
    id: str
    object: Literal["policy_usage_limits", "policy_rate_limits"]


class PolicyEntity(GroupUse):
    id: str
    policy_id: str
    value: str
    group: dict[str, str]
    object: Literal["policy_usage_limits_entity", "policy_rate_limits_entity"]
