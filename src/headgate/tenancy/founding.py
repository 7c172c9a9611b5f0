"""The first start: an organization, its default workspace and its first admin key, in one step."""

from typing import Final

from headgate.base.ids import object_id
from headgate.tenancy.administration import Administration, Change
from headgate.tenancy.api_key import KeyLevel, KeyOwner
from headgate.tenancy.api_keys import create_key
from headgate.tenancy.keys import MintedKey
from headgate.tenancy.organization import Organization
from headgate.tenancy.principal import Principal
from headgate.tenancy.scopes import ORGANIZATION_SCOPES
from headgate.tenancy.workspaces import create_workspace

ORGANIZATION_NAME: Final = "Organization"
DEFAULT_WORKSPACE: Final = "default"


async def found(administration: Administration, admin_key: MintedKey) -> Organization | None:
    """All of it, or None where an organization exists: then nothing is changed, and the key is not taken."""

    def work(change: Change) -> Organization:
        # Changes wait for one another, so of two nodes that start together the second one sees the first one's.
        if change.stores.organizations.all():
            raise _Exists
        organization = Organization(
            id=change.principal.organization_id,
            name=ORGANIZATION_NAME,
            created_at=change.now,
            updated_at=change.now,
        )
        change.stores.organizations.add(organization)
        change.record("create", f"organization:{organization.id}", {"name": organization.name})
        create_workspace(change, {"name": "Default", "slug": DEFAULT_WORKSPACE}, is_default=True)
        fields = {"name": "First admin key", "scopes": sorted(ORGANIZATION_SCOPES)}
        create_key(change, admin_key, KeyLevel.ORGANIZATION, KeyOwner.SERVICE, fields)
        return organization

    try:
        return await administration.change(Principal.operator(object_id("org")), work)
    except _Exists:
        return None


class _Exists(Exception):
    """Undoes the transaction."""
