"""Bodies of users, invites and members."""

from pydantic import Field

from headgate.controlplane.body import SECRET, Body

_ROLE = "`owner`, `admin` or `member` of the organization."
_ROLE_IN_WORKSPACE = "`admin`, `manager` or `member` of the workspace."


class UserChange(Body):
    role: str | None = Field(None, description=_ROLE)
    first_name: str | None = None
    last_name: str | None = None


class NewMember(Body):
    id: str = Field(description="Of the user.")
    role: str = Field(description=_ROLE_IN_WORKSPACE)


class NewMembers(Body):
    users: list[NewMember]


class MemberChange(Body):
    role: str = Field(description=_ROLE_IN_WORKSPACE)


class InvitedWorkspace(Body):
    id: str = Field(description="Slug or id of the workspace.")
    role: str = Field(description=_ROLE_IN_WORKSPACE)


class InvitedTenant(Body):
    id: str = Field(description="Your name for the tenant, or its id.")
    role: str | None = Field(None, description="`manager` or `member` of the tenant, in the portal; `member`.")


class InvitedKey(Body):
    scopes: list[str]


class NewInvite(Body):
    email: str
    role: str = Field(description=_ROLE)
    workspaces: list[InvitedWorkspace] | None = None
    tenants: list[InvitedTenant] | None = Field(None, description="Customers: they sign in at `/portal`.")
    workspace_api_key_details: InvitedKey | None = Field(
        None, description="Of the key that the new user gets in each of the workspaces."
    )


class Acceptance(Body):
    token: str = Field(description="What stands behind `token=` in the link.", json_schema_extra=SECRET)
    first_name: str
    last_name: str = ""
    password: str | None = Field(
        None,
        description="For the console: 12 to 256 characters. Without one there is no sign-in with it.",
        json_schema_extra=SECRET,
    )
