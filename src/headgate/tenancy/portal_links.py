"""Signed links into the portal: the platform's backend asks for one, its customer opens it, once."""

import os
from collections.abc import Mapping, Sequence
from typing import Any, Final
from urllib.parse import urlsplit

from headgate.base.clock import NANOS_PER_SECOND
from headgate.base.errors import InvalidRequest
from headgate.base.ids import RandomBytes, new_token
from headgate.tenancy import keys, rules
from headgate.tenancy.administration import Administration, Change
from headgate.tenancy.portal_session import Entry, PortalSession
from headgate.tenancy.principal import Principal, not_found
from headgate.tenancy.stores import Page, Stores
from headgate.tenancy.tenant_member import TenantRole, tenant_role
from headgate.tenancy.tenants import visible_tenant

LINK: Final = "/portal/enter?token="
VALID_S: Final = 300
SHORTEST_S: Final = 30
LONGEST_S: Final = 3_600


class PortalLinkService:
    """`fields`: `name`, `role`, `expires_in` (seconds), `return_url`. A link's token is a secret of 200 random bits, of
    which only the HMAC is kept: nobody makes one up, and nobody reads one out of the database."""

    def __init__(
        self, administration: Administration, pepper: bytes, url: str, random_bytes: RandomBytes = os.urandom
    ) -> None:
        self._administration = administration
        self._pepper = pepper
        self._url = url
        self._random_bytes = random_bytes

    async def create(self, principal: Principal, tenant: str, fields: Mapping[str, Any]) -> tuple[PortalSession, str]:
        """A session that is pending, and the link that opens it: this is the only time it is seen."""
        token = new_token(self._random_bytes)

        def work(change: Change) -> PortalSession:
            place = visible_tenant(change.stores, principal, tenant)
            valid = _seconds(fields.get("expires_in"))
            session = PortalSession(
                id=change.new_id("pses"),
                organization_id=place.organization_id,
                tenant_id=place.id,
                entry=Entry.LINK,
                role=tenant_role(fields.get("role") or TenantRole.MANAGER),
                name=rules.name(fields.get("name") or place.name),
                created_by=principal.actor,
                link_hash=keys.hash_key(token, self._pepper),
                return_url=_return_url(fields.get("return_url")),
                created_at=change.now,
                seen_at=change.now,
                expires_at=change.now + valid * NANOS_PER_SECOND,
            )
            change.stores.portal_sessions.prune(change.now)
            change.stores.portal_sessions.add(session)
            body = {"tenant_id": place.id, "workspace_id": place.workspace_id, "expires_at": session.expires_at}
            change.record("create", f"portal_session:{session.id}", body | {"name": session.name, "role": session.role})
            return session

        return await self._administration.change(principal, work), f"{self._url.rstrip('/')}{LINK}{token}"

    async def find(self, principal: Principal, tenant: str, page: Page) -> tuple[Sequence[PortalSession], int]:
        """Who looks at a tenant now or may with a link, the latest first."""
        now = self._administration.clock.now()

        def work(stores: Stores) -> tuple[Sequence[PortalSession], int]:
            return stores.portal_sessions.find(visible_tenant(stores, principal, tenant).id, page, now=now)

        return await self._administration.transactions.read(work)

    async def revoke(self, principal: Principal, tenant: str, session_id: str) -> None:
        """Its link opens nothing any more, and its cookie neither. Raises `NotFound`."""

        def work(change: Change) -> None:
            place = visible_tenant(change.stores, principal, tenant)
            session = change.stores.portal_sessions.get(place.id, session_id)
            if session is None:
                raise not_found("portal session", session_id)
            change.stores.portal_sessions.remove(session.id)
            body = {"tenant_id": place.id, "workspace_id": place.workspace_id, "name": session.name}
            change.record("delete", f"portal_session:{session.id}", body)

        await self._administration.change(principal, work)


def _seconds(value: object) -> int:
    if value is None:
        return VALID_S
    if not isinstance(value, int) or isinstance(value, bool) or not SHORTEST_S <= value <= LONGEST_S:
        raise InvalidRequest(f"`expires_in` must be {SHORTEST_S} to {LONGEST_S} seconds.", param="expires_in")
    return value


def _return_url(value: object) -> str | None:
    if value is None:
        return None
    found = rules.name(value, "return_url")
    try:
        parts = urlsplit(found)
        right = parts.scheme in ("http", "https") and bool(parts.hostname) and "@" not in parts.netloc
    except ValueError:
        right = False
    if not right:
        raise InvalidRequest(
            "`return_url` must be an address that begins with https:// or http://.", param="return_url"
        )
    return found
