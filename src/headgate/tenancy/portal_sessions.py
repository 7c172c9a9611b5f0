"""Into the portal, and out: with a link, a key, a password, or from the console to look."""

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final, Protocol

from headgate.base.clock import NANOS_PER_SECOND
from headgate.base.errors import Forbidden, Unauthenticated
from headgate.base.ids import RandomBytes, new_token
from headgate.tenancy import keys
from headgate.tenancy.administration import Administration, Change
from headgate.tenancy.api_key import ApiKey
from headgate.tenancy.api_keys import TENANT_SCOPES
from headgate.tenancy.origin import Origin
from headgate.tenancy.policy import Policy
from headgate.tenancy.portal import portal
from headgate.tenancy.portal_session import Entry, PortalSession
from headgate.tenancy.portal_visitor import Visitor, bounded
from headgate.tenancy.principal import Principal, not_found
from headgate.tenancy.sessions import SessionService, Signed, Span
from headgate.tenancy.stores import Stores
from headgate.tenancy.tenant import Tenant
from headgate.tenancy.tenant_member import TenantRole
from headgate.tenancy.tenants import visible_tenant
from headgate.tenancy.user import User

VIEWING: Final = ("tenants.read", "analytics.view", "logs.list", "logs.view")
"""What an operator needs to look at what a tenant sees: all of them."""
VIEW_S: Final = 3_600
_SEEN_EVERY: Final = 60 * NANOS_PER_SECOND


class KeyRing(Protocol):
    """What the directory of policies knows of keys and guests; see `tenancy.directory`."""

    async def vouched(self, key_id: str, digest: bytes) -> Policy: ...
    async def guest(self, key: ApiKey) -> Policy: ...


@dataclass(frozen=True, slots=True)
class _Place:
    """What a page needs to know of the tenant."""

    tenant: Tenant
    workspace_portal: dict[str, object]
    time_zone: str
    origins: tuple[str, ...]
    role: TenantRole | None
    key: ApiKey | None


