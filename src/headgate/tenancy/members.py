"""Who is in which workspace, and as what."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from headgate.base.errors import Conflict, InvalidRequest
from headgate.tenancy.administration import Administration, Change
from headgate.tenancy.holder import revoke_keys, touch_keys
from headgate.tenancy.membership import add_member, require_may_give, seen, workspace_role
from headgate.tenancy.principal import Principal, not_found
from headgate.tenancy.stores import Page, Stores
from headgate.tenancy.user import Member, User
from headgate.tenancy.users import existing_user
from headgate.tenancy.workspaces import visible_workspace


class MemberService:
    """A workspace is named by slug or id, a user by id."""

    def __init__(self, administration: Administration) -> None:
        self._administration = administration

    async def add(self, principal: Principal, workspace: str, users: Sequence[Mapping[str, Any]]) -> None:
        """All of them or none. `users`: `id` and `role` of each."""
        if not users:
            raise InvalidRequest("`users` must name at least one user.", param="users")

        def work(change: Change) -> None:
            place = visible_workspace(change.stores, principal, workspace).id
            for index, each in enumerate(users):
                user = existing_user(change.stores, principal, str(each.get("id")))
                role = workspace_role(each.get("role"), f"users[{index}].role")
                if change.stores.members.get(place, user.id) is not None:
                    raise Conflict(f"The user `{user.id}` is a member already.", param=f"users[{index}].id")
                add_member(change, place, user.id, role)

        await self._administration.change(principal, work)

    async def find(
        self, principal: Principal, workspace: str, page: Page, *, role: str | None = None, email: str | None = None
    ) -> tuple[Sequence[tuple[Member, User]], int]:
        of_role = None if role is None else workspace_role(role, "role")
        of_email = None if email is None else email.lower()

        def work(stores: Stores) -> tuple[Sequence[tuple[Member, User]], int]:
            place = visible_workspace(stores, principal, workspace)
            return stores.members.of_workspace(place.id, page, role=of_role, email=of_email)

        return await self._administration.transactions.read(work)

    async def get(self, principal: Principal, workspace: str, user_id: str) -> tuple[Member, User]:
        def work(stores: Stores) -> tuple[Member, User]:
            member = _existing(stores, principal, workspace, user_id)
            return member, existing_user(stores, principal, user_id)

        return await self._administration.transactions.read(work)

    async def update(self, principal: Principal, workspace: str, user_id: str, role: object) -> None:
        """His keys in this workspace may do no more than the new role, from the next call on."""
        wanted = workspace_role(role, "role")

        def work(change: Change) -> None:
            before = _existing(change.stores, principal, workspace, user_id)
            require_may_give(principal, before.role)
            require_may_give(principal, wanted)
            member = replace(before, role=wanted, updated_at=change.now)
            change.stores.members.update(member)
            touch_keys(change, user_id)
            change.record("update", f"workspace_user:{user_id}", seen(member))

        await self._administration.change(principal, work)

    async def remove(self, principal: Principal, workspace: str, user_id: str) -> None:
        """With his keys in it."""

        def work(change: Change) -> None:
            member = _existing(change.stores, principal, workspace, user_id)
            require_may_give(principal, member.role)
            revoke_keys(change, user_id, member.workspace_id)
            change.stores.members.remove(member.workspace_id, user_id)
            change.record("delete", f"workspace_user:{user_id}", seen(member))

        await self._administration.change(principal, work)


def _existing(stores: Stores, principal: Principal, workspace: str, user_id: str) -> Member:
    place = visible_workspace(stores, principal, workspace)
    member = stores.members.get(place.id, user_id)
    if member is None:
        raise not_found("member", user_id)
    return member
