"""Which users belong to which tenant: customers with a sign-in of their own for the portal."""

from collections.abc import Mapping, Sequence
from typing import Any

from headgate.base.errors import Conflict, InvalidRequest
from headgate.tenancy.administration import Administration, Change
from headgate.tenancy.principal import Principal, not_found
from headgate.tenancy.stores import Page, Stores
from headgate.tenancy.tenant import Tenant
from headgate.tenancy.tenant_member import TenantMember, TenantRole, tenant_role
from headgate.tenancy.tenants import visible_tenant
from headgate.tenancy.user import User
from headgate.tenancy.users import existing_user


class TenantMemberService:
    """A tenant is named by the platform's name or by id, a user by id."""

    def __init__(self, administration: Administration) -> None:
        self._administration = administration

    async def add(self, principal: Principal, tenant: str, users: Sequence[Mapping[str, Any]]) -> None:
        """All of them or none. `users`: `id` and `role` of each."""
        if not users:
            raise InvalidRequest("`users` must name at least one user.", param="users")

        def work(change: Change) -> None:
            place = visible_tenant(change.stores, principal, tenant)
            for index, each in enumerate(users):
                user = existing_user(change.stores, principal, str(each.get("id")))
                role = tenant_role(each.get("role") or TenantRole.MEMBER, f"users[{index}].role")
                if change.stores.tenant_members.get(place.id, user.id) is not None:
                    raise Conflict(f"The user `{user.id}` belongs to this tenant already.", param=f"users[{index}].id")
                add_tenant_member(change, place, user.id, role)

        await self._administration.change(principal, work)

    async def find(
        self, principal: Principal, tenant: str, page: Page
    ) -> tuple[Sequence[tuple[TenantMember, User]], int]:
        def work(stores: Stores) -> tuple[Sequence[tuple[TenantMember, User]], int]:
            return stores.tenant_members.of_tenant(visible_tenant(stores, principal, tenant).id, page)

        return await self._administration.transactions.read(work)

    async def remove(self, principal: Principal, tenant: str, user_id: str) -> None:
        """His sessions in its portal end. He stays a user."""

        def work(change: Change) -> None:
            place = visible_tenant(change.stores, principal, tenant)
            member = change.stores.tenant_members.get(place.id, user_id)
            if member is None:
                raise not_found("user of this tenant", user_id)
            change.stores.tenant_members.remove(place.id, user_id)
            change.record("delete", f"tenant_user:{user_id}", _seen(place, member))

        await self._administration.change(principal, work)


def add_tenant_member(change: Change, tenant: Tenant, user_id: str, role: TenantRole) -> TenantMember:
    """Within a change under way."""
    member = TenantMember(tenant_id=tenant.id, user_id=user_id, role=role, created_at=change.now, updated_at=change.now)
    change.stores.tenant_members.add(member)
    change.record("create", f"tenant_user:{user_id}", _seen(tenant, member))
    return member


def _seen(tenant: Tenant, member: TenantMember) -> dict[str, Any]:
    return {
        "user_id": member.user_id,
        "tenant_id": tenant.id,
        "workspace_id": tenant.workspace_id,
        "role": member.role,
    }
