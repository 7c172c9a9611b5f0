"""Looking at users, changing their roles and removing them."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from headgate.base.errors import Conflict, Forbidden, InvalidRequest
from headgate.tenancy import rules
from headgate.tenancy.administration import Administration, Change
from headgate.tenancy.holder import revoke_keys, touch_keys
from headgate.tenancy.principal import Principal, not_found
from headgate.tenancy.roles import ORGANIZATION_ROLES, WORKSPACE_ROLES, OrganizationRole
from headgate.tenancy.stores import Page, Stores
from headgate.tenancy.user import Member, User

NAMES: Final = ("first_name", "last_name")


class UserService:
    """Only for those who administer the organization. `fields`: `role`, `first_name`, `last_name`."""

    def __init__(self, administration: Administration) -> None:
        self._administration = administration

    async def find(
        self, principal: Principal, page: Page, *, role: str | None = None, email: str | None = None
    ) -> tuple[Sequence[tuple[User, Sequence[Member]]], int]:
        """Each with the workspaces he is a member of."""
        principal.require_organization()
        wanted = None if role is None else organization_role(role)

        def work(stores: Stores) -> tuple[Sequence[tuple[User, Sequence[Member]]], int]:
            found, total = stores.users.find(
                principal.organization_id, page, role=wanted, email=None if email is None else email.lower()
            )
            places: dict[str, list[Member]] = {user.id: [] for user in found}
            for member in stores.members.of_users(list(places)):
                places[member.user_id].append(member)
            return [(user, places[user.id]) for user in found], total

        return await self._administration.transactions.read(work)

    async def get(self, principal: Principal, user_id: str) -> tuple[User, Sequence[Member]]:
        principal.require_organization()

        def work(stores: Stores) -> tuple[User, Sequence[Member]]:
            user = existing_user(stores, principal, user_id)
            return user, stores.members.of_users([user.id])

        return await self._administration.transactions.read(work)

    async def update(self, principal: Principal, user_id: str, fields: Mapping[str, Any]) -> User:
        """His keys may do no more than the new role, from the next call on."""
        principal.require_organization()

        def work(change: Change) -> User:
            before = existing_user(change.stores, principal, user_id)
            user = replace(before, **_changes(fields), updated_at=change.now)
            if user.role is not before.role:
                _require_may_give(change, before.role, user.role)
                if before.role is OrganizationRole.OWNER:
                    _refuse_last_owner(change.stores, before)
            change.stores.users.update(user)
            touch_keys(change, user.id)
            change.record("update", f"user:{user.id}", {"fields": sorted(fields)} | seen(user))
            return user

        return await self._administration.change(principal, work)

    async def delete(self, principal: Principal, user_id: str) -> None:
        """With his keys and his places in workspaces."""
        principal.require_organization()

        def work(change: Change) -> None:
            user = existing_user(change.stores, principal, user_id)
            _require_may_give(change, user.role, OrganizationRole.MEMBER)
            if user.role is OrganizationRole.OWNER:
                _refuse_last_owner(change.stores, user)
            revoke_keys(change, user.id)
            change.stores.users.remove(user.id)
            change.record("delete", f"user:{user.id}", seen(user))

        await self._administration.change(principal, work)


def existing_user(stores: Stores, principal: Principal, user_id: str) -> User:
    """By id. Absent and foreign users answer alike."""
    user = stores.users.get(principal.organization_id, user_id)
    if user is None:
        raise not_found("user", user_id)
    return user


def organization_role(value: object, param: str = "role") -> OrganizationRole:
    """Raises `InvalidRequest` naming the roles there are."""
    try:
        return OrganizationRole(str(value))
    except ValueError:
        raise InvalidRequest(f"`{param}` must be one of {', '.join(OrganizationRole)}.", param=param) from None


def require_may_give(change: Change, role: OrganizationRole) -> None:
    """Raises `Forbidden` for a role with more rights than the caller's, and for owners unless he is one himself."""
    _require_may_give(change, OrganizationRole.MEMBER, role)


def require_may_let_in(change: Change, user: User) -> None:
    """Raises `Forbidden` unless the caller could have given this user his role: whoever opens another way in for him
    could come in by it himself."""
    _require_may_give(change, user.role, user.role)
    for member in change.stores.members.of_users([user.id]):
        administered = WORKSPACE_ROLES[member.role] & ORGANIZATION_ROLES[OrganizationRole.ADMIN]
        if not administered <= change.principal.scopes:
            raise Forbidden("He may do more than you may, so you cannot open a way in for him.")


def seen(user: User) -> dict[str, Any]:
    return {"email": user.email, "role": user.role, "first_name": user.first_name, "last_name": user.last_name}


def _changes(fields: Mapping[str, Any]) -> dict[str, Any]:
    changes: dict[str, Any] = {
        name: rules.text(fields[name], name, rules.NAME_LENGTH) for name in NAMES if name in fields
    }
    if "role" in fields:
        changes["role"] = organization_role(fields["role"])
    if not changes:
        raise InvalidRequest("There is nothing to change: send at least one of role, first_name, last_name.")
    return changes


def _require_may_give(change: Change, before: OrganizationRole, after: OrganizationRole) -> None:
    principal = change.principal
    if OrganizationRole.OWNER in (before, after) and not _may_make_owners(change.stores, principal):
        raise Forbidden("Only an owner makes, changes or removes owners.", param="role")
    if not ORGANIZATION_ROLES[after] <= principal.scopes:
        raise Forbidden(f"The role `{after}` may do more than you may, so you cannot give it.", param="role")


def _may_make_owners(stores: Stores, principal: Principal) -> bool:
    """An owner, the operator at the machine, and, while there is no owner, whoever administers the organization."""
    if principal.actor == "operator" or not stores.users.owners(principal.organization_id):
        return True
    user = stores.users.get(principal.organization_id, principal.user_id) if principal.user_id else None
    return user is not None and user.role is OrganizationRole.OWNER


def _refuse_last_owner(stores: Stores, user: User) -> None:
    if stores.users.owners(user.organization_id) == 1:
        raise Conflict("This is the last owner. Make somebody else an owner first.")
