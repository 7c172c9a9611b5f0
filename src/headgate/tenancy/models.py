"""Which models of an integration may be used, the administrator's own prices for them, and where they live."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Protocol

from headgate.base.errors import InvalidRequest, NotFound
from headgate.catalog.model import ModelFacts
from headgate.tenancy import pricing, rules
from headgate.tenancy.administration import Administration, Change
from headgate.tenancy.headers import extra_headers, sealed_headers
from headgate.tenancy.integration import Integration, IntegrationModel
from headgate.tenancy.integration_access import visible_integration
from headgate.tenancy.integrations import CheckUrl
from headgate.tenancy.principal import Principal
from headgate.tenancy.stores import Stores
from headgate.tenancy.vault import Vault


class KnownModels(Protocol):
    """The catalog, as far as it is needed here."""

    def model(self, provider: str, model: str) -> ModelFacts | None: ...


class ModelService:
    """Whoever may see and change the integration. `fields` are the contract's."""

    def __init__(self, administration: Administration, vault: Vault, catalog: KnownModels, check_url: CheckUrl) -> None:
        self._administration = administration
        self._vault = vault
        self._catalog = catalog
        self._check_url = check_url

    async def get(self, principal: Principal, reference: str) -> tuple[Integration, Sequence[IntegrationModel]]:
        """The integration, and the models something was said about."""

        def work(stores: Stores) -> tuple[Integration, Sequence[IntegrationModel]]:
            integration = visible_integration(stores, principal, reference, "read")
            return integration, stores.integrations.models(integration.id)

        return await self._administration.transactions.read(work)

    async def update(self, principal: Principal, reference: str, fields: Mapping[str, Any]) -> None:
        """`allow_all_models` where it is sent; of `models` those that are named, the others stay as they are."""

        def work(change: Change) -> None:
            integration = visible_integration(change.stores, principal, reference, "update")
            if fields.get("allow_all_models") is not None:
                integration = replace(integration, allow_all_models=fields["allow_all_models"], updated_at=change.now)
                change.stores.integrations.update(integration)
            known = {model.slug: model for model in change.stores.integrations.models(integration.id)}
            for index, entry in enumerate(fields.get("models") or []):
                model = self._model(change, integration, entry, f"models[{index}]")
                if (before := known.get(model.slug)) is not None:
                    model = replace(model, created_at=before.created_at)
                known[model.slug] = model
                change.stores.integrations.save_model(model)
            self._refuse_unknown_bases(integration, known, fields.get("models") or [])
            _finish(change, integration)

        await self._administration.change(principal, work)

    async def switch(self, principal: Principal, reference: str, slug: str, *, enabled: bool) -> None:
        """Allow one model or not; what else was said about it, its price and its address, stays."""

        def work(change: Change) -> None:
            integration = visible_integration(change.stores, principal, reference, "update")
            known = {model.slug: model for model in change.stores.integrations.models(integration.id)}
            before = known.get(slug) or IntegrationModel(
                integration_id=integration.id,
                slug=rules.name(slug, "slug"),
                enabled=enabled,
                created_at=change.now,
                updated_at=change.now,
            )
            change.stores.integrations.save_model(replace(before, enabled=enabled, updated_at=change.now))
            _finish(change, integration)

        await self._administration.change(principal, work)

    async def delete(self, principal: Principal, reference: str, slugs: Sequence[str]) -> None:
        """Forget what was said about these models. Raises `NotFound` naming the first that is not there."""

        def work(change: Change) -> None:
            integration = visible_integration(change.stores, principal, reference, "update")
            known = {model.slug for model in change.stores.integrations.models(integration.id)}
            for slug in slugs:
                if slug not in known:
                    raise NotFound(f"The integration says nothing about a model `{slug[:100]}`.", param="slugs")
                change.stores.integrations.remove_model(integration.id, slug)
            _finish(change, integration)

        await self._administration.change(principal, work)

    def _model(
        self, change: Change, integration: Integration, entry: Mapping[str, Any], param: str
    ) -> IntegrationModel:
        base, prices = entry.get("base_model_slug"), entry.get("pricing_config")
        configurations = entry.get("configurations") or {}
        if base or prices is not None:
            change.principal.require_organization()  # prices decide over budgets that are not the workspace's to set
        if configurations:
            change.principal.require_organization()  # an address says which network the gateway reaches into
        model = IntegrationModel(
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
        return self._placed(integration, model, configurations, f"{param}.configurations")

    def _placed(
        self, integration: Integration, model: IntegrationModel, given: Mapping[str, Any], param: str
    ) -> IntegrationModel:
        """With an address of its own, to which the integration's credential does not go."""
        if not given:
            return model
        if not (model.is_custom or model.is_finetune):
            raise InvalidRequest(
                f"`{param}` goes with a model of your own: send `is_custom` or `is_finetune`.", param=param
            )
        headers = extra_headers(given, param, ("custom_host", "custom_headers"))
        if not given.get("custom_host"):
            raise InvalidRequest(
                f"`{param}.custom_host` is missing: where does the model live?", param=f"{param}.custom_host"
            )
        host = rules.name(given["custom_host"], f"{param}.custom_host")
        return replace(
            model,
            base_url=self._check_url(host, f"{param}.custom_host"),
            sealed_headers=sealed_headers(self._vault, headers, integration.organization_id, model.headers_row),
            header_names=tuple(name for name, _ in headers or ()),
        )

    def _refuse_unknown_bases(
        self, integration: Integration, known: Mapping[str, IntegrationModel], entries: Sequence[Mapping[str, Any]]
    ) -> None:
        for index, entry in enumerate(entries):
            base = entry.get("base_model_slug")
            priced = known.get(base) if base else None
            if base and priced is None and self._catalog.model(integration.kind, base) is None:
                raise InvalidRequest(
                    f"`models[{index}].base_model_slug`: {integration.kind} is not known to have a model "
                    f"`{str(base)[:100]}`. Name one of its models, or leave it out and send `pricing_config`.",
                    param=f"models[{index}].base_model_slug",
                )


def _finish(change: Change, integration: Integration) -> None:
    for provisioning in change.stores.integrations.provisionings(integration.id):
        change.touched.workspaces.add(provisioning.workspace_id)
    state = [_seen(model) for model in change.stores.integrations.models(integration.id)]
    body = {"allow_all_models": integration.allow_all_models, "models": state}
    change.record("update", f"integration:{integration.id}", body)


def _seen(model: IntegrationModel) -> dict[str, Any]:
    return {
        "slug": model.slug,
        "enabled": model.enabled,
        "rates": None if model.rates is None else dict(model.rates),
        "base_model_slug": model.base_model_slug,
        "custom_host": model.base_url,
        "header_names": list(model.header_names),
    }
