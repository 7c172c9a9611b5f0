"""Inviting people, and what becomes of an invite that is accepted."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from headgate.base.clock import NANOS_PER_SECOND
from headgate.base.errors import Conflict, InvalidRequest
from headgate.base.ids import RandomBytes, new_token, object_id
from headgate.tenancy import keys, rules, scopes
from headgate.tenancy.acceptance import Accepted, accept_invite, no_invite
from headgate.tenancy.administration import Administration, Change
from headgate.tenancy.envelope import Envelope
from headgate.tenancy.invitation import send_invitation, withdraw_invitation
from headgate.tenancy.invite import Invite, InvitedTo, InvitedToTenant, InviteStatus
from headgate.tenancy.membership import require_may_give, workspace_role
from headgate.tenancy.origin import Origin
from headgate.tenancy.passwords import Passwords
from headgate.tenancy.principal import Principal, not_found
from headgate.tenancy.roles import WORKSPACE_ROLES, OrganizationRole
from headgate.tenancy.stores import Page, Stores
from headgate.tenancy.tenant_member import TenantRole, tenant_role
from headgate.tenancy.tenants import visible_tenant
from headgate.tenancy.users import organization_role
from headgate.tenancy.users import require_may_give as require_may_give_in_organization
from headgate.tenancy.workspaces import visible_workspace

VALID_S: Final = 7 * 86_400

LINK: Final = "/console/invite#token="
"""Behind `#`, because what stands there is sent to no server and so is in no log."""


class InviteService:
    """Only for those who administer the organization; accepting needs the token of the link and nothing else. With an
    `envelope` links are sent as letters, too.

    `fields`: `email`, `role`, `workspaces` and `tenants` (`id` and `role` of each), `workspace_api_key_details`
    (`scopes`).
    """

    def __init__(
        self,
        administration: Administration,
        passwords: Passwords,
        pepper: bytes,
        url: str,
        envelope: Envelope | None,
        random_bytes: RandomBytes = os.urandom,
    ) -> None:
        self._administration = administration
        self._passwords = passwords
        self._pepper = pepper
        self._url = url
        self._envelope = envelope
        self._random_bytes = random_bytes

    @property
    def mails(self) -> bool:
        """Whether who is invited gets a letter."""
        return self._envelope is not None

    async def create(self, principal: Principal, fields: Mapping[str, Any]) -> tuple[Invite, str]:
        """The invite and its link: this is the only time it is seen. Nobody invites with more rights than his own.
        Raises `Conflict` for somebody who is a user or invited already."""
        principal.require_organization()
        token = new_token(self._random_bytes)

        def work(change: Change) -> Invite:
            invite = _new(change, fields, self._hash(token))
            change.stores.invites.add(invite)
            self._send(change, invite, token)
            change.record("create", f"invite:{invite.id}", _seen(invite))
            return invite

        return await self._administration.change(principal, work), self._link(token)

    async def find(
        self,
        principal: Principal,
        page: Page,
        *,
        role: str | None = None,
        email: str | None = None,
        status: str | None = None,
    ) -> tuple[Sequence[Invite], int]:
        principal.require_organization()
        of_role = None if role is None else organization_role(role)
        with_status = None if status is None else _status(status)
        of_email = None if email is None else email.lower()
        now = self._administration.clock.now()
        return await self._administration.transactions.read(
            lambda stores: stores.invites.find(
                principal.organization_id, page, now=now, role=of_role, email=of_email, status=with_status
            )
        )

    async def get(self, principal: Principal, invite_id: str) -> Invite:
        principal.require_organization()
        return await self._administration.transactions.read(lambda stores: _existing(stores, principal, invite_id))

    async def resend(self, principal: Principal, invite_id: str) -> tuple[Invite, str]:
        """A new link, good for as long as a new invite; the one before is none any more."""
        principal.require_organization()
        token = new_token(self._random_bytes)

        def work(change: Change) -> Invite:
            before = _open(_existing(change.stores, principal, invite_id))
            expires_at = change.now + VALID_S * NANOS_PER_SECOND
            invite = replace(before, token_hash=self._hash(token), expires_at=expires_at, updated_at=change.now)
            change.stores.invites.update(invite)
            self._send(change, invite, token)
            change.record("update", f"invite:{invite.id}", _seen(invite))
            return invite

        return await self._administration.change(principal, work), self._link(token)

    async def cancel(self, principal: Principal, invite_id: str) -> None:
        """Its link is none any more."""
        principal.require_organization()

        def work(change: Change) -> None:
            invite = _open(_existing(change.stores, principal, invite_id))
            cancelled = replace(invite, stored_status=InviteStatus.CANCELLED, updated_at=change.now)
            change.stores.invites.update(cancelled)
            withdraw_invitation(change, cancelled)
            change.record("delete", f"invite:{invite.id}", _seen(cancelled))

        await self._administration.change(principal, work)

    async def accept(self, token: str, fields: Mapping[str, Any], origin: Origin | None = None) -> Accepted:
        """`fields`: `first_name`, `last_name`, and a `password` for the console, if he is to have one.
        Raises `NotFound` for a token that is unknown, used, cancelled or expired: which of them, it does not tell."""
        found = await self._administration.transactions.read(
            lambda stores: stores.invites.with_token(self._hash(token))
        )
        if found is None:
            raise no_invite()
        chosen = fields.get("password")
        hashed = None if chosen is None else await self._passwords.hashed(chosen)
        user_id = object_id("usr", self._random_bytes)
        everything = scopes.ORGANIZATION_SCOPES
        principal = Principal(found.organization_id, f"user:{user_id}", everything, user_id=user_id, origin=origin)
        minted = [keys.mint(self._pepper, self._random_bytes) for _ in found.workspaces]

        def work(change: Change) -> Accepted:
            invite = change.stores.invites.with_token(self._hash(token))
            if invite is None or invite.status(change.now) is not InviteStatus.PENDING:
                raise no_invite()
            return accept_invite(change, invite, user_id, fields, hashed, minted)

        return await self._administration.change(principal, work)

    def _send(self, change: Change, invite: Invite, token: str) -> None:
        if self._envelope is not None:
            send_invitation(change, self._envelope, invite, self._link(token))

    def _link(self, token: str) -> str:
        return f"{self._url.rstrip('/')}{LINK}{token}"

    def _hash(self, token: str) -> bytes:
        return keys.hash_key(token, self._pepper)


def _new(change: Change, fields: Mapping[str, Any], token_hash: bytes) -> Invite:
    email = rules.address(fields.get("email"), "email").lower()
    role = organization_role(fields.get("role") or OrganizationRole.MEMBER)
    require_may_give_in_organization(change, role)
    workspaces = tuple(
        _invited_to(change, each, f"workspaces[{index}]") for index, each in enumerate(fields.get("workspaces") or ())
    )
    if len({each.workspace_id for each in workspaces}) < len(workspaces):
        raise InvalidRequest("`workspaces` names one workspace twice.", param="workspaces")
    details = fields.get("workspace_api_key_details")
    _refuse_known(change.stores, change.principal, email)
    return Invite(
        id=change.new_id("inv"),
        organization_id=change.principal.organization_id,
        email=email,
        role=role,
        workspaces=workspaces,
        tenants=_tenants(change, fields.get("tenants") or ()),
        key_scopes=None if details is None else _key_scopes(details.get("scopes"), role, workspaces),
        token_hash=token_hash,
        invited_by=change.principal.actor,
        expires_at=change.now + VALID_S * NANOS_PER_SECOND,
        created_at=change.now,
        updated_at=change.now,
    )


def _invited_to(change: Change, entry: Mapping[str, Any], param: str) -> InvitedTo:
    role = workspace_role(entry.get("role"), f"{param}.role")
    require_may_give(change.principal, role)
    return InvitedTo(visible_workspace(change.stores, change.principal, str(entry.get("id"))).id, role)


def _tenants(change: Change, entries: Sequence[Mapping[str, Any]]) -> tuple[InvitedToTenant, ...]:
    found = tuple(
        InvitedToTenant(
            visible_tenant(change.stores, change.principal, str(entry.get("id"))).id,
            tenant_role(entry.get("role") or TenantRole.MEMBER, f"tenants[{index}].role"),
        )
        for index, entry in enumerate(entries)
    )
    if len({each.tenant_id for each in found}) < len(found):
        raise InvalidRequest("`tenants` names one tenant twice.", param="tenants")
    return found


def _key_scopes(value: object, role: OrganizationRole, workspaces: Sequence[InvitedTo]) -> frozenset[str]:
    if not workspaces:
        raise InvalidRequest(
            "`workspace_api_key_details` needs `workspaces`: a key belongs to one.", param="workspace_api_key_details"
        )
    allowed = scopes.WORKSPACE_SCOPES
    if role is OrganizationRole.MEMBER:
        allowed = frozenset.intersection(*(WORKSPACE_ROLES[each.role] for each in workspaces))
    asked = scopes.grantable(value, scopes.WORKSPACE_SCOPES, scopes.WORKSPACE_SCOPES)
    beyond = sorted(asked - allowed)
    if beyond:
        raise InvalidRequest(
            f"The roles in this invite do not allow the scope `{beyond[0]}`.", param="workspace_api_key_details.scopes"
        )
    return asked


def _refuse_known(stores: Stores, principal: Principal, email: str) -> None:
    if stores.users.with_email(principal.organization_id, email) is not None:
        raise Conflict(f"`{email}` is a user already.", param="email")
    if stores.invites.pending(principal.organization_id, email) is not None:
        raise Conflict(f"`{email}` is invited already. Resend that invite, or cancel it first.", param="email")


def _existing(stores: Stores, principal: Principal, invite_id: str) -> Invite:
    invite = stores.invites.get(principal.organization_id, invite_id)
    if invite is None:
        raise not_found("invite", invite_id)
    return invite


def _open(invite: Invite) -> Invite:
    if invite.stored_status is not InviteStatus.PENDING:
        raise Conflict(f"This invite is {invite.stored_status}. Create another one.")
    return invite


def _status(value: str) -> InviteStatus:
    try:
        return InviteStatus(value)
    except ValueError:
        raise InvalidRequest(f"`status` must be one of {', '.join(InviteStatus)}.", param="status") from None


def _seen(invite: Invite) -> dict[str, Any]:
    return {
        "email": invite.email,
        "role": invite.role,
        "status": invite.stored_status,
        "workspaces": [{"id": each.workspace_id, "role": each.role} for each in invite.workspaces],
        "tenants": [{"id": each.tenant_id, "role": each.role} for each in invite.tenants],
        "key_scopes": None if invite.key_scopes is None else sorted(invite.key_scopes),
        "expires_at": invite.expires_at,
    }
