"""Users, their places in workspaces, and invites."""

from collections.abc import Sequence
from dataclasses import fields
from typing import Any

from sqlalchemy import Connection, Select, and_, delete, func, select, update

from headgate.storage.console_tables import console_session, user_password
from headgate.storage.people_tables import invite, user_account, workspace_user
from headgate.storage.portal_tables import portal_session, tenant_user
from headgate.storage.repositories import rows
from headgate.storage.sign_in_tables import password_reset, second_factor, user_identity
from headgate.tenancy.invite import Invite, InvitedTo, InvitedToTenant, InviteStatus
from headgate.tenancy.page import Page
from headgate.tenancy.roles import OrganizationRole, WorkspaceRole
from headgate.tenancy.tenant_member import TenantRole
from headgate.tenancy.user import Member, User


def user_of(row: Any) -> User:
    found: User = rows.noun_of(User, {**row, "role": OrganizationRole(row["role"])})
    return found


def _member(row: Any) -> Member:
    found: Member = rows.noun_of(Member, {**row, "role": WorkspaceRole(row["role"])})
    return found


class SqlUsers:
    """A `tenancy.people_stores.UserStore`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, user: User) -> None:
        rows.add(self._connection, user_account, rows.row_of(user))

    def update(self, user: User) -> None:
        rows.replace(self._connection, user_account, rows.row_of(user))

    def remove(self, user_id: str) -> None:
        ways_in = (user_password, second_factor, user_identity, password_reset, console_session, portal_session)
        for table in (workspace_user, tenant_user, *ways_in):
            self._connection.execute(delete(table).where(table.c.user_id == user_id))
        self._connection.execute(delete(user_account).where(user_account.c.id == user_id))

    def get(self, organization_id: str, user_id: str) -> User | None:
        at = user_account.c
        row = None
        if "\0" not in user_id:
            row = rows.one(self._connection, user_account, at.organization_id == organization_id, at.id == user_id)
        return user_of(row) if row else None

    def with_email(self, organization_id: str, email: str) -> User | None:
        at = user_account.c
        row = rows.one(self._connection, user_account, at.organization_id == organization_id, at.email == email)
        return user_of(row) if row else None

    def find(
        self, organization_id: str, page: Page, *, role: OrganizationRole | None = None, email: str | None = None
    ) -> tuple[list[User], int]:
        at = user_account.c
        statement = select(user_account).where(at.organization_id == organization_id)
        if role is not None:
            statement = statement.where(at.role == role)
        if email is not None:
            statement = statement.where(at.email == email)
        found, total = rows.page_of(self._connection, statement, page, at.created_at, at.id)
        return [user_of(row) for row in found], total

    def owners(self, organization_id: str) -> int:
        at = user_account.c
        statement = select(func.count()).where(
            at.organization_id == organization_id, at.role == OrganizationRole.OWNER.value
        )
        count: int = self._connection.execute(statement).scalar_one()
        return count


class SqlMembers:
    """A `tenancy.people_stores.MemberStore`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, member: Member) -> None:
        rows.add(self._connection, workspace_user, rows.row_of(member))

    def update(self, member: Member) -> None:
        same = _place(member.workspace_id, member.user_id)
        self._connection.execute(update(workspace_user).where(same).values(**rows.row_of(member)))

    def remove(self, workspace_id: str, user_id: str) -> None:
        self._connection.execute(delete(workspace_user).where(_place(workspace_id, user_id)))

    def get(self, workspace_id: str, user_id: str) -> Member | None:
        row = None if "\0" in user_id else rows.one(self._connection, workspace_user, _place(workspace_id, user_id))
        return _member(row) if row else None

    def of_workspace(
        self, workspace_id: str, page: Page, *, role: WorkspaceRole | None = None, email: str | None = None
    ) -> tuple[list[tuple[Member, User]], int]:
        its = workspace_user.c
        statement = select(workspace_user).where(its.workspace_id == workspace_id)
        if role is not None:
            statement = statement.where(its.role == role)
        if email is not None:
            statement = statement.where(its.user_id.in_(select(user_account.c.id).where(user_account.c.email == email)))
        found, total = rows.page_of(self._connection, statement, page, its.created_at, its.user_id)
        ids = [row["user_id"] for row in found]
        at = select(user_account).where(user_account.c.id.in_(ids))
        users = {row["id"]: user_of(row) for row in self._connection.execute(at).mappings()}
        return [(_member(row), users[row["user_id"]]) for row in found], total

    def of_users(self, user_ids: Sequence[str]) -> list[Member]:
        its = workspace_user.c
        statement = select(workspace_user).where(its.user_id.in_(user_ids)).order_by(its.created_at, its.workspace_id)
        return [_member(row) for row in self._connection.execute(statement).mappings()]


