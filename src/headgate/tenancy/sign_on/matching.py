"""Which user somebody is, of whom the issuer speaks: one it was before, one with his address, one who is invited."""

import os
from dataclasses import dataclass

from headgate.base.errors import Forbidden
from headgate.base.ids import RandomBytes, object_id
from headgate.tenancy import keys
from headgate.tenancy.acceptance import Accepted, accept_invite
from headgate.tenancy.administration import Administration, Change
from headgate.tenancy.invite import Invite, InviteStatus
from headgate.tenancy.membership import add_member
from headgate.tenancy.origin import Origin
from headgate.tenancy.principal import Principal
from headgate.tenancy.roles import WorkspaceRole
from headgate.tenancy.scopes import ORGANIZATION_SCOPES
from headgate.tenancy.sign_on.id_token import Claims
from headgate.tenancy.sign_on.issuer import SignOnSettings
from headgate.tenancy.stores import Stores
from headgate.tenancy.user import User
from headgate.tenancy.users import organization_role, seen
from headgate.tenancy.workspaces import visible_workspace


@dataclass(frozen=True, slots=True)
class Matched:
    """`made`: what came of his invite, where he accepted it with this."""

    user: User
    made: Accepted | None = None


@dataclass(frozen=True, slots=True)
class _Found:
    """What the stores know of him. `organization_id` is where he belongs, or would."""

    organization_id: str
    user: User | None = None
    linked: bool = False
    invite: Invite | None = None


class Matching:
    """Once he has come, he is known by the issuer's subject: another one with the same address is not let in as him."""

    def __init__(
        self,
        administration: Administration,
        settings: SignOnSettings,
        pepper: bytes,
        random_bytes: RandomBytes = os.urandom,
    ) -> None:
        self._administration = administration
        self._settings = settings
        self._pepper = pepper
        self._random_bytes = random_bytes

    async def user_of(self, claims: Claims, origin: Origin) -> Matched:
        """Raises `Forbidden`, in words for him, where he is not let in."""
        self._require_address(claims)
        found = await self._administration.transactions.read(lambda stores: self._found(stores, claims))
        if found.user is not None and found.linked:
            return Matched(found.user)
        user_id = found.user.id if found.user is not None else object_id("usr", self._random_bytes)
        principal = Principal(
            found.organization_id, f"user:{user_id}", ORGANIZATION_SCOPES, user_id=user_id, origin=origin
        )
        invited = found.invite.workspaces if found.invite is not None else ()
        minted = [keys.mint(self._pepper, self._random_bytes) for _ in invited]

        def work(change: Change) -> Matched:
            if self._found(change.stores, claims) != found:
                raise Forbidden("Something about you was changed just now. Sign in again.", code="sign_on_changed")
            if found.user is not None:
                matched = Matched(found.user)
            elif found.invite is not None:
                names = {"first_name": claims.first_name, "last_name": claims.last_name}
                made = accept_invite(change, found.invite, user_id, names, None, minted)
                matched = Matched(made.user, made)
            else:
                matched = Matched(self._new(change, user_id, claims))
            issuer = self._settings.issuer
            change.stores.identities.link(issuer, claims.subject, matched.user.id, change.now)
            change.record("link", f"user:{matched.user.id}", {"issuer": issuer, "subject": claims.subject})
            return matched

        return await self._administration.change(principal, work)

    def _require_address(self, claims: Claims) -> None:
        if not claims.email_verified:
            raise Forbidden(
                "Where you signed in, your e-mail address is not confirmed. Confirm it there, then come back.",
                code="sign_on_unverified",
            )
        domains = self._settings.domains
        if domains and claims.email.rpartition("@")[2] not in domains:
            raise Forbidden("Addresses such as yours are not let in here.", code="sign_on_domain")

    def _found(self, stores: Stores, claims: Claims) -> _Found:
        issuer = self._settings.issuer
        organizations = [each.id for each in stores.organizations.all()]
        known = stores.identities.user_of(issuer, claims.subject)
        for each in organizations:
            if known is not None and (user := stores.users.get(each, known)) is not None:
                return _Found(each, user, linked=True)
        for each in organizations:
            if (user := stores.users.with_email(each, claims.email)) is not None:
                if stores.identities.subject_of(issuer, user.id) is not None:
                    raise Forbidden(
                        "Your address is that of somebody who came as another person before. Ask an administrator.",
                        code="sign_on_other",
                    )
                return _Found(each, user)
        now = self._administration.clock.now()
        for each in organizations:
            invite = stores.invites.pending(each, claims.email)
            if invite is not None and invite.status(now) is InviteStatus.PENDING:
                return _Found(each, invite=invite)
        if self._settings.role is None:
            raise Forbidden(
                f"There is no user {claims.email} here. Ask an administrator to invite you.", code="sign_on_unknown"
            )
        return _Found(organizations[0])

    def _new(self, change: Change, user_id: str, claims: Claims) -> User:
        user = User(
            id=user_id,
            organization_id=change.principal.organization_id,
            email=claims.email,
            first_name=claims.first_name,
            last_name=claims.last_name,
            role=organization_role(self._settings.role, "oidc_default_role"),
            created_at=change.now,
            updated_at=change.now,
        )
        change.stores.users.add(user)
        change.record("create", f"user:{user_id}", seen(user))
        if self._settings.workspace is not None and not user.administers:
            place = visible_workspace(change.stores, change.principal, self._settings.workspace)
            add_member(change, place.id, user.id, WorkspaceRole.MEMBER)
        return user
