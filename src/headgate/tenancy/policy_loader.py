"""Puts policies together from what is stored."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from headgate.ledger.allowance import Allowance, Scope
from headgate.tenancy.admission import Rules, admission
from headgate.tenancy.api_key import ApiKey, KeyOwner
from headgate.tenancy.call_rules import NO_RULES, CallRules, call_rules
from headgate.tenancy.config import Config
from headgate.tenancy.guardrail import Guardrail
from headgate.tenancy.holder import holder_scopes
from headgate.tenancy.integration import Integration, IntegrationModel, Provisioning
from headgate.tenancy.integrations import KnownProviders
from headgate.tenancy.limit_policy import LimitPolicy
from headgate.tenancy.limits import Zone, allowances
from headgate.tenancy.model_names import ModelNames
from headgate.tenancy.organization import Organization
from headgate.tenancy.policy import Policy, Provider
from headgate.tenancy.prompt import Prompt
from headgate.tenancy.prompt_template import PromptTemplate, templates_of
from headgate.tenancy.provider import WorkspaceProvider
from headgate.tenancy.provider_policy import ProviderPolicies
from headgate.tenancy.routing_table import Document, routing_table
from headgate.tenancy.stores import Stores, Transactions
from headgate.tenancy.tenant import Tenant
from headgate.tenancy.tenant_policy import TenantPolicy
from headgate.tenancy.vault import Vault
from headgate.tenancy.workspace import Workspace


@dataclass(frozen=True, slots=True)
class KeyPart:
    """What belongs to one key. `version` is the count of changes it was read at."""

    version: int
    key: ApiKey
    tenant: Tenant | None
    zone: Zone


@dataclass(frozen=True, slots=True)
class WorkspacePart:
    """What all keys of a workspace share, made once for all of them."""

    version: int
    slug: str
    metadata: Mapping[str, str]
    providers: Mapping[str, Provider]
    allowances: tuple[Allowance, ...]
    limit_policies: tuple[LimitPolicy, ...]
    admission: Rules
    routing: tuple[Document, ...]
    """The parts of the routing table that organization and workspace hold."""
    rules: CallRules
    keeps_bodies: bool
    prompts: Mapping[str, PromptTemplate]


@dataclass(frozen=True, slots=True)
class _Stored:
    version: int
    organization: Organization
    workspace: Workspace
    providers: Sequence[tuple[WorkspaceProvider, Integration, Provisioning]]
    models: Mapping[str, Sequence[IntegrationModel]]
    limit_policies: Sequence[LimitPolicy]
    configs: Sequence[Config]
    guardrails: Sequence[Guardrail]
    prompts: Sequence[Prompt]


class PolicyLoader:
    """Reads from the stores; holds nothing."""

    def __init__(self, transactions: Transactions, vault: Vault, providers: KnownProviders) -> None:
        self._transactions = transactions
        self._providers = ProviderPolicies(vault, providers)

    async def version(self) -> int:
        return await self._transactions.read(lambda stores: stores.version())

    async def key(self, key_id: str, acting_for: str | None = None) -> KeyPart | None:
        """None: there is no such key, or it is revoked; or there is no such tenant in its workspace to act for."""

        def work(stores: Stores) -> KeyPart | None:
            key = stores.api_keys.get(key_id)
            if key is None or key.revoked_at is not None:
                return None
            if key.owner is KeyOwner.USER:
                allowed = holder_scopes(stores, key)
                if allowed is None:
                    return None
                key = replace(key, scopes=key.scopes & allowed)  # his role may have changed since the key was made
            reference = key.tenant_id or acting_for
            tenant = stores.tenants.get(key.organization_id, reference) if reference else None
            if acting_for is not None and (tenant is None or tenant.workspace_id != key.workspace_id):
                return None
            organization = stores.organizations.get(key.organization_id)
            assert organization is not None
            return KeyPart(stores.version(), key, tenant, organization.zone)

        return await self._transactions.read(work)

    async def guest(self, key: ApiKey) -> KeyPart | None:
        """As `key` for somebody who has shown another proof of who he is: of a tenant, or, where the key names none, of
        its workspace. None: there is no such tenant any more."""

        def work(stores: Stores) -> KeyPart | None:
            organization = stores.organizations.get(key.organization_id)
            if organization is None:
                return None
            if key.tenant_id is None:
                return KeyPart(stores.version(), key, None, organization.zone)
            tenant = stores.tenants.get(key.organization_id, key.tenant_id)
            if tenant is None or tenant.workspace_id != key.workspace_id:
                return None
            return KeyPart(stores.version(), key, tenant, organization.zone)

        return await self._transactions.read(work)

    async def workspace(self, organization_id: str, workspace_id: str) -> WorkspacePart | None:
        """None: the workspace is gone. Raises `CannotOpen` where a credential's master key is not here."""

        def work(stores: Stores) -> _Stored | None:
            organization = stores.organizations.get(organization_id)
            workspace = stores.workspaces.get(organization_id, workspace_id)
            if organization is None or workspace is None:
                return None
            providers = stores.providers.in_workspace(workspace.id)
            models = {integration.id: stores.integrations.models(integration.id) for _, integration, _ in providers}
            policies = stores.limit_policies.in_force(organization_id, workspace.id)
            configs = stores.configs.usable(organization_id, workspace.id)
            guardrails = stores.guardrails.usable(organization_id, workspace.id)
            prompts = stores.prompts.usable(organization_id, workspace.id)
            return _Stored(
                *(stores.version(), organization, workspace, providers, models, policies, configs, guardrails, prompts)
            )

        stored = await self._transactions.read(work)
        return None if stored is None else self._workspace_part(stored)

    def _workspace_part(self, stored: _Stored) -> WorkspacePart:
        organization, workspace, zone = stored.organization, stored.workspace, stored.organization.zone
        of_organization = Scope("organization", organization.id, organization.name)
        of_workspace = Scope("workspace", workspace.id, workspace.slug)
        return WorkspacePart(
            version=stored.version,
            slug=workspace.slug,
            metadata=dict(workspace.metadata),
            providers={
                each.slug: self._providers.of(each, integration, provisioning, stored.models[integration.id], zone)
                for each, integration, provisioning in stored.providers
            },
            allowances=(
                *_own(of_organization, organization, zone),
                *_own(of_workspace, workspace, zone),
            ),
            limit_policies=tuple(stored.limit_policies),
            admission={**organization.admission, **workspace.admission},
            routing=(organization.routing, workspace.routing),
            keeps_bodies=organization.keep_bodies_days is not None,
            rules=call_rules(organization, workspace, stored.configs, stored.guardrails),
            prompts=templates_of(stored.prompts),
        )