class SqlInvites:
    """A `tenancy.people_stores.InviteStore`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, new: Invite) -> None:
        rows.add(self._connection, invite, _invite_row(new))

    def update(self, changed: Invite) -> None:
        rows.replace(self._connection, invite, _invite_row(changed))

    def get(self, organization_id: str, invite_id: str) -> Invite | None:
        if "\0" in invite_id:
            return None
        row = rows.one(self._connection, invite, invite.c.organization_id == organization_id, invite.c.id == invite_id)
        return _invite(row) if row else None

    def with_token(self, token_hash: bytes) -> Invite | None:
        row = rows.one(self._connection, invite, invite.c.token_hash == token_hash)
        return _invite(row) if row else None

    def pending(self, organization_id: str, email: str) -> Invite | None:
        row = rows.one(
            self._connection,
            invite,
            invite.c.organization_id == organization_id,
            invite.c.email == email,
            invite.c.stored_status == InviteStatus.PENDING.value,
        )
        return _invite(row) if row else None

    def find(
        self,
        organization_id: str,
        page: Page,
        *,
        now: int,
        role: OrganizationRole | None = None,
        email: str | None = None,
        status: InviteStatus | None = None,
    ) -> tuple[list[Invite], int]:
        statement = select(invite).where(invite.c.organization_id == organization_id)
        if role is not None:
            statement = statement.where(invite.c.role == role)
        if email is not None:
            statement = statement.where(invite.c.email == email)
        if status is not None:
            statement = _with_status(statement, status, now)
        found, total = rows.page_of(self._connection, statement, page, invite.c.created_at, invite.c.id)
        return [_invite(row) for row in found], total


def _place(workspace_id: str, user_id: str) -> Any:
    return and_(workspace_user.c.workspace_id == workspace_id, workspace_user.c.user_id == user_id)


def _with_status(statement: Select[Any], status: InviteStatus, now: int) -> Select[Any]:
    if status is InviteStatus.EXPIRED:
        return statement.where(invite.c.stored_status == InviteStatus.PENDING.value, invite.c.expires_at <= now)
    statement = statement.where(invite.c.stored_status == status)
    return statement.where(invite.c.expires_at > now) if status is InviteStatus.PENDING else statement


def _invite_row(noun: Invite) -> dict[str, Any]:
    row = {field.name: getattr(noun, field.name) for field in fields(noun)}
    row["workspaces"] = [{"id": each.workspace_id, "role": each.role} for each in noun.workspaces]
    row["tenants"] = [{"id": each.tenant_id, "role": each.role} for each in noun.tenants]
    row["key_scopes"] = None if noun.key_scopes is None else sorted(noun.key_scopes)
    return row


def _invite(row: Any) -> Invite:
    scopes = row["key_scopes"]
    shaped = {
        "role": OrganizationRole(row["role"]),
        "workspaces": tuple(InvitedTo(each["id"], WorkspaceRole(each["role"])) for each in row["workspaces"]),
        "tenants": tuple(InvitedToTenant(each["id"], TenantRole(each["role"])) for each in row["tenants"] or ()),
        "key_scopes": None if scopes is None else frozenset(scopes),
        "stored_status": InviteStatus(row["stored_status"]),
    }
    found: Invite = rows.noun_of(Invite, {**row, **shaped})
    return found
