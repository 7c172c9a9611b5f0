"""Users, invites and members as the contract shows them."""

from collections.abc import Sequence
from typing import Any

from headgate.tenancy.invite import Invite
from headgate.tenancy.moments import to_iso
from headgate.tenancy.user import Member, User, scopes_in_workspace


def user(found: User, places: Sequence[Member]) -> dict[str, Any]:
    return {
        "id": found.id,
        "email": found.email,
        "first_name": found.first_name,
        "last_name": found.last_name,
        "role": found.role,
        "workspace_ids": [each.workspace_id for each in places],
        "created_at": to_iso(found.created_at),
        "last_updated_at": to_iso(found.updated_at),
        "object": "user",
    }


def member(found: Member, of: User) -> dict[str, Any]:
    return {
        "id": of.id,
        "email": of.email,
        "first_name": of.first_name,
        "last_name": of.last_name,
        "org_role": of.role,
        "role": found.role,
        "status": "active",
        "scopes": sorted(scopes_in_workspace(of, found)),
        "workspace_id": found.workspace_id,
        "created_at": to_iso(found.created_at),
        "last_updated_at": to_iso(found.updated_at),
        "object": "workspace-user",
    }


def invite(found: Invite, now: int) -> dict[str, Any]:
    scopes = found.key_scopes
    return {
        "id": found.id,
        "email": found.email,
        "role": found.role,
        "status": found.status(now),
        "workspaces": [{"id": each.workspace_id, "role": each.role} for each in found.workspaces],
        "tenants": [{"id": each.tenant_id, "role": each.role} for each in found.tenants],
        "workspace_api_key_details": None if scopes is None else {"scopes": sorted(scopes)},
        "invited_by": found.invited_by,
        "user_id": found.user_id,
        "created_at": to_iso(found.created_at),
        "last_updated_at": to_iso(found.updated_at),
        "expires_at": to_iso(found.expires_at),
        "accepted_at": None if found.accepted_at is None else to_iso(found.accepted_at),
        "object": "organisation-user-invite",
    }
