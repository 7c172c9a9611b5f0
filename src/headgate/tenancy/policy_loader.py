"""Puts policies together from what is stored. The only place where provider credentials are opened."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from headgate.catalog.price import Price, Rates
from headgate.ledger.allowance import Allowance, Scope
from headgate.tenancy.admission import Rules, admission
from headgate.tenancy.api_key import ApiKey
from headgate.tenancy.integration import Integration, IntegrationModel, ProviderName, Provisioning
from headgate.tenancy.integrations import KnownProviders
from headgate.tenancy.limit_policy import LimitPolicy
from headgate.tenancy.limits import allowances
from headgate.tenancy.organization import Organization
from headgate.tenancy.policy import ModelAccess, Policy, Provider, Secret
from headgate.tenancy.stores import Stores, Transactions
from headgate.tenancy.tenant import Tenant
from headgate.tenancy.vault import Vault
from headgate.tenancy.workspace import Workspace


@dataclass(frozen=True, slots=True)
class KeyPart:
    """What belongs to one key. `version` is the count of changes it was read at."""

    version: int
    key: ApiKey
    tenant: Tenant | None
    time_zone: str


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


@dataclass(frozen=True, slots=True)
class _Stored:
    version: int
    organization: Organization
    workspace: Workspace
    providers: Sequence[tuple[ProviderName, Integration, Provisioning]]
    models: Mapping[str, Sequence[IntegrationModel]]
    limit_policies: Sequence[LimitPolicy]


class PolicyLoader:
    """Reads from the stores; holds nothing."""

    def __init__(self, transactions: Transactions, vault: Vault, providers: KnownProviders) -> None:
        self._transactions = transactions
        self._vault = vault
        self._known = providers

    async def version(self) -> int:
        return await self._transactions.read(lambda stores: stores.version())

    async def key(self, key_id: str) -> KeyPart | None:
        """None: there is no such key, or it is revoked."""

        def work(stores: Stores) -> KeyPart | None:
            key = stores.api_keys.get(key_id)
            if key is None or key.revoked_at is not None:
                return None
            tenant = stores.tenants.get(key.organization_id, key.tenant_id) if key.tenant_id else None
            organization = stores.organizations.get(key.organization_id)
            assert organization is not None
            return KeyPart(stores.version(), key, tenant, organization.time_zone)

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
            return _Stored(stores.version(), organization, workspace, providers, models, policies)

        stored = await self._transactions.read(work)
        return None if stored is None else self._workspace_part(stored)

    def _workspace_part(self, stored: _Stored) -> WorkspacePart:
        organization, workspace, time_zone = stored.organization, stored.workspace, stored.organization.time_zone
        of_organization = Scope("organization", organization.id, organization.name)
        of_workspace = Scope("workspace", workspace.id, workspace.slug)
        return WorkspacePart(
            version=stored.version,
            slug=workspace.slug,
            metadata=dict(workspace.metadata),
            providers={
                name.slug: self._provider(name, integration, provisioning, stored.models[integration.id], time_zone)
                for name, integration, provisioning in stored.providers
            },
            allowances=(
                *_own(of_organization, organization, time_zone),
                *_own(of_workspace, workspace, time_zone),
            ),
            limit_policies=tuple(stored.limit_policies),
            admission={**organization.admission, **workspace.admission},
        )

    def _provider(
        self,
        name: ProviderName,
        integration: Integration,
        provisioning: Provisioning,
        models: Sequence[IntegrationModel],
        time_zone: str,
    ) -> Provider:
        spec = self._known.provider(integration.kind)
        scope = Scope("integration", f"{integration.id}:{provisioning.workspace_id}", name.slug)
        return Provider(
            slug=name.slug,
            integration_id=integration.id,
            kind=integration.kind,
            base_url=integration.base_url or (spec.base_url if spec else ""),
            secret=Secret(self._open(integration.sealed_key, integration, integration.key_row)),
            models=model_access(integration, models),
            headers=self._headers(integration),
            allowances=_own(scope, provisioning, time_zone),
        )

    def _headers(self, integration: Integration) -> tuple[tuple[str, str], ...]:
        text = self._open(integration.sealed_headers, integration, integration.headers_row)
        return tuple((name, value) for name, value in json.loads(text)) if text else ()

    def _open(self, sealed: bytes | None, integration: Integration, row: str) -> str:
        return self._vault.open(sealed, integration.organization_id, row).decode() if sealed is not None else ""


def model_access(integration: Integration, models: Sequence[IntegrationModel]) -> ModelAccess:
    """Allow-list, deny-list and the administrator's own prices."""
    return ModelAccess(
        allow_all=integration.allow_all_models,
        enabled=frozenset(model.slug for model in models if model.enabled),
        disabled=frozenset(model.slug for model in models if not model.enabled),
        prices={
            model.slug: Price(
                id=f"custom:{integration.id}:{model.slug}@{model.updated_at}",
                provider=integration.kind,
                model=model.slug,
                rates=Rates(dict(model.rates)),
                effective_from=model.updated_at,
                source="administrator",
            )
            for model in models
            if model.rates is not None
        },
    )


def policy_of(part: KeyPart, workspace: WorkspacePart | None) -> Policy:
    """One key's policy. Without a workspace (a key of the organization) it has no providers."""
    key, tenant = part.key, part.tenant
    own = _own(Scope("api_key", key.id, key.name), key, part.time_zone)
    of_tenant: tuple[Allowance, ...] = ()
    if tenant is not None:
        of_tenant = _own(Scope("tenant", tenant.id, tenant.slug), tenant, part.time_zone)
    return Policy(
        organization_id=key.organization_id,
        workspace_id=key.workspace_id or "",
        workspace_slug=workspace.slug if workspace else "",
        key_id=key.id,
        key_name=key.name,
        scopes=key.scopes,
        providers=workspace.providers if workspace else {},
        tenant_id=key.tenant_id,
        metadata={
            **key.metadata,
            **(tenant.metadata if tenant else {}),
            **(workspace.metadata if workspace else {}),
        },
        allowances=(*(workspace.allowances if workspace else ()), *of_tenant, *own),
        limit_policies=workspace.limit_policies if workspace else (),
        time_zone=part.time_zone,
        admission=admission(workspace.admission if workspace else {}, tenant.admission if tenant else {}),
        expires_at=key.expires_at,
    )


def _own(
    scope: Scope, owner: Organization | Workspace | Tenant | ApiKey | Provisioning, time_zone: str
) -> tuple[Allowance, ...]:
    return allowances(
        scope, owner.usage_limits, owner.rate_limits, time_zone=time_zone, usage_reset_at=owner.usage_reset_at
    )
