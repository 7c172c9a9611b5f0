"""What holds for calls of somebody else: so that who administers can ask where such a call would go."""

from typing import Protocol

from headgate.base.errors import InvalidRequest
from headgate.tenancy.administration import Administration
from headgate.tenancy.api_key import ApiKey, KeyLevel, KeyOwner
from headgate.tenancy.api_keys import TENANT_SCOPES, visible_key
from headgate.tenancy.policy import Policy
from headgate.tenancy.principal import Principal
from headgate.tenancy.stores import Stores
from headgate.tenancy.tenants import visible_tenant
from headgate.tenancy.workspaces import visible_workspace

STAND_IN = "stand-in"
"""In the place of a key's id, where no key is looked at."""


class Directory(Protocol):
    """See `tenancy.directory`."""

    async def guest(self, key: ApiKey) -> Policy: ...


class StandIns:
    """Nothing is called, held or counted with what these say; see `dataplane.explain`."""

    def __init__(self, administration: Administration, directory: Directory) -> None:
        self._administration = administration
        self._directory = directory

    async def policy(
        self, principal: Principal, *, key: str = "", tenant: str = "", workspace: str = ""
    ) -> tuple[Policy, str]:
        """Of a key, else of a tenant without limits of a key, else of a workspace alone; and what people call that one.
        Raises `NotFound` for what the principal may not see, `Forbidden` without the scope to read it, and
        `InvalidRequest` where nobody is named, or a key that makes no calls."""

        def read(stores: Stores) -> tuple[ApiKey, str]:
            if key:
                found = visible_key(stores, principal, key)
                if found.workspace_id is None:
                    raise InvalidRequest("`key` is the organization's: such keys call no models.", param="key")
                principal.require(f"workspace_{found.owner}_api_keys.read")
                return found, f"the key {found.name}"
            if tenant:
                principal.require("tenants.read")
                whom = visible_tenant(stores, principal, tenant)
                return self._stand_in(whom.organization_id, whom.workspace_id, whom.id), f"the tenant {whom.name}"
            reference = workspace or principal.workspace_id
            if not reference:
                raise InvalidRequest("Name a key, a tenant or a workspace.", param="workspace")
            principal.require("workspaces.read")
            where = visible_workspace(stores, principal, reference)
            return self._stand_in(where.organization_id, where.id, None), f"the workspace {where.name}"

        found, name = await self._administration.transactions.read(read)
        return await self._directory.guest(found), name

    def _stand_in(self, organization_id: str, workspace_id: str, tenant_id: str | None) -> ApiKey:
        now = self._administration.clock.now()
        return ApiKey(
            id=STAND_IN,
            organization_id=organization_id,
            workspace_id=workspace_id,
            tenant_id=tenant_id,
            level=KeyLevel.WORKSPACE,
            owner=KeyOwner.SERVICE,
            name=STAND_IN,
            hash=b"",
            masked="",
            scopes=TENANT_SCOPES,
            created_at=now,
            updated_at=now,
        )
