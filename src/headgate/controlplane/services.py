"""What the routers stand on, handed in by the composition root."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from headgate.analytics.services import Analytics
from headgate.base.clock import Clock
from headgate.catalog.price import Price
from headgate.tenancy.alert_settings import AlertSettingService
from headgate.tenancy.api_keys import ApiKeyService
from headgate.tenancy.audit_log import AuditLogService
from headgate.tenancy.configs import ConfigService
from headgate.tenancy.guardrails import GuardrailService
from headgate.tenancy.idempotency import Idempotency
from headgate.tenancy.integrations import IntegrationService
from headgate.tenancy.invites import InviteService
from headgate.tenancy.limit_policies import LimitPolicyService
from headgate.tenancy.limit_policy_groups import PolicyGroups
from headgate.tenancy.members import MemberService
from headgate.tenancy.models import ModelService
from headgate.tenancy.organizations import OrganizationService
from headgate.tenancy.policy import Policy
from headgate.tenancy.providers import ProviderService
from headgate.tenancy.provisioning import ProvisioningService
from headgate.tenancy.standing import Standings
from headgate.tenancy.tenants import TenantService
from headgate.tenancy.users import UserService
from headgate.tenancy.virtual_keys import VirtualKeyService
from headgate.tenancy.webhooks import WebhookService
from headgate.tenancy.workspaces import WorkspaceService


class Directory(Protocol):
    """Policies by key; see `tenancy.directory`."""

    async def authenticate(self, text: str) -> Policy: ...


class ModelCatalog(Protocol):
    """Which models a provider is known to have, and what they cost at a moment."""

    def models(self, provider: str) -> Sequence[str]: ...

    def price(self, provider: str, model: str, at_ns: int) -> Price | None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """One of each."""

    clock: Clock
    directory: Directory
    catalog: ModelCatalog
    organizations: OrganizationService
    workspaces: WorkspaceService
    tenants: TenantService
    api_keys: ApiKeyService
    integrations: IntegrationService
    provisioning: ProvisioningService
    providers: ProviderService
    virtual_keys: VirtualKeyService
    models: ModelService
    webhooks: WebhookService
    alert_settings: AlertSettingService
    limit_policies: LimitPolicyService
    policy_groups: PolicyGroups
    configs: ConfigService
    guardrails: GuardrailService
    standings: Standings
    users: UserService
    members: MemberService
    invites: InviteService
    audit_log: AuditLogService
    idempotency: Idempotency
    analytics: Analytics
