"""Virtual keys, the contract's older noun: a workspace's own integration and its provider, made and changed as one."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from headgate.base.errors import InvalidRequest
from headgate.tenancy.administration import Administration, Change
from headgate.tenancy.integrations import IntegrationService, remove_integration
from headgate.tenancy.page import Page
from headgate.tenancy.principal import Principal
from headgate.tenancy.providers import (
    Provided,
    create_provider,
    remove_provider,
    update_provider,
    visible_provider,
    workspace_for,
)
from headgate.tenancy.stores import Stores
from headgate.tenancy.workspaces import visible_workspace

NOUN: Final = "virtual key"
_OF_AZURE: Final = ("apiVersion", "resourceName", "deploymentName")
_OF_PROVIDER: Final = frozenset({"name", "note", "usage_limits", "rate_limits", "expires_at", "reset_usage"})


class VirtualKeyService:
    """Every virtual key is a provider too, under the same slug; a provider is a virtual key where its integration
    belongs to its workspace. `fields` are the contract's: `name`, `provider` (its kind), `key`, `note`, `workspace_id`,
    `slug`, limits, `expires_at`."""

    def __init__(self, administration: Administration, integrations: IntegrationService) -> None:
        self._administration = administration
        self._integrations = integrations

    async def create(self, principal: Principal, fields: Mapping[str, Any]) -> Provided:
        """Raises `Conflict` where the slug is taken in the workspace."""
        _refuse_unsupported(fields)

        def work(change: Change) -> Provided:
            workspace_id = workspace_for(change.stores, principal, fields.get("workspace_id"))
            workspace = visible_workspace(change.stores, principal, workspace_id)
            of_integration = {
                "name": fields.get("name"),
                "provider": fields.get("provider"),
                "key": fields.get("key"),
                "create_default_provider": False,
            }
            integration = self._integrations.create_within(change, workspace, of_integration, "provider")
            return create_provider(change, integration, workspace_id, fields), integration

        return await self._administration.change(principal, work)

    async def find(
        self, principal: Principal, page: Page, *, workspace: str | None = None
    ) -> tuple[Sequence[Provided], int]:
        def work(stores: Stores) -> tuple[Sequence[Provided], int]:
            within = visible_workspace(stores, principal, workspace).id if workspace else principal.workspace_id
            return stores.providers.find(principal.organization_id, page, workspace_id=within, own=True)

        return await self._administration.transactions.read(work)

    async def get(self, principal: Principal, slug: str, workspace: str | None = None) -> Provided:
        return await self._administration.transactions.read(
            lambda stores: visible_provider(stores, principal, slug, workspace, own=True, noun=NOUN)
        )

    async def update(
        self, principal: Principal, slug: str, fields: Mapping[str, Any], workspace: str | None = None
    ) -> Provided:
        """`key` takes the place of the credential; the rest changes the provider."""
        _refuse_unsupported(fields)

        def work(change: Change) -> Provided:
            provider, integration = visible_provider(change.stores, principal, slug, workspace, own=True, noun=NOUN)
            if fields.get("key") is not None:
                integration = self._integrations.update_within(change, integration, {"key": fields["key"]})
            of_provider = {name: value for name, value in fields.items() if name in _OF_PROVIDER}
            return update_provider(change, provider, of_provider), integration

        return await self._administration.change(principal, work)

    async def delete(self, principal: Principal, slug: str, workspace: str | None = None) -> None:
        """With its credential, unless other providers are names of the same integration."""

        def work(change: Change) -> None:
            provider, integration = visible_provider(change.stores, principal, slug, workspace, own=True, noun=NOUN)
            remove_provider(change, provider)
            if not change.stores.providers.of_integration(integration.id):
                remove_integration(change, integration)

        await self._administration.change(principal, work)


def _refuse_unsupported(fields: Mapping[str, Any]) -> None:
    for field in _OF_AZURE:
        if fields.get(field):
            raise InvalidRequest(
                f"`{field}` is not supported here. Make an integration with `configurations.custom_host` instead.",
                param=field,
            )