class PortalSessionService:
    """As with the console, the cookie's token is seen by nobody but the browser; its HMAC is kept."""

    def __init__(
        self,
        administration: Administration,
        sessions: SessionService,
        key_ring: KeyRing,
        pepper: bytes,
        span: Span,
        random_bytes: RandomBytes = os.urandom,
    ) -> None:
        self._administration = administration
        self._sessions = sessions
        self._key_ring = key_ring
        self._pepper = pepper
        self._span = span
        self._random_bytes = random_bytes

    async def enter_with_link(self, token: str, origin: Origin) -> tuple[PortalSession, str]:
        """A session and its cookie's token. Raises `Unauthenticated` for a link that is made up, used, revoked or too
        old: which of them, it does not tell."""
        digest, cookie = self._hash(token), new_token(self._random_bytes)
        pending = await self._administration.transactions.read(lambda stores: stores.portal_sessions.with_link(digest))
        if pending is None:
            raise _no_link()
        principal = Principal(pending.organization_id, f"portal_session:{pending.id}", frozenset(), origin=origin)

        def work(change: Change) -> PortalSession:
            found = change.stores.portal_sessions.with_link(digest)
            if found is None or found.expires_at <= change.now:
                raise _no_link()
            opened = replace(self._opened(found, cookie, origin, change.now), link_hash=None)
            if not change.stores.portal_sessions.open(opened):
                raise _no_link()
            _record(change, opened, "open")
            return opened

        return await self._administration.change(principal, work), cookie

    async def enter_with_key(self, text: str, origin: Origin) -> tuple[PortalSession, str]:
        """The same for a key of a tenant. Raises as `SessionService.key_shown`, and `Forbidden` for another key."""
        policy, digest = await self._sessions.key_shown(text, origin)
        if policy.tenant_id is None:
            raise Forbidden("This key belongs to no customer account. The portal is for keys that do.")
        principal = replace(Principal.of(policy), origin=origin)
        blank = self._blank(principal, policy.tenant_id, Entry.KEY, policy.key_name)
        return await self._enter(principal, replace(blank, key_id=policy.key_id, key_hash=digest), origin)

    async def enter_with_password(
        self, email: str, password: str, origin: Origin, tenant_id: str | None = None
    ) -> tuple[PortalSession, str]:
        """The same for a user of a tenant. Raises as `SessionService.user_with`, and as `enter_as`."""
        return await self.enter_as(await self._sessions.user_with(email, password, origin), origin, tenant_id)

    async def enter_as(self, user: User, origin: Origin, tenant_id: str | None = None) -> tuple[PortalSession, str]:
        """For a user whose identity is established: to the named tenant, or to the first he came to. Raises `Forbidden`
        for who belongs to none."""
        places = await self._administration.transactions.read(lambda stores: stores.tenant_members.of_user(user.id))
        chosen = next((each for each in places if tenant_id in (None, each.tenant_id)), None)
        if chosen is None:
            raise Forbidden("You belong to no customer account here. Ask whoever invited you, or use the console.")
        principal = Principal(user.organization_id, f"user:{user.id}", frozenset(), user_id=user.id, origin=origin)
        name = f"{user.first_name} {user.last_name}".strip()
        blank = self._blank(principal, chosen.tenant_id, Entry.USER, name)
        return await self._enter(principal, replace(blank, user_id=user.id), origin)

    async def view(self, signed: Signed, tenant: str, origin: Origin) -> tuple[PortalSession, str]:
        """The same for an operator at the console, who looks and changes nothing. Raises `Forbidden` and `NotFound`."""
        place = await self._viewed(signed, tenant)
        blank = self._blank(signed.principal, place.id, Entry.VIEW, signed.name)
        viewing = replace(
            blank,
            console_session_id=signed.session.id,
            expires_at=self._administration.clock.now() + VIEW_S * NANOS_PER_SECOND,
        )
        return await self._enter(replace(signed.principal, origin=origin), viewing, origin)

    async def visitor(self, token: str) -> Visitor:
        """Whose cookie it is, with what he may now. Raises `Unauthenticated` where the session is over, and `Forbidden`
        where the tenant is suspended."""
        digest, now = self._hash(token), self._administration.clock.now()
        session = await self._administration.transactions.read(lambda stores: stores.portal_sessions.with_token(digest))
        if session is None or now >= min(session.expires_at, session.seen_at + self._span.idle_s * NANOS_PER_SECOND):
            raise _no_session()
        place = await self._administration.transactions.read(lambda stores: _place(stores, session))
        if place is None:
            raise _no_session()
        principal, role = await self._who(session, place)
        if place.tenant.suspended and session.entry is not Entry.VIEW:
            raise Forbidden("This account is suspended. Ask whoever runs it for you.", code="tenant_suspended")
        if now - session.seen_at >= _SEEN_EVERY:
            await self._administration.transactions.write(lambda stores: stores.portal_sessions.seen(session.id, now))
        return Visitor(
            session=session,
            principal=principal,
            tenant=place.tenant,
            portal=portal(place.workspace_portal, place.tenant.portal),
            time_zone=place.time_zone,
            origins=place.origins,
            role=role,
            bounded=place.key is not None and bounded(place.key),
        )

    async def policy(self, visitor: Visitor) -> Policy:
        """What holds for his calls: his key's, or the tenant's own. Raises `Unauthenticated`."""
        session = visitor.session
        if session.key_id is not None and session.key_hash is not None:
            return await self._key_ring.vouched(session.key_id, session.key_hash)
        return await self._key_ring.guest(visitor.guest)

    async def places(self, visitor: Visitor) -> Sequence[Tenant]:
        """The tenants that a user may change over to, this one among them; for others only this one."""
        user_id = visitor.session.user_id
        if user_id is None:
            return [visitor.tenant]

        def work(stores: Stores) -> list[Tenant]:
            places = stores.tenant_members.of_user(user_id)
            found = [stores.tenants.get(visitor.tenant.organization_id, each.tenant_id) for each in places]
            return [each for each in found if each is not None]

        return await self._administration.transactions.read(work)

    async def choose(self, visitor: Visitor, tenant_id: str) -> None:
        """Change over to another of one's tenants. Raises `NotFound`."""
        if tenant_id not in {each.id for each in await self.places(visitor)}:
            raise not_found("account", tenant_id)
        session = visitor.session
        await self._administration.transactions.write(
            lambda stores: stores.portal_sessions.choose(session.id, tenant_id)
        )

    async def end(self, visitor: Visitor) -> None:
        """Sign out."""

        def work(change: Change) -> None:
            change.stores.portal_sessions.remove(visitor.session.id)
            _record(change, visitor.session, "delete")

        await self._administration.change(visitor.principal, work)

    async def of(self, visitor: Visitor) -> Sequence[PortalSession]:
        """All that the same user has open here, the latest first; of others only this one."""
        user_id, now = visitor.session.user_id, self._administration.clock.now()
        if user_id is None:
            return [visitor.session]
        return await self._administration.transactions.read(
            lambda stores: stores.portal_sessions.of_user(user_id, now=now)
        )

    async def end_others(self, visitor: Visitor, session_id: str | None = None) -> None:
        """The one that is named, or all but this one. Raises `NotFound`."""
        others = {each.id: each for each in await self.of(visitor) if each.id != visitor.session.id}
        if session_id is not None and session_id not in others:
            raise not_found("session", session_id)
        ended = list(others.values()) if session_id is None else [others[session_id]]

        def work(change: Change) -> None:
            for each in ended:
                change.stores.portal_sessions.remove(each.id)
                _record(change, each, "delete")

        if ended:
            await self._administration.change(visitor.principal, work)

    async def _who(self, session: PortalSession, place: _Place) -> tuple[Principal, TenantRole]:
        """With the rights he has now. Raises `Unauthenticated`."""
        tenant = place.tenant
        of_tenant = Principal(
            tenant.organization_id,
            f"portal_session:{session.id}",
            TENANT_SCOPES,
            tenant.workspace_id,
            session.user_id,
            tenant_id=tenant.id,
        )
        if session.entry is Entry.LINK:
            return of_tenant, session.role
        if session.entry is Entry.USER:
            if place.role is None:  # he was taken out of it
                raise _no_session()
            return replace(of_tenant, actor=f"user:{session.user_id}"), place.role
        if session.entry is Entry.VIEW:
            signed = await self._sessions.still(session.console_session_id or "")
            await self._viewed(signed, tenant.id)
            return replace(of_tenant, actor=signed.principal.actor, user_id=signed.principal.user_id), TenantRole.MEMBER
        assert session.key_id is not None
        assert session.key_hash is not None
        policy = await self._key_ring.vouched(session.key_id, session.key_hash)
        if policy.tenant_id != tenant.id:
            raise _no_session()
        return Principal.of(policy), TenantRole.MANAGER

    async def _viewed(self, signed: Signed, tenant: str) -> Tenant:
        for scope in VIEWING:
            signed.principal.require(scope)
        return await self._administration.transactions.read(
            lambda stores: visible_tenant(stores, signed.principal, tenant)
        )

    def _blank(self, principal: Principal, tenant_id: str, entry: Entry, name: str) -> PortalSession:
        now = self._administration.clock.now()
        return PortalSession(
            id="",
            organization_id=principal.organization_id,
            tenant_id=tenant_id,
            entry=entry,
            role=TenantRole.MEMBER,
            name=name,
            created_by=principal.actor,
            created_at=now,
            seen_at=now,
            expires_at=now + self._span.lifetime_s * NANOS_PER_SECOND,
        )

    async def _enter(self, principal: Principal, blank: PortalSession, origin: Origin) -> tuple[PortalSession, str]:
        cookie = new_token(self._random_bytes)

        def work(change: Change) -> PortalSession:
            tenant = change.stores.tenants.get(blank.organization_id, blank.tenant_id)
            if tenant is not None and tenant.suspended and blank.entry is not Entry.VIEW:
                raise Forbidden("This account is suspended. Ask whoever runs it for you.", code="tenant_suspended")
            opened = self._opened(blank, cookie, origin, change.now)
            session = replace(opened, id=change.new_id("pses"), expires_at=blank.expires_at)
            change.stores.portal_sessions.prune(change.now)
            change.stores.portal_sessions.add(session)
            _record(change, session, "view_as" if session.entry is Entry.VIEW else "open")
            return session

        return await self._administration.change(principal, work), cookie

    def _opened(self, session: PortalSession, cookie: str, origin: Origin, now: int) -> PortalSession:
        return replace(
            session,
            token_hash=self._hash(cookie),
            client_ip=origin.client_ip,
            user_agent=str(json.loads(origin.headers).get("user-agent", ""))[:200],
            opened_at=now,
            seen_at=now,
            expires_at=now + self._span.lifetime_s * NANOS_PER_SECOND,
        )

    def _hash(self, token: str) -> bytes:
        return keys.hash_key(token, self._pepper)


