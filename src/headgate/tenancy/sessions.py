"""Signing in to the console, and out."""

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final, Protocol

from headgate.base.clock import NANOS_PER_SECOND
from headgate.base.errors import Forbidden, InvalidRequest, Unauthenticated
from headgate.base.ids import RandomBytes, new_token
from headgate.tenancy import keys
from headgate.tenancy.administration import Administration, Change
from headgate.tenancy.attempts import Attempts
from headgate.tenancy.origin import Origin
from headgate.tenancy.passwords import Passwords
from headgate.tenancy.policy import Policy
from headgate.tenancy.principal import Principal, not_found
from headgate.tenancy.scopes import ACT_AS
from headgate.tenancy.second_factors import SecondFactorService
from headgate.tenancy.session import Session
from headgate.tenancy.stores import Stores
from headgate.tenancy.user import User
from headgate.tenancy.workspace import Workspace

_SEEN_EVERY: Final = 60 * NANOS_PER_SECOND
_CALLING: Final = frozenset({"completions.write", "models.list", ACT_AS})
"""Scopes that open no page."""


class KeyRing(Protocol):
    """What the directory of policies knows of keys; see `tenancy.directory`."""

    async def authenticate(self, text: str) -> Policy: ...
    async def vouched(self, key_id: str, digest: bytes) -> Policy: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """How long a session lasts, in seconds: without a sign of life, and in all."""

    idle_s: int = 12 * 3_600
    lifetime_s: int = 7 * 86_400


@dataclass(frozen=True, slots=True)
class Signed:
    """Who has signed in. `workspaces`: those that a user may choose from, who does not administer all. `time_zone` is
    his organization's."""

    session: Session
    principal: Principal
    name: str
    time_zone: str
    workspaces: Sequence[Workspace] = ()


