"""What becomes of an invite that is accepted: a user, his places, and his keys, in one change."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from headgate.base.errors import NotFound
from headgate.tenancy import rules
from headgate.tenancy.administration import Change
from headgate.tenancy.api_key import ApiKey, KeyLevel, KeyOwner
from headgate.tenancy.api_keys import create_key
from headgate.tenancy.invitation import withdraw_invitation
from headgate.tenancy.invite import Invite, InvitedTo, InviteStatus
from headgate.tenancy.keys import MintedKey
from headgate.tenancy.membership import add_member
from headgate.tenancy.tenant_member import TenantMember
from headgate.tenancy.tenant_members import add_tenant_member
from headgate.tenancy.user import Member, User
from headgate.tenancy.users import seen


@dataclass(frozen=True, slots=True)
class Accepted:
    """What came of an invite. `keys` are new keys with their texts, seen this once."""

    user: User
    places: Sequence[Member]
    keys: Sequence[tuple[ApiKey, str]]
    tenants: Sequence[TenantMember] = ()


def accept_invite(
    change: Change,
    invite: Invite,
    user_id: str,
    fields: Mapping[str, Any],
    hashed: str | None,
    minted: Sequence[MintedKey],
) -> Accepted:
    """`fields`: `first_name`, `last_name`. `hashed` is what is kept of his password, if he is to have one; `minted` a
    key for each workspace of the invite."""
    user = _become(change, invite, user_id, fields)
    if hashed is not None:
        change.stores.passwords.put(user_id, hashed, change.now)
    places, made = [], []
    for place, fresh in zip(invite.workspaces, minted, strict=True):
        if change.stores.workspaces.get(user.organization_id, place.workspace_id) is None:
            continue  # it is gone by now
        places.append(add_member(change, place.workspace_id, user.id, place.role))
        if invite.key_scopes is not None:
            made.append((_key(change, invite.key_scopes, place, user, fresh), fresh.text))
    return Accepted(user, places, made, _join_tenants(change, invite, user))


def no_invite() -> NotFound:
    """The same words whatever is wrong with it."""
    return NotFound("This invite does not exist, or not any more. Ask for a new one.", param="token")


def _become(change: Change, invite: Invite, user_id: str, fields: Mapping[str, Any]) -> User:
    if change.stores.users.with_email(invite.organization_id, invite.email) is not None:
        raise no_invite()
    user = User(
        id=user_id,
        organization_id=invite.organization_id,
        email=invite.email,
        first_name=rules.name(fields.get("first_name"), "first_name"),
        last_name=rules.text(fields.get("last_name") or "", "last_name", rules.NAME_LENGTH),
        role=invite.role,
        created_at=change.now,
        updated_at=change.now,
    )
    change.stores.users.add(user)
    accepted = replace(
        invite,
        stored_status=InviteStatus.ACCEPTED,
        accepted_at=change.now,
        user_id=user_id,
        updated_at=change.now,
    )
    change.stores.invites.update(accepted)
    withdraw_invitation(change, accepted)
    change.record("accept", f"invite:{invite.id}", {"user_id": user_id})
    change.record("create", f"user:{user_id}", seen(user))
    return user


def _key(change: Change, asked: frozenset[str], place: InvitedTo, user: User, fresh: MintedKey) -> ApiKey:
    fields = {
        "name": f"Key of {user.email}",
        "workspace_id": place.workspace_id,
        "user_id": user.id,
        "scopes": sorted(asked),
    }
    return create_key(change, fresh, KeyLevel.WORKSPACE, KeyOwner.USER, fields)


def _join_tenants(change: Change, invite: Invite, user: User) -> list[TenantMember]:
    """Those that are still there."""
    found = [(change.stores.tenants.get(user.organization_id, each.tenant_id), each.role) for each in invite.tenants]
    return [add_tenant_member(change, tenant, user.id, role) for tenant, role in found if tenant is not None]
