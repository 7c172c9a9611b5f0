"""What can be declared: each noun, how one of it is told from another, and where the server has it."""

from dataclasses import dataclass
from typing import Final

from pydantic import Field

from headgate.controlplane.alert_bodies import NewWebhook, WebhookChange
from headgate.controlplane.bodies import NewWorkspace, OrganisationChange, WorkspaceChange
from headgate.controlplane.body import STAYS, Body
from headgate.controlplane.config_bodies import ConfigChange, GuardrailChange, NewConfig, NewGuardrail
from headgate.controlplane.integration_bodies import (
    GlobalWorkspaceAccess,
    IntegrationChange,
    ModelAccess,
    NewIntegration,
    WorkspaceAccess,
)
from headgate.controlplane.key_bodies import KeyChange, NewKey
from headgate.controlplane.limit_policy_bodies import NewRatePolicy, NewUsagePolicy, RatePolicyChange, UsagePolicyChange
from headgate.controlplane.people_bodies import NewInvite
from headgate.controlplane.provider_bodies import NewProvider, ProviderChange
from headgate.controlplane.tenant_bodies import NewTenant, TenantChange

ACTS: Final = frozenset(
    (
        *("reset_usage", "reset_usage_for_value", "rotate_secret", "secret_mappings", "type", "users"),
        *("override_existing", "usage_limits_list", "rate_limits_list"),
    )
)
"""Fields of bodies that do something, once, or say again what another says, and so declare nothing."""


class DeclaredIntegration(NewIntegration):
    """With what models and workspaces have of it, in one place."""

    allow_all_models: bool | None = None
    models: list[ModelAccess] | None = None
    workspaces: list[WorkspaceAccess] | None = None
    global_workspace_access: GlobalWorkspaceAccess | None = None


class DeclaredWorkspace(NewWorkspace):
    slug: str


class DeclaredTenant(NewTenant):
    tenant_id: str
    workspace_id: str | None = Field(None, description="Slug.")


@dataclass(frozen=True, slots=True)
class Kind:
    """`named_by` are the fields by which one is told from another. What `body` has and `change` has not, or not to
    change it, is settled when it is made."""

    section: str
    noun: str
    path: str
    body: type[Body]
    change: type[Body]
    named_by: tuple[str, ...]

    @property
    def fields(self) -> frozenset[str]:
        """All that can be declared."""
        kept = ACTS - {"type"} if self.section.startswith("policies.") else ACTS
        return frozenset(self.body.model_fields) - kept

    @property
    def fixed(self) -> frozenset[str]:
        """What cannot be changed later."""
        changed = (name for name, each in self.change.model_fields.items() if each.json_schema_extra != STAYS)
        return self.fields - frozenset(changed)


ORGANISATION: Final = Kind(
    "organisation", "organisation", "/admin/organisation", OrganisationChange, OrganisationChange, ()
)
WORKSPACES: Final = Kind("workspaces", "workspace", "/admin/workspaces", DeclaredWorkspace, WorkspaceChange, ("slug",))
INTEGRATIONS: Final = Kind(
    "integrations", "integration", "/integrations", DeclaredIntegration, IntegrationChange, ("slug",)
)
PROVIDERS: Final = Kind("providers", "provider", "/providers", NewProvider, ProviderChange, ("workspace_id", "slug"))
GUARDRAILS: Final = Kind(
    "guardrails", "guardrail", "/guardrails", NewGuardrail, GuardrailChange, ("workspace_id", "name")
)
CONFIGS: Final = Kind("configs", "config", "/configs", NewConfig, ConfigChange, ("workspace_id", "name"))
TENANTS: Final = Kind("tenants", "tenant", "/admin/tenants", DeclaredTenant, TenantChange, ("tenant_id",))
USERS: Final = Kind("users", "user", "/admin/users", NewInvite, NewInvite, ("email",))
KEYS: Final = Kind("keys", "key", "/api-keys", NewKey, KeyChange, ("workspace_id", "name"))
USAGE_POLICIES: Final = Kind(
    "policies.usage_limits",
    "usage policy",
    "/policies/usage-limits",
    NewUsagePolicy,
    UsagePolicyChange,
    ("workspace_id", "name"),
)
RATE_POLICIES: Final = Kind(
    "policies.rate_limits",
    "rate policy",
    "/policies/rate-limits",
    NewRatePolicy,
    RatePolicyChange,
    ("workspace_id", "name"),
)
WEBHOOKS: Final = Kind(
    "webhooks", "webhook", "/admin/webhooks", NewWebhook, WebhookChange, ("url", "workspace_id", "tenant_id")
)
KINDS: Final = (
    ORGANISATION,
    WORKSPACES,
    INTEGRATIONS,
    PROVIDERS,
    GUARDRAILS,
    CONFIGS,
    TENANTS,
    USERS,
    KEYS,
    USAGE_POLICIES,
    RATE_POLICIES,
    WEBHOOKS,
)
"""In the order in which one may refer to another."""
REQUIRED: Final = {INTEGRATIONS: ("slug",), PROVIDERS: ("slug", "workspace_id"), TENANTS: ("workspace_id",)}
"""Besides what the server itself requires: what tells one from another."""
