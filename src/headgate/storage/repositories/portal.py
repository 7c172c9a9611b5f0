"""Users of tenants, and sessions of the portal."""

from typing import Any

from sqlalchemy import Connection, and_, delete, select, update

from headgate.storage.people_tables import user_account
from headgate.storage.portal_tables import portal_session as table
from headgate.storage.portal_tables import tenant_user
from headgate.storage.repositories import rows
from headgate.storage.repositories.people import user_of
from headgate.storage.repositories.sign_in import with_password_alone
from headgate.tenancy.page import Page
from headgate.tenancy.portal_session import Entry, PortalSession
from headgate.tenancy.tenant_member import TenantMember, TenantRole
from headgate.tenancy.user import User


class SqlTenantMembers:
    """A `tenancy.portal_stores.TenantMemberStore`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, member: TenantMember) -> None:
        rows.add(self._connection, tenant_user, rows.row_of(member))

    def remove(self, tenant_id: str, user_id: str) -> None:
        for each in (tenant_user, table):
            same = and_(each.c.tenant_id == tenant_id, each.c.user_id == user_id)
            self._connection.execute(delete(each).where(same))

    def get(self, tenant_id: str, user_id: str) -> TenantMember | None:
        if "\0" in user_id:
            return None
        its = tenant_user.c
        row = rows.one(self._connection, tenant_user, its.tenant_id == tenant_id, its.user_id == user_id)
        return _member(row) if row else None

    def of_tenant(self, tenant_id: str, page: Page) -> tuple[list[tuple[TenantMember, User]], int]:
        its = tenant_user.c
        statement = select(tenant_user).where(its.tenant_id == tenant_id)
        found, total = rows.page_of(self._connection, statement, page, its.created_at, its.user_id)
        at = select(user_account).where(user_account.c.id.in_([row["user_id"] for row in found]))
        users = {row["id"]: user_of(row) for row in self._connection.execute(at).mappings()}
        return [(_member(row), users[row["user_id"]]) for row in found], total

    def of_user(self, user_id: str) -> list[TenantMember]:
        its = tenant_user.c
        statement = select(tenant_user).where(its.user_id == user_id).order_by(its.created_at, its.tenant_id)
        return [_member(row) for row in self._connection.execute(statement).mappings()]


class SqlPortalSessions:
    """A `tenancy.portal_stores.PortalSessionStore`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, session: PortalSession) -> None:
        rows.add(self._connection, table, rows.row_of(session))

    def open(self, session: PortalSession) -> bool:
        pending = and_(table.c.id == session.id, table.c.link_hash.is_not(None))
        done = self._connection.execute(update(table).where(pending).values(**rows.row_of(session)))
        return done.rowcount == 1

    def get(self, tenant_id: str, session_id: str) -> PortalSession | None:
        if "\0" in session_id:
            return None
        row = rows.one(self._connection, table, table.c.tenant_id == tenant_id, table.c.id == session_id)
        return _session(row) if row else None

    def with_link(self, link_hash: bytes) -> PortalSession | None:
        row = rows.one(self._connection, table, table.c.link_hash == link_hash)
        return _session(row) if row else None

    def with_token(self, token_hash: bytes) -> PortalSession | None:
        row = rows.one(self._connection, table, table.c.token_hash == token_hash)
        return _session(row) if row else None

    def find(self, tenant_id: str, page: Page, *, now: int) -> tuple[list[PortalSession], int]:
        statement = select(table).where(table.c.tenant_id == tenant_id, table.c.expires_at > now)
        found, total = rows.page_of(self._connection, statement, page, table.c.created_at.desc(), table.c.id)
        return [_session(row) for row in found], total

    def choose(self, session_id: str, tenant_id: str) -> None:
        self._connection.execute(update(table).where(table.c.id == session_id).values(tenant_id=tenant_id))

    def seen(self, session_id: str, at: int) -> None:
        self._connection.execute(update(table).where(table.c.id == session_id).values(seen_at=at))

    def remove(self, session_id: str) -> None:
        self._connection.execute(delete(table).where(table.c.id == session_id))

    def of_user(self, user_id: str, *, now: int) -> list[PortalSession]:
        its = table.c
        statement = select(table).where(its.user_id == user_id, its.expires_at > now)
        found = self._connection.execute(statement.order_by(its.created_at.desc(), its.id)).mappings()
        return [_session(row) for row in found]

    def remove_all(self, user_id: str, but: str = "") -> None:
        self._connection.execute(delete(table).where(table.c.user_id == user_id, table.c.id != but))

    def remove_without_second_factor(self, organization_id: str) -> None:
        own = table.c.organization_id == organization_id
        self._connection.execute(delete(table).where(own, with_password_alone(table.c.user_id)))

    def prune(self, now: int) -> None:
        self._connection.execute(delete(table).where(table.c.expires_at <= now))


def _member(row: Any) -> TenantMember:
    found: TenantMember = rows.noun_of(TenantMember, {**row, "role": TenantRole(row["role"])})
    return found


def _session(row: Any) -> PortalSession:
    shaped = {"entry": Entry(row["entry"]), "role": TenantRole(row["role"])}
    found: PortalSession = rows.noun_of(PortalSession, {**row, **shaped})
    return found
