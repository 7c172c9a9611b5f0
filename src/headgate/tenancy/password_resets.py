"""A new password for who has forgotten his: by a letter he asks for, or by a link that an administrator hands him."""

import os
from typing import Final

from headgate.base.clock import NANOS_PER_SECOND
from headgate.base.errors import NotFound
from headgate.base.ids import RandomBytes, new_token
from headgate.tenancy import keys
from headgate.tenancy.administration import Administration, Change
from headgate.tenancy.attempts import Attempts
from headgate.tenancy.envelope import Envelope
from headgate.tenancy.moments import to_iso
from headgate.tenancy.origin import Origin
from headgate.tenancy.password_reset import PasswordReset
from headgate.tenancy.passwords import Passwords
from headgate.tenancy.principal import Principal
from headgate.tenancy.private_letter import post
from headgate.tenancy.user import User
from headgate.tenancy.users import existing_user, require_may_let_in
from headgate.tenancy.webhook import EventType

LINK: Final = "/console/password/new#token="
"""Behind `#`, because what stands there is sent to no server and so is in no log."""
LETTER_S: Final = 1_800
HANDED_S: Final = 86_400
"""How long a link is good: of a letter, and of an administrator's."""
LETTERS: Final = 3
"""To one address, within the window of `Attempts`."""


class PasswordResetService:
    """A link's token is a secret of 200 random bits, of which only the HMAC is kept. It works once; a second factor is
    asked for all the same. With an `envelope` people ask for letters themselves."""

    def __init__(
        self,
        administration: Administration,
        passwords: Passwords,
        pepper: bytes,
        url: str,
        envelope: Envelope | None,
        random_bytes: RandomBytes = os.urandom,
    ) -> None:
        self._administration = administration
        self._passwords = passwords
        self._pepper = pepper
        self._url = url
        self._envelope = envelope
        self._random_bytes = random_bytes
        self._asked = Attempts(administration, "letters", of_a_name=LETTERS)

    @property
    def mails(self) -> bool:
        """Whether there is a mail server."""
        return self._envelope is not None

    async def admit(self, email: str, origin: Origin) -> None:
        """Raises `RateLimited` for who asks too often, whether there is such a user or not."""
        await self._asked.count(_plain(email), origin.client_ip)

    async def ask(self, email: str, origin: Origin) -> None:
        """A letter to every user with this address who has a password: who signs in otherwise gets none this way. How
        long it takes tells whether there is one, so nobody is to wait for it."""
        envelope = self._envelope
        if envelope is None:
            return
        found = await self._administration.transactions.read(lambda stores: stores.passwords.of_email(_plain(email)))
        for user, _ in found:
            actor = Principal(user.organization_id, f"user:{user.id}", frozenset(), user_id=user.id, origin=origin)
            token = new_token(self._random_bytes)

            def work(change: Change, user: User = user, token: str = token) -> None:
                reset = self._add(change, user, token, LETTER_S)
                data = {"expires_at": to_iso(reset.expires_at)}
                kind, link = EventType.PASSWORD_RESET, self._link(token)
                post(change, envelope, kind, user.organization_id, user.email, link, data)
                change.record("ask", f"password_reset:{user.id}", {})

            await self._administration.change(actor, work)

    async def link(self, principal: Principal, user_id: str) -> tuple[User, PasswordReset, str]:
        """For an administrator to hand over: this is the only time it is seen. Raises `Forbidden` for a user who may do
        more than he may himself."""
        principal.require_organization()
        token = new_token(self._random_bytes)

        def work(change: Change) -> tuple[User, PasswordReset]:
            user = existing_user(change.stores, principal, user_id)
            require_may_let_in(change, user)
            reset = self._add(change, user, token, HANDED_S)
            change.record("create", f"password_reset:{user.id}", {"expires_at": reset.expires_at})
            return user, reset

        user, reset = await self._administration.change(principal, work)
        return user, reset, self._link(token)

    async def complete(self, token: str, password: str, origin: Origin) -> None:
        """All his sessions and all other links end. Raises `NotFound` in the same words for a link that is made up,
        used or too old, and `InvalidRequest` for a password that will not do."""
        digest = keys.hash_key(token, self._pepper)
        found = await self._administration.transactions.read(lambda stores: stores.password_resets.get(digest))
        if found is None:
            raise _no_link()
        hashed = await self._passwords.hashed(password)
        actor = f"user:{found.user_id}"
        principal = Principal(found.organization_id, actor, frozenset(), user_id=found.user_id, origin=origin)

        def work(change: Change) -> None:
            reset = change.stores.password_resets.get(digest)
            if reset is None or reset.expires_at <= change.now:
                raise _no_link()
            user = existing_user(change.stores, principal, reset.user_id)
            change.stores.passwords.put(user.id, hashed, change.now)
            change.stores.password_resets.remove_all(user.id)
            change.stores.sessions.remove_all(user.id)
            change.stores.portal_sessions.remove_all(user.id)
            change.stores.deliveries.withdraw(user.organization_id, EventType.PASSWORD_RESET, user.email)
            change.record("update", f"user:{user.id}", {"fields": ["password"], "by": "link"})

        await self._administration.change(principal, work)

    def _add(self, change: Change, user: User, token: str, valid_s: int) -> PasswordReset:
        reset = PasswordReset(
            token_hash=keys.hash_key(token, self._pepper),
            organization_id=user.organization_id,
            user_id=user.id,
            created_at=change.now,
            expires_at=change.now + valid_s * NANOS_PER_SECOND,
        )
        change.stores.password_resets.prune(change.now)
        change.stores.password_resets.add(reset)
        return reset

    def _link(self, token: str) -> str:
        return f"{self._url.rstrip('/')}{LINK}{token}"


def _plain(email: str) -> str:
    return email.strip().lower()[:320]


def _no_link() -> NotFound:
    return NotFound("This link is none, or not any more: it works once, and for a short time. Ask for a new one.")
