"""A user: somebody who administers, and the workspaces he is a member of."""

from dataclasses import dataclass

from headgate.tenancy.roles import ORGANIZATION_ROLES, WORKSPACE_ROLES, OrganizationRole, WorkspaceRole


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    """`email` is in lower case and names one user of the organization. Times are nanoseconds since the epoch."""

    id: str
    organization_id: str
    email: str
    first_name: str
    last_name: str
    role: OrganizationRole
    created_at: int
    updated_at: int

    @property
    def administers(self) -> bool:
        """The whole organization."""
        return self.role is not OrganizationRole.MEMBER


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """A user in one workspace."""

    workspace_id: str
    user_id: str
    role: WorkspaceRole
    created_at: int
    updated_at: int


def scopes_in_organization(user: User) -> frozenset[str]:
    """What he may do in all of it."""
    return ORGANIZATION_ROLES[user.role]


def scopes_in_workspace(user: User, member: Member | None) -> frozenset[str]:
    """What he may do in one workspace; `member` is his place in it. Nothing where he has none."""
    if user.administers:
        return WORKSPACE_ROLES[WorkspaceRole.ADMIN]
    return frozenset() if member is None else WORKSPACE_ROLES[member.role]
