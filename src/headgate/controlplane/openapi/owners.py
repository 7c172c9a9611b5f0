"""The organization and what it holds: workspaces, tenants, keys, and people."""

from typing import Literal

from pydantic import Field

from headgate.controlplane.openapi.portal import PortalRules
from headgate.controlplane.openapi.shape import Budget, Document, Metadata, Moment, Number, Rate, Shape


class Guardrails(Shape):
    input_guardrails: list[str]
    output_guardrails: list[str]


class Organisation(Shape):
    id: str
    name: str
    time_zone: str
    defaults: Guardrails
    log_bodies: Document | None
    portal_origins: list[str]
    require_second_factor: bool
    api_key_metadata_schema: Document | None
    workspace_metadata_schema: Document | None
    usage_limits: list[Budget]
    rate_limits: list[Rate]
    admission: Document
    routing_table: Document
    created_at: Moment
    last_updated_at: Moment
    object: Literal["organisation"]


class KeySettings(Shape):
    metadata: Metadata
    config_id: str | None
    allow_config_override: bool


class WorkspaceSettings(KeySettings, Guardrails):
    pass


class Workspace(Shape):
    id: str
    slug: str
    name: str
    description: str
    is_default: bool
    defaults: WorkspaceSettings
    usage_limits: list[Budget]
    rate_limits: list[Rate]
    admission: Document
    routing_table: Document
    portal: PortalRules
    created_at: Moment
    last_updated_at: Moment
    object: Literal["workspace"]


class Member(Shape):
    id: str
    email: str
    first_name: str
    last_name: str
    org_role: str
    role: str
    status: Literal["active"]
    scopes: list[str]
    workspace_id: str
    created_at: Moment
    last_updated_at: Moment
    object: Literal["workspace-user"]


class WorkspaceDetail(Workspace):
    users: list[Member]


class Tenant(Shape):
    id: str
    tenant_id: str
    name: str
    workspace_id: str
    tier: str | None
    weight: Number
    allowed_models: list[str] | None
    default_model: str | None
    max_requests_per_minute: int | None
    max_tokens_per_day: int | None
    monthly_budget_usd: Number | None
    current_spend_usd: Number
    remaining_budget_usd: Number | None
    budget_resets_at: Moment | None
    usage_limits: list[Budget]
    rate_limits: list[Rate]
    downgrade: Document | None
    status: Literal["active", "suspended"]
    metadata: Metadata
    admission: Document
    routing_table: Document
    portal: PortalRules
    created_at: Moment
    last_updated_at: Moment
    object: Literal["tenant"]


class RotationTerms(Shape):
    rotation_period: Literal["weekly", "monthly"] | None
    rotation_period_days: int | None
    next_rotation_at: Moment | None
    key_transition_period_ms: int


class ApiKey(Shape):
    """Masked: the key itself is shown once, to whoever made it."""

    id: str
    key: str
    name: str
    description: str
    type: Literal["organisation-service", "organisation-user", "workspace-service", "workspace-user"]
    organisation_id: str
    workspace_id: str | None
    tenant_id: str | None
    user_id: str | None
    status: Literal["active", "exhausted", "expired"]
    scopes: list[str]
    defaults: KeySettings
    usage_limits: Budget | None
    usage_limits_list: list[Budget]
    rate_limits: list[Rate]
    reset_usage: bool
    alert_emails: list[str]
    allowed_models: list[str] | None
    expires_at: Moment | None
    last_reset_at: Moment | None
    rotation_policy: RotationTerms | None
    last_rotated_at: Moment | None
    key_transition_expires_at: Moment | None
    creation_mode: Literal["api"]
    created_at: Moment
    last_updated_at: Moment
    object: Literal["api-key"]


class MintedKey(Shape):
    """`key` is shown this once."""

    id: str
    key: str
    object: Literal["api-key"]


class RotatedKey(MintedKey):
    key_transition_expires_at: Moment | None


class User(Shape):
    id: str
    email: str
    first_name: str
    last_name: str
    role: Literal["owner", "admin", "member"]
    workspace_ids: list[str]
    created_at: Moment
    last_updated_at: Moment
    object: Literal["user"]


class MemberKey(MintedKey):
    workspace_id: str


class JoinedUser(User):
    api_keys: list[MemberKey]


class Place(Shape):
    id: str
    role: str


class Invite(Shape):
    id: str
    email: str
    role: str
    status: Literal["pending", "accepted", "cancelled", "expired"]
    workspaces: list[Place]
    tenants: list[Place]
    workspace_api_key_details: Document | None
    invited_by: str | None
    user_id: str | None
    created_at: Moment
    last_updated_at: Moment
    expires_at: Moment
    accepted_at: Moment | None
    object: Literal["organisation-user-invite"]


class InviteLink(Shape):
    """`invite_link` is shown this once."""

    id: str
    invite_link: str
    mailed: bool = Field(description="Whether it is sent to them as a letter, too.")
    object: Literal["organisation-user-invite"]
