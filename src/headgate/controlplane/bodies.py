"""Request bodies. Fields that are not known are ignored; the rules are the services', these give types and names."""

from typing import Annotated, Any

from pydantic import AliasChoices, BaseModel, ConfigDict, Field, WithJsonSchema

_NUMBER = {"type": "number", "minimum": 0}
_USAGE_LIMIT = {
    "type": "object",
    "required": ["credit_limit"],
    "properties": {
        "type": {"enum": ["cost", "tokens", "requests"], "default": "cost"},
        "credit_limit": {**_NUMBER, "description": "US dollars, tokens or requests; 0 blocks."},
        "alert_threshold": {**_NUMBER, "description": "An amount, as `credit_limit` is."},
        "periodic_reset": {"enum": ["daily", "weekly", "monthly"]},
        "periodic_reset_days": {"type": "integer", "minimum": 1, "maximum": 365},
    },
}
_RATE_LIMIT = {
    "type": "object",
    "required": ["type", "value"],
    "properties": {
        "type": {"enum": ["requests", "tokens", "input_tokens", "output_tokens", "in_flight"]},
        "unit": {"enum": ["rps", "rpm", "rph", "rpd", "rpw"], "description": "Not with `in_flight`."},
        "value": {"type": "integer", "minimum": 0, "description": "0 blocks."},
    },
}


def _one_or_many(schema: dict[str, Any]) -> WithJsonSchema:
    return WithJsonSchema({"anyOf": [schema, {"type": "array", "items": schema}, {"type": "null"}]})


# Read by `tenancy.limit_rules`, which names the very field that is wrong.
UsageLimits = Annotated[Any, _one_or_many(_USAGE_LIMIT)]
RateLimits = Annotated[Any, _one_or_many(_RATE_LIMIT)]
# Read by `tenancy.admission_rules`.
Admission = Annotated[
    Any,
    WithJsonSchema(
        {
            "type": ["object", "null"],
            "description": "What becomes of a call that does not fit. Takes the place of the rules before; a rule that "
            "is absent is inherited: tenant over workspace over organization.",
            "additionalProperties": False,
            "properties": {
                "clamp_min_output": {"type": ["integer", "null"], "minimum": 1},
                "hold_wait_ms": {"type": "integer", "minimum": 0, "maximum": 60_000},
                "streams": {"enum": ["strict", "adaptive"]},
                "first_hold_tokens": {"type": "integer", "minimum": 2_048},
                "unpriced": {"anyOf": [{"enum": ["refuse", "allow"]}, {"type": "object"}]},
            },
        }
    ),
]
Metadata = dict[str, Any] | None


class Body(BaseModel):
    """A JSON object."""

    model_config = ConfigDict(extra="ignore")

    def sent(self) -> dict[str, Any]:
        """Only what the caller sent: a field that is null is another thing than one that is absent."""
        return self.model_dump(exclude_unset=True)


class Defaults(Body):
    """What goes onto every call."""

    metadata: Metadata = None
    config_id: str | None = None
    allow_config_override: bool | None = None


class OrganisationChange(Body):
    name: str | None = None
    time_zone: str | None = Field(None, description="Where its days, weeks and months begin: an IANA name.")
    usage_limits: UsageLimits = None
    rate_limits: RateLimits = None
    reset_usage: bool | None = None
    admission: Admission = None

    def sent(self) -> dict[str, Any]:
        return {name: value for name, value in super().sent().items() if name != "name" or value is not None}


class WorkspaceChange(Body):
    name: str | None = None
    description: str | None = None
    defaults: Defaults | None = None
    usage_limits: UsageLimits = None
    rate_limits: RateLimits = None
    reset_usage: bool | None = None
    admission: Admission = None

    def sent(self) -> dict[str, Any]:
        # A client that is to keep the name sends it as null.
        return {name: value for name, value in super().sent().items() if name != "name" or value is not None}


class NewWorkspace(WorkspaceChange):
    name: str
    slug: str | None = None


class IntegrationChange(Body):
    name: str | None = None
    description: str | None = None
    key: str | None = Field(None, description="The provider's credential; encrypted, and never shown again.")
    configurations: dict[str, Any] | None = None

    def sent(self) -> dict[str, Any]:
        return {name: value for name, value in super().sent().items() if name != "name" or value is not None}


class NewIntegration(IntegrationChange):
    name: str
    ai_provider_id: str
    slug: str | None = None
    workspace_id: str | None = None
    create_default_provider: bool | None = None
    default_provider_slug: str | None = None


class GlobalWorkspaceAccess(Body):
    enabled: bool
    usage_limits: UsageLimits = None
    rate_limits: RateLimits = None


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
    base_model_slug: str | None = None
    pricing_config: dict[str, Any] | None = Field(None, description="Prices in US cents per token.")


class ModelsChange(Body):
    allow_all_models: bool | None = None
    models: list[ModelAccess] | None = None