def tenant_policy(tenant: Tenant) -> TenantPolicy:
    """What of a tenant is neither allowance nor metadata nor admission."""
    return TenantPolicy(
        id=tenant.id,
        slug=tenant.slug,
        tier=tenant.tier,
        models=None if tenant.allowed_models is None else ModelNames(tenant.allowed_models),
        default_model=tenant.default_model,
        downgrade=tenant.downgrade,
        suspended=tenant.suspended,
        weight=tenant.weight,
    )


def policy_of(part: KeyPart, workspace: WorkspacePart | None) -> Policy:
    """One key's policy. Without a workspace (a key of the organization) it has no providers. Raises `Unavailable`
    where its config cannot be read."""
    key, tenant = part.key, part.tenant
    rules = workspace.rules if workspace else NO_RULES
    own = _own(Scope("api_key", key.id, key.name), key, part.zone)
    of_tenant: tuple[Allowance, ...] = ()
    if tenant is not None:
        of_tenant = _own(Scope("tenant", tenant.id, tenant.slug), tenant, part.zone)
    return Policy(
        organization_id=key.organization_id,
        workspace_id=key.workspace_id or "",
        workspace_slug=workspace.slug if workspace else "",
        key_id=key.id,
        key_name=key.name,
        scopes=key.scopes,
        providers=workspace.providers if workspace else {},
        tenant_id=tenant.id if tenant else None,
        tenant=tenant_policy(tenant) if tenant else None,
        user_id=key.user_id,
        metadata={
            **key.metadata,
            **(tenant.metadata if tenant else {}),
            **(workspace.metadata if workspace else {}),
        },
        allowances=(*(workspace.allowances if workspace else ()), *of_tenant, *own),
        limit_policies=workspace.limit_policies if workspace else (),
        zone=part.zone,
        admission=admission(workspace.admission if workspace else {}, tenant.admission if tenant else {}),
        routing=routing_table(*(workspace.routing if workspace else ()), tenant.routing if tenant else {}),
        keeps_bodies=workspace is not None and workspace.keeps_bodies,
        expires_at=key.expires_at,
        models=None if key.allowed_models is None else ModelNames(key.allowed_models),
        config=rules.config_of(key.config_id),
        configs=rules.configs,
        prompts=workspace.prompts if workspace else {},
        allow_config_override=key.allow_config_override and rules.allow_override,
        guardrails=rules.guards_of(key.config_id),
    )


def _own(scope: Scope, owner: Organization | Workspace | Tenant | ApiKey, zone: Zone) -> tuple[Allowance, ...]:
    return allowances(scope, owner.usage_limits, owner.rate_limits, zone=zone, usage_reset_at=owner.usage_reset_at)