class SessionService:
    """The cookie's token is a secret of 200 random bits, seen by nobody but the browser; its HMAC is kept."""

    def __init__(
        self,
        administration: Administration,
        key_ring: KeyRing,
        passwords: Passwords,
        pepper: bytes,
        span: Span,
        second_factors: SecondFactorService,
        random_bytes: RandomBytes = os.urandom,
    ) -> None:
        self._administration = administration
        self._key_ring = key_ring
        self._passwords = passwords
        self._pepper = pepper
        self._span = span
        self._second_factors = second_factors
        self._random_bytes = random_bytes
        self._attempts = Attempts(administration, "sign in")

    async def sign_in_with_key(self, text: str, origin: Origin) -> tuple[Session, str]:
        """A session and its token. Raises as `key_shown`, and `Forbidden` for a key that administers nothing."""
        policy, digest = await self.key_shown(text, origin)
        if policy.tenant_id is not None or not policy.scopes - _CALLING:
            raise Forbidden("This key makes calls and administers nothing. Sign in with an admin key.")
        principal = replace(Principal.of(policy), origin=origin)
        return await self._open(principal, policy.workspace_id or None, key_hash=digest)

    async def key_shown(self, text: str, origin: Origin) -> tuple[Policy, bytes]:
        """What holds for somebody who shows this key, and the HMAC of what he showed. Raises `Unauthenticated`, and
        `RateLimited` for who guesses."""
        parsed = keys.parse(text) or keys.chosen(text)
        name = "" if parsed is None else parsed.id
        async with self._attempts.trying(name, origin.client_ip):
            policy = await self._key_ring.authenticate(text)
        return policy, keys.hash_key(text, self._pepper)

    async def sign_in_with_password(self, email: str, password: str, origin: Origin) -> tuple[Session, str]:
        """The same for a user. Raises as `user_with`, and as `open_for`."""
        return await self.open_for(await self.user_with(email, password, origin), origin)

    async def user_with(self, email: str, password: str, origin: Origin) -> User:
        """Whose they are. Raises `Unauthenticated` in the same words whatever was wrong, after the same time,
        `RateLimited` for who guesses, and `SecondFactorNeeded` where they are right and a code is to come."""
        name = email.strip().lower()[:320]
        async with self._attempts.trying(name, origin.client_ip):
            found = await self._administration.transactions.read(lambda stores: stores.passwords.of_email(name))
            right = [user for user, kept in found if await self._passwords.right(password, kept)]
            if not found:
                await self._passwords.right(password, None)
            if not right:
                raise Unauthenticated(
                    "This is not the e-mail address and the password of a user.", code="wrong_password"
                )
        await self._second_factors.ask(right[0])
        return right[0]

    async def open_for(self, user: User, origin: Origin) -> tuple[Session, str]:
        """For somebody whose identity is established. Raises `Forbidden` for who has no place anywhere."""
        workspace_id = None
        if not user.administers:
            places = await self._administration.transactions.read(lambda stores: stores.members.of_users([user.id]))
            workspace_id = places[0].workspace_id if places else None
        principal = await self._administration.transactions.read(
            lambda stores: _principal_of(stores, user, workspace_id)
        )
        return await self._open(replace(principal, origin=origin), workspace_id)

    async def signed_in(self, token: str) -> Signed:
        """Whose token it is, with the rights he has now. Raises `Unauthenticated` for one that is no session's, or not
        any more."""
        digest = self._hash(token)
        found = await self._administration.transactions.read(
            lambda stores: _found(stores, stores.sessions.with_token(digest))
        )
        return await self._signed(*found)

    async def still(self, session_id: str) -> Signed:
        """The same by the session's id, for what somebody has begun from it."""
        found = await self._administration.transactions.read(
            lambda stores: _found(stores, stores.sessions.get(session_id))
        )
        return await self._signed(*found)

    async def _signed(self, session: Session | None, zone: str) -> Signed:
        now = self._administration.clock.now()
        if session is None or now >= min(session.expires_at, session.seen_at + self._span.idle_s * NANOS_PER_SECOND):
            raise _no_session()
        signed = await (self._with_key if session.key_id is not None else self._with_user)(session, zone)
        if now - session.seen_at >= _SEEN_EVERY:
            await self._administration.transactions.write(lambda stores: stores.sessions.seen(session.id, now))
        return signed

    async def of(self, signed: Signed) -> Sequence[Session]:
        """All that the same user or key has open, the latest first."""
        now = self._administration.clock.now()
        idle = now - self._span.idle_s * NANOS_PER_SECOND
        found = await self._administration.transactions.read(lambda stores: stores.sessions.of(signed.session))
        return [each for each in found if each.expires_at > now and each.seen_at > idle]

    async def end(self, signed: Signed, session_id: str) -> None:
        """Sign out: this session, or another one of the same user or key. Raises `NotFound`."""

        def work(change: Change) -> None:
            mine = {each.id for each in change.stores.sessions.of(signed.session)}
            if session_id not in mine:
                raise not_found("session", session_id)
            change.stores.sessions.remove(session_id)
            change.record("delete", f"session:{session_id}", {})

        await self._administration.change(signed.principal, work)

    async def end_others(self, signed: Signed) -> None:
        """All of the same user or key but this one; a user's in the portal, too."""

        def work(change: Change) -> None:
            others = [each for each in change.stores.sessions.of(signed.session) if each.id != signed.session.id]
            for each in others:
                change.stores.sessions.remove(each.id)
            if signed.session.user_id is not None:
                change.stores.portal_sessions.remove_all(signed.session.user_id)
            change.record("end_others", f"session:{signed.session.id}", {"ended": [each.id for each in others]})

        await self._administration.change(signed.principal, work)

    async def choose(self, signed: Signed, workspace_id: str) -> None:
        """Look around in another of one's workspaces. Raises `NotFound`."""
        if workspace_id not in {each.id for each in signed.workspaces}:
            raise not_found("workspace", workspace_id)
        session = signed.session
        await self._administration.transactions.write(lambda stores: stores.sessions.choose(session.id, workspace_id))

    async def change_password(self, signed: Signed, before: str, after: object) -> None:
        """Of the user himself, who knows the one before. All his other sessions end."""
        user_id = signed.session.user_id
        if user_id is None:
            raise InvalidRequest("Whoever signs in with a key has no password.")
        async with self._attempts.trying(f"password of {user_id}"):
            kept = await self._administration.transactions.read(lambda stores: stores.passwords.get(user_id))
            if not await self._passwords.right(before, kept):
                raise InvalidRequest("This is not your present password.", param="before")
        hashed = await self._passwords.hashed(after, "after")

        def work(change: Change) -> None:
            change.stores.passwords.put(user_id, hashed, change.now)
            change.stores.sessions.remove_all(user_id, signed.session.id)
            change.stores.portal_sessions.remove_all(user_id)
            change.record("update", f"user:{user_id}", {"fields": ["password"]})

        await self._administration.change(signed.principal, work)

    async def _open(
        self, principal: Principal, workspace_id: str | None, *, key_hash: bytes | None = None
    ) -> tuple[Session, str]:
        assert principal.origin is not None
        origin = principal.origin
        token = new_token(self._random_bytes)

        def work(change: Change) -> Session:
            session = Session(
                id=change.new_id("ses"),
                organization_id=principal.organization_id,
                token_hash=self._hash(token),
                user_id=principal.user_id if principal.key_id is None else None,
                key_id=principal.key_id,
                key_hash=key_hash,
                workspace_id=workspace_id,
                client_ip=origin.client_ip,
                user_agent=_user_agent(origin),
                created_at=change.now,
                seen_at=change.now,
                expires_at=change.now + self._span.lifetime_s * NANOS_PER_SECOND,
            )
            change.stores.sessions.prune(change.now)
            change.stores.sessions.add(session)
            change.record("create", f"session:{session.id}", {"client_ip": session.client_ip})
            return session

        return await self._administration.change(principal, work), token

    async def _with_key(self, session: Session, zone: str) -> Signed:
        assert session.key_id is not None
        assert session.key_hash is not None
        policy = await self._key_ring.vouched(session.key_id, session.key_hash)
        return Signed(session, Principal.of(policy), policy.key_name, zone)

    async def _with_user(self, session: Session, zone: str) -> Signed:
        def work(stores: Stores) -> Signed:
            user = stores.users.get(session.organization_id, session.user_id or "")
            if user is None:
                raise _no_session()
            places = () if user.administers else stores.members.of_users([user.id])
            found = [stores.workspaces.get(user.organization_id, each.workspace_id) for each in places]
            workspaces = [each for each in found if each is not None]
            chosen = session.workspace_id
            if not user.administers and chosen not in {each.id for each in workspaces}:
                chosen = workspaces[0].id if workspaces else None  # he was taken out of where he was
            name = f"{user.first_name} {user.last_name}".strip()
            return Signed(session, _principal_of(stores, user, chosen), name, zone, workspaces)

        return await self._administration.transactions.read(work)

    def _hash(self, token: str) -> bytes:
        return keys.hash_key(token, self._pepper)


def _found(stores: Stores, session: Session | None) -> tuple[Session | None, str]:
    organization = None if session is None else stores.organizations.get(session.organization_id)
    return session, "UTC" if organization is None else organization.time_zone


def _principal_of(stores: Stores, user: User, workspace_id: str | None) -> Principal:
    if user.administers:
        return Principal.of_user(user)
    return Principal.of_user(user, stores.members.get(workspace_id, user.id) if workspace_id is not None else None)


def _user_agent(origin: Origin) -> str:
    """It is shown to its owner, to tell his sessions apart."""
    return str(json.loads(origin.headers).get("user-agent", ""))[:200]


def _no_session() -> Unauthenticated:
    return Unauthenticated("Your session is over. Sign in again.", code="no_session")
