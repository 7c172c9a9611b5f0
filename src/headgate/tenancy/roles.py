"""What the members of an organization may do: each role is a set of scopes, and this table is all there is to it.

An owner may do what an admin may, and is the only one who makes, changes and removes owners (`tenancy.users`).
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from headgate.tenancy.scopes import ORGANIZATION_SCOPES, WORKSPACE_SCOPES


class OrganizationRole(StrEnum):
    """Owners and admins administer the organization and are admins of all its workspaces."""

    OWNER = "owner"
    ADMIN = "admin"
    MEMBER = "member"
    """May do nothing but what their workspaces let them."""


class WorkspaceRole(StrEnum):
    """Of a member, in one workspace."""

    ADMIN = "admin"
    MANAGER = "manager"
    """All but the workspace itself: its settings, its members and its integrations."""
    MEMBER = "member"
    """Looks at everything, changes nothing, and calls models."""


_READING: Final = ("read", "list", "view")
_NOT_A_MANAGERS: Final = frozenset(
    {
        "workspaces.update",
        *(f"{noun}.{verb}" for noun in ("workspace_users", "workspace_integrations") for verb in ("create", "update")),
        "workspace_users.delete",
        "workspace_integrations.delete",
    }
)

ORGANIZATION_ROLES: Final[Mapping[OrganizationRole, frozenset[str]]] = {
    OrganizationRole.OWNER: ORGANIZATION_SCOPES,
    OrganizationRole.ADMIN: ORGANIZATION_SCOPES,
    OrganizationRole.MEMBER: frozenset(),
}
WORKSPACE_ROLES: Final[Mapping[WorkspaceRole, frozenset[str]]] = {
    WorkspaceRole.ADMIN: WORKSPACE_SCOPES,
    WorkspaceRole.MANAGER: WORKSPACE_SCOPES - _NOT_A_MANAGERS,
    WorkspaceRole.MEMBER: frozenset(
        {"completions.write", *(scope for scope in WORKSPACE_SCOPES if scope.rpartition(".")[2] in _READING)}
    ),
}
