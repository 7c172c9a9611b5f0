"""API keys in the hands of customers: within what the administrator lets their tenant do."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from headgate.base.errors import Forbidden
from headgate.tenancy.api_key import ApiKey, KeyLevel, KeyOwner
from headgate.tenancy.api_keys import TENANT_SCOPES, ApiKeyService
from headgate.tenancy.portal_visitor import Visitor
from headgate.tenancy.principal import not_found
from headgate.tenancy.stores import Page

FIELDS: Final = ("name", "scopes", "usage_limits")
"""All that a customer says of a key. The rest is his administrator's."""


class PortalKeyService:
    """Keys of the visitor's tenant, and no others: each holds to the tenant's budgets, limits and models, whatever it
    has of its own, and has no scope that the visitor has not."""

    def __init__(self, api_keys: ApiKeyService) -> None:
        self._api_keys = api_keys

    async def find(self, visitor: Visitor, page: Page) -> tuple[Sequence[ApiKey], int]:
        """Those that are not revoked. Raises `Forbidden` where he may not see them."""
        if not visitor.reads_keys:
            raise Forbidden("The keys of this account are not for the portal. Ask your administrator.")
        kinds = [(KeyLevel.WORKSPACE, owner) for owner in KeyOwner]
        return await self._api_keys.find(visitor.principal, page, kinds, tenant=visitor.tenant.id)

    async def get(self, visitor: Visitor, key_id: str) -> ApiKey:
        """Raises `Forbidden`, and the `NotFound` of an absent one for a key of another tenant."""
        _require_manager(visitor)
        key = await self._api_keys.get(visitor.principal, key_id)
        if key.tenant_id != visitor.tenant.id:
            raise not_found("API key", key_id)
        return key

    async def create(self, visitor: Visitor, fields: Mapping[str, Any]) -> tuple[ApiKey, str]:
        """The key and its text: this is the only time it is seen. `fields`: those of `FIELDS`."""
        _require_manager(visitor)
        asked = {name: fields[name] for name in FIELDS if name in fields}
        own = {"workspace_id": visitor.tenant.workspace_id, "tenant_id": visitor.tenant.id}
        return await self._api_keys.create(visitor.principal, KeyLevel.WORKSPACE, KeyOwner.SERVICE, asked | own)

    async def rotate(self, visitor: Visitor, key_id: str, fields: Mapping[str, Any]) -> tuple[ApiKey, str]:
        """The key with another secret, and its text."""
        key = await self.get(visitor, key_id)
        return await self._api_keys.rotate(visitor.principal, key.id, fields)

    async def revoke(self, visitor: Visitor, key_id: str) -> None:
        """For good, and at once."""
        key = await self.get(visitor, key_id)
        await self._api_keys.revoke(visitor.principal, key.id)


def grantable(visitor: Visitor) -> list[str]:
    """The scopes that a key of his can have."""
    return sorted(TENANT_SCOPES & visitor.principal.scopes)


def _require_manager(visitor: Visitor) -> None:
    if visitor.bounded:
        raise Forbidden("You came with a key that has limits of its own, so you cannot manage keys with it.")
    if not visitor.manages_keys:
        raise Forbidden("Keys of this account are managed by your administrator.")
