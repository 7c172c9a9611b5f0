"""What the data plane sees of a provider, put together from its rows: the only place where their secrets are opened."""

import json
from collections.abc import Sequence
from dataclasses import replace

from headgate.catalog.multiplier import Multipliers
from headgate.catalog.price import Price, Rates
from headgate.catalog.provider import ProviderSpec
from headgate.tenancy.integration import Integration, IntegrationModel, Provisioning
from headgate.tenancy.integrations import KnownProviders
from headgate.tenancy.limits import Zone
from headgate.tenancy.owner import allowances_of
from headgate.tenancy.policy import ModelAccess, Provider, Secret
from headgate.tenancy.provider import WorkspaceProvider
from headgate.tenancy.vault import Vault


class ProviderPolicies:
    """Holds nothing but the vault and the catalog."""

    def __init__(self, vault: Vault, providers: KnownProviders) -> None:
        self._vault = vault
        self._known = providers

    def reach(self, integration: Integration) -> tuple[str, Secret, tuple[tuple[str, str], ...]]:
        """Its base URL, its credential and the headers of its own. Raises `CannotOpen` as `of` does."""
        spec = self._known.provider(integration.kind)
        return (
            integration.base_url or (spec.base_url if spec else ""),
            Secret(self._open(integration.sealed_key, integration, integration.key_row)),
            self._headers(integration.sealed_headers, integration, integration.headers_row),
        )

    def of(
        self,
        provider: WorkspaceProvider,
        integration: Integration,
        provisioning: Provisioning,
        models: Sequence[IntegrationModel],
        zone: Zone,
    ) -> Provider:
        """Raises `CannotOpen` where a credential's master key is not here."""
        spec = self._known.provider(integration.kind)
        base_url, secret, headers = self.reach(integration)
        made = Provider(
            slug=provider.slug,
            integration_id=integration.id,
            kind=integration.kind,
            base_url=base_url,
            secret=secret,
            models=model_access(integration, models, spec),
            headers=headers,
            allowances=(
                *allowances_of(provisioning, zone, provider.slug),
                *allowances_of(provider, zone),
            ),
            expires_at=provider.expires_at,
            capacity=integration.capacity,
        )
        elsewhere = {
            model.slug: replace(
                made,
                base_url=model.base_url,
                # Whoever may say where a model lives must not learn a stored credential by it.
                secret=Secret(""),
                headers=self._headers(model.sealed_headers, integration, model.headers_row),
                capacity=None,
            )
            for model in models
            if model.base_url is not None
        }
        return replace(made, elsewhere=elsewhere) if elsewhere else made

    def _headers(self, sealed: bytes | None, integration: Integration, row: str) -> tuple[tuple[str, str], ...]:
        text = self._open(sealed, integration, row)
        return tuple((name, value) for name, value in json.loads(text)) if text else ()

    def _open(self, sealed: bytes | None, integration: Integration, row: str) -> str:
        return self._vault.open(sealed, integration.organization_id, row).decode() if sealed is not None else ""


def model_access(
    integration: Integration, models: Sequence[IntegrationModel], spec: ProviderSpec | None = None
) -> ModelAccess:
    """Allow-list, deny-list, and what an administrator says of prices."""
    prefixes = ("", *(spec.model_prefixes if spec is not None else ()))
    return ModelAccess(
        allow_all=integration.allow_all_models,
        enabled=frozenset(model.slug for model in models if model.enabled),
        disabled=frozenset(
            f"{prefix}{model.slug}".lower() for model in models if not model.enabled for prefix in prefixes
        ),
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
        bases={model.slug: model.base_model_slug for model in models if model.base_model_slug is not None},
        multipliers=Multipliers(integration.multipliers) if integration.multipliers else None,
    )
