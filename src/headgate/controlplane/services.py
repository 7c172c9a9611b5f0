"""What the routers stand on, handed in by the composition root."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from headgate.analytics.services import Analytics
from headgate.base.clock import Clock
from headgate.catalog.catalog import Catalog
from headgate.catalog.model import ModelFacts
from headgate.catalog.price import Price
from headgate.catalog.provider import ProviderSpec
from headgate.catalog.table import Source
from headgate.controlplane.people_services import PeopleServices, people_services_on
from headgate.tenancy.administration import Administration
from headgate.tenancy.alert_settings import AlertSettingService
from headgate.tenancy.api_key import ApiKey
from headgate.tenancy.api_keys import ApiKeyService
from headgate.tenancy.audit_log import AuditLogService
from headgate.tenancy.cached_answers import CachedAnswerService, Forget
from headgate.tenancy.configs import ConfigService
from headgate.tenancy.credential_checks import CredentialCheckService, Fetch
from headgate.tenancy.envelope import Envelope
from headgate.tenancy.guardrails import GuardrailService
from headgate.tenancy.idempotency import Idempotency
from headgate.tenancy.integrations import CheckUrl, IntegrationService
from headgate.tenancy.limit_policies import LimitPolicyService
from headgate.tenancy.limit_policy_groups import PolicyGroups
from headgate.tenancy.models import ModelService
from headgate.tenancy.organizations import OrganizationService
from headgate.tenancy.policy import Policy
from headgate.tenancy.portal_keys import PortalKeyService
from headgate.tenancy.prompts import PromptService
from headgate.tenancy.providers import ProviderService
from headgate.tenancy.provisioning import ProvisioningService
from headgate.tenancy.sent_alerts import SentAlerts
from headgate.tenancy.sessions import Span
from headgate.tenancy.sign_on.issuer import Issuer
from headgate.tenancy.stand_ins import StandIns
from headgate.tenancy.standing import Balances, Standings
from headgate.tenancy.system import Machine, SystemService
from headgate.tenancy.tenants import TenantService
from headgate.tenancy.tickets import Tickets
from headgate.tenancy.vault import Vault
from headgate.tenancy.virtual_keys import VirtualKeyService
from headgate.tenancy.webhooks import CheckUrl as CheckWebhook
from headgate.tenancy.webhooks import WebhookService
from headgate.tenancy.workspaces import WorkspaceService


class Directory(Protocol):
    """Policies by key; see `tenancy.directory`."""

    async def authenticate(self, text: str) -> Policy: ...
    async def vouched(self, key_id: str, digest: bytes) -> Policy: ...
    async def guest(self, key: ApiKey) -> Policy: ...


class ModelCatalog(Protocol):
    """Which providers and models are known, and what they cost at a moment; see `catalog.catalog`."""

    @property
    def as_of(self) -> str: ...
    @property
    def sources(self) -> Sequence[Source]: ...

    def provider(self, name: str) -> ProviderSpec | None: ...

    def providers(self) -> Sequence[ProviderSpec]: ...

    def model(self, provider: str, model: str) -> ModelFacts | None: ...

    def prices(self, provider: str, model: str) -> Sequence[Price]: ...

    def models(self, provider: str) -> Sequence[str]: ...

    def price(self, provider: str, model: str, at_ns: int) -> Price | None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Services(PeopleServices):
    """One of each, and those that are about people."""

    clock: Clock
    directory: Directory
    catalog: ModelCatalog
    organizations: OrganizationService
    workspaces: WorkspaceService
    tenants: TenantService
    api_keys: ApiKeyService
    integrations: IntegrationService
    credential_checks: CredentialCheckService
    provisioning: ProvisioningService
    providers: ProviderService
    virtual_keys: VirtualKeyService
    models: ModelService
    webhooks: WebhookService
    alert_settings: AlertSettingService
    sent_alerts: SentAlerts
    limit_policies: LimitPolicyService
    policy_groups: PolicyGroups
    configs: ConfigService
    prompts: PromptService
    guardrails: GuardrailService
    standings: Standings
    portal_keys: PortalKeyService
    audit_log: AuditLogService
    idempotency: Idempotency
    cached_answers: CachedAnswerService
    stand_ins: StandIns
    system: SystemService
    analytics: Analytics


def services_on(
    administration: Administration,
    directory: Directory,
    catalog: Catalog,
    vault: Vault,
    pepper: bytes,
    balances: Balances,
    analytics: Analytics,
    *,
    url: str,
    check_url: CheckUrl,
    check_webhook: CheckWebhook,
    fetch: Fetch,
    forget_answers: Forget,
    span: Span,
    machine: Machine,
    envelope: Envelope | None = None,
    issuer: Issuer | None = None,
) -> Services:
    """All of them on one administration. `url` is where people reach Headgate; `span` how long they stay signed in.
    With an `envelope` invites go out as letters, with an `issuer` there is single sign-on."""
    transactions, clock = administration.transactions, administration.clock
    integrations = IntegrationService(administration, vault, catalog, check_url)
    api_keys = ApiKeyService(administration, pepper)
    people = people_services_on(administration, directory, vault, pepper, url, span, envelope, issuer)
    return Services(
        **people.by_name(),
        clock=clock,
        directory=directory,
        catalog=catalog,
        organizations=OrganizationService(administration),
        workspaces=WorkspaceService(administration),
        tenants=TenantService(administration),
        api_keys=api_keys,
        integrations=integrations,
        credential_checks=CredentialCheckService(administration, vault, catalog, fetch),
        provisioning=ProvisioningService(administration),
        providers=ProviderService(administration),
        virtual_keys=VirtualKeyService(administration, integrations),
        models=ModelService(administration, vault, catalog, check_url),
        webhooks=WebhookService(administration, vault, check_webhook),
        alert_settings=AlertSettingService(administration),
        sent_alerts=SentAlerts(transactions),
        limit_policies=LimitPolicyService(administration),
        policy_groups=PolicyGroups(administration, balances),
        configs=ConfigService(administration),
        prompts=PromptService(administration),
        guardrails=GuardrailService(administration),
        standings=Standings(transactions, balances, clock),
        portal_keys=PortalKeyService(api_keys),
        audit_log=AuditLogService(transactions, Tickets(pepper, clock)),
        idempotency=Idempotency(transactions, vault, clock),
        cached_answers=CachedAnswerService(administration, forget_answers),
        stand_ins=StandIns(administration, directory),
        system=SystemService(machine),
        analytics=analytics,
    )
