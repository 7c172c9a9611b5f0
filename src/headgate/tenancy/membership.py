"""A user's place in a workspace: given within a change, by those who may give it."""

from typing import Any

from headgate.base.errors import Forbidden, InvalidRequest
from headgate.tenancy.administration import Change
from headgate.tenancy.principal import Principal
from headgate.tenancy.roles import WORKSPACE_ROLES, WorkspaceRole
from headgate.tenancy.user import Member


def workspace_role(value: object, param: str) -> WorkspaceRole:
    """Raises `InvalidRequest` naming the roles there are."""
    try:
        return WorkspaceRole(str(value))
    except ValueError:
        raise InvalidRequest(f"`{param}` must be one of {', '.join(WorkspaceRole)}.", param=param) from None


def require_may_give(principal: Principal, role: WorkspaceRole) -> None:
    """Raises `Forbidden` for a role with more rights than the caller's own. Whoever administers the organization
    administers its workspaces."""
    if principal.workspace_id is not None and not WORKSPACE_ROLES[role] <= principal.scopes:
        raise Forbidden(f"The role `{role}` may do more than you may, so you cannot give or take it.", param="role")


def add_member(change: Change, workspace_id: str, user_id: str, role: WorkspaceRole) -> Member:
    """Within a change under way."""
    require_may_give(change.principal, role)
    member = Member(workspace_id=workspace_id, user_id=user_id, role=role, created_at=change.now, updated_at=change.now)
    change.stores.members.add(member)
    change.record("create", f"workspace_user:{user_id}", seen(member))
    return member


def seen(member: Member) -> dict[str, Any]:
    return {"user_id": member.user_id, "workspace_id": member.workspace_id, "role": member.role}
