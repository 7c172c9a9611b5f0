"""Which models of an integration may be used, and the administrator's own prices for them."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from headgate.base.errors import NotFound
from headgate.tenancy import pricing, rules
from headgate.tenancy.administration import Administration, Change
from headgate.tenancy.integration import Integration, IntegrationModel
from headgate.tenancy.principal import Principal
from headgate.tenancy.provisioning import existing_integration
from headgate.tenancy.stores import Stores


class ModelService:
    """Only the organization's keys. `fields` are the contract's."""

    def __init__(self, administration: Administration) -> None:
        self._administration = administration

    async def get(self, principal: Principal, reference: str) -> tuple[Integration, Sequence[IntegrationModel]]:
        """The integration, and the models something was said about."""
        principal.require_organization()

        def work(stores: Stores) -> tuple[Integration, Sequence[IntegrationModel]]:
            integration = existing_integration(stores, principal, reference)
            return integration, stores.integrations.models(integration.id)

        return await self._administration.transactions.read(work)

    async def update(self, principal: Principal, reference: str, fields: Mapping[str, Any]) -> None:
        """`allow_all_models` where it is sent; of `models` those that are named, the others stay as they are."""
        principal.require_organization()

        def work(change: Change) -> None:
            integration = existing_integration(change.stores, principal, reference)
            if fields.get("allow_all_models") is not None:
                integration = replace(integration, allow_all_models=fields["allow_all_models"], updated_at=change.now)
                change.stores.integrations.update(integration)
            for index, entry in enumerate(fields.get("models") or []):
                change.stores.integrations.save_model(_model(change, integration, entry, f"models[{index}]"))
            _finish(change, integration)

        await self._administration.change(principal, work)

    async def delete(self, principal: Principal, reference: str, slugs: Sequence[str]) -> None:
        """Forget what was said about these models. Raises `NotFound` naming the first that is not there."""
        principal.require_organization()

        def work(change: Change) -> None:
            integration = existing_integration(change.stores, principal, reference)
            known = {model.slug for model in change.stores.integrations.models(integration.id)}
            for slug in slugs:
                if slug not in known:
                    raise NotFound(f"The integration says nothing about a model `{slug[:100]}`.", param="slugs")
                change.stores.integrations.remove_model(integration.id, slug)
            _finish(change, integration)

        await self._administration.change(principal, work)


def _model(change: Change, integration: Integration, entry: Mapping[str, Any], param: str) -> IntegrationModel:
    base, prices = entry.get("base_model_slug"), entry.get("pricing_config")
    return IntegrationModel(
        integration_id=integration.id,
        slug=rules.name(entry.get("slug"), f"{param}.slug"),
        enabled=entry.get("enabled") is not False,
        is_custom=bool(entry.get("is_custom")),
        is_finetune=bool(entry.get("is_finetune")),
        base_model_slug=rules.name(base, f"{param}.base_model_slug") if base else None,
        rates=None if prices is None else pricing.rates(prices, f"{param}.pricing_config"),
        created_at=change.now,
        updated_at=change.now,
    )


def _finish(change: Change, integration: Integration) -> None:
    for provisioning in change.stores.integrations.provisionings(integration.id):
        change.touched.workspaces.add(provisioning.workspace_id)
    state = [
        {"slug": model.slug, "enabled": model.enabled, "rates": dict(model.rates) if model.rates is not None else None}
        for model in change.stores.integrations.models(integration.id)
    ]
    body = {"allow_all_models": integration.allow_all_models, "models": state}
    change.record("update", f"integration:{integration.id}", body)