def _place(stores: Stores, session: PortalSession) -> _Place | None:
    """None: the tenant, or the user, is gone."""
    tenant = stores.tenants.get(session.organization_id, session.tenant_id)
    organization = stores.organizations.get(session.organization_id)
    if tenant is None or organization is None:
        return None
    workspace = stores.workspaces.get(session.organization_id, tenant.workspace_id)
    member = None if session.user_id is None else stores.tenant_members.get(tenant.id, session.user_id)
    return _Place(
        tenant=tenant,
        workspace_portal=dict(workspace.portal) if workspace is not None else {},
        time_zone=organization.time_zone,
        origins=organization.portal_origins,
        role=member.role if member is not None else None,
        key=None if session.key_id is None else stores.api_keys.get(session.key_id),
    )


def _record(change: Change, session: PortalSession, action: str) -> None:
    tenant = change.stores.tenants.get(session.organization_id, session.tenant_id)
    body = {"tenant_id": session.tenant_id, "entry": session.entry, "name": session.name}
    within = {} if tenant is None else {"workspace_id": tenant.workspace_id}
    change.record(action, f"portal_session:{session.id}", body | within | {"client_ip": session.client_ip})


def _no_link() -> Unauthenticated:
    return Unauthenticated(
        "This link does not open the portal, or not any more: it works once, and for a short time. Ask for a new one.",
        code="no_portal_link",
    )


def _no_session() -> Unauthenticated:
    return Unauthenticated("Your session is over. Come in again.", code="no_session")
