"""Request bodies. Fields that are not known are ignored; the rules are the services', these give types and names."""

from typing import Annotated, Any

from pydantic import Field, WithJsonSchema

from headgate.controlplane.body import Body as Body
from headgate.controlplane.portal_bodies import Portal, PortalOrigins

_NUMBER = {"type": "number", "minimum": 0}
_USAGE_LIMIT = {
    "type": "object",
    "required": ["credit_limit"],
    "properties": {
        "type": {"enum": ["cost", "tokens", "requests"], "default": "cost"},
        "credit_limit": {**_NUMBER, "description": "US dollars, tokens or requests; 0 blocks."},
        "alert_threshold": {**_NUMBER, "description": "An amount, as `credit_limit` is."},
        "alert_thresholds": {
            "type": ["array", "null"],
            "items": {"type": "integer", "minimum": 1, "maximum": 100},
            "description": "Percents of `credit_limit` that are worth an alert; null: the workspace's.",
        },
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
# Read by `tenancy.routing_table_rules`.
RoutingTable = Annotated[
    Any,
    WithJsonSchema(
        {
            "anyOf": [{"type": "object"}, {"type": "null"}],
            "description": "Where calls go that ask for `auto`. `tiers`: tier -> {simple, complex} -> model; "
            "`default_tier`; `complexity`: length, keywords, tools, images.",
        }
    ),
]
Metadata = dict[str, Any] | None


class Defaults(Body):
    """What goes onto every call."""

    metadata: Metadata = None
    config_id: str | None = None
    allow_config_override: bool | None = None


class GuardrailDefaults(Body):
    """What every call is checked with; guardrails by id or slug, in this order."""

    input_guardrails: list[str] | None = Field(None, description="Before a call is sent.")
    output_guardrails: list[str] | None = Field(None, description="Before an answer is passed on.")


class WorkspaceDefaults(Defaults, GuardrailDefaults):
    """What goes onto every call of the workspace."""


class OrganisationChange(Body):
    name: str | None = None
    time_zone: str | None = Field(None, description="Where its days, weeks and months begin: an IANA name.")
    usage_limits: UsageLimits = None
    rate_limits: RateLimits = None
    reset_usage: bool | None = None
    admission: Admission = None
    routing_table: RoutingTable = None
    defaults: GuardrailDefaults | None = Field(None, description="Of every call.")
    log_bodies: dict[str, Any] | None = Field(
        None,
        description="Keep what calls say and are answered, encrypted; null: never.",
        examples=[{"retention_days": 30}],
    )
    portal_origins: PortalOrigins = None
    require_second_factor: bool | None = Field(
        None, description="Of users who sign in with a password; who has none sets one up after it."
    )
    api_key_metadata_schema: dict[str, Any] | None = Field(
        None, description="JSON Schema, draft 7: what the metadata of workspaces' keys must be."
    )
    workspace_metadata_schema: dict[str, Any] | None = Field(None, description="The same for workspaces.")

    def sent(self) -> dict[str, Any]:
        return {name: value for name, value in super().sent().items() if name != "name" or value is not None}


class WorkspaceChange(Body):
    name: str | None = None
    description: str | None = None
    defaults: WorkspaceDefaults | None = None
    usage_limits: UsageLimits = None
    rate_limits: RateLimits = None
    reset_usage: bool | None = None
    admission: Admission = None
    routing_table: RoutingTable = None
    portal: Portal = None

    def sent(self) -> dict[str, Any]:
        # A client that is to keep the name sends it as null.
        return {name: value for name, value in super().sent().items() if name != "name" or value is not None}


class NewWorkspace(WorkspaceChange):
    name: str
    slug: str | None = None
    users: list[str] | None = Field(None, description="Ids of users who become members.")
