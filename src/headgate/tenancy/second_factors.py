"""Second factors of users with a password: set up, asked for at every sign-in, taken off."""

import hashlib
import os
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Final, TypeVar

from headgate.base.errors import Conflict, InvalidRequest, Unauthenticated
from headgate.base.ids import RandomBytes, base32
from headgate.tenancy import keys
from headgate.tenancy.administration import Administration, Change
from headgate.tenancy.attempts import Attempts
from headgate.tenancy.origin import Origin
from headgate.tenancy.passwords import Passwords
from headgate.tenancy.principal import Principal
from headgate.tenancy.second_factor import SECRET_BYTES, SecondFactor, otpauth, secret_text, step_of
from headgate.tenancy.tickets import Tickets
from headgate.tenancy.user import User
from headgate.tenancy.users import existing_user, require_may_let_in
from headgate.tenancy.vault import Vault

T = TypeVar("T")
ISSUER: Final = "Headgate"
"""Under this name an app lists its codes."""
RECOVERY_CODES: Final = 10
_RECOVERY_LENGTH: Final = 16
"""Characters of 5 bits."""
_PURPOSE: Final = "second factor"
_ENROLMENT: Final = "enrolment"
_WITHIN_S: Final = 300


class SecondFactorNeeded(Unauthenticated):
    """The password was right, and a code is to come. `ticket` says so for a few minutes."""

    code = "second_factor"

    def __init__(self, ticket: str) -> None:
        super().__init__("Enter the code that your app shows now.")
        self.ticket = ticket


class EnrolmentNeeded(Unauthenticated):
    """The password was right, and the organization requires a second factor, which is to be set up first. `ticket` says
    so for a few minutes."""

    code = "second_factor_enrolment"

    def __init__(self, ticket: str) -> None:
        super().__init__("Set up a second factor first: your organization requires one.")
        self.ticket = ticket


@dataclass(frozen=True, slots=True)
class Enrolment:
    """What an app is told, as text and as an address that a QR code holds: seen until the first code is confirmed."""

    secret: str = field(repr=False)
    address: str = field(repr=False)


class SecondFactorService:
    """A code works once. Whoever enters wrong ones is held up, whatever else he knows."""

    def __init__(
        self,
        administration: Administration,
        vault: Vault,
        passwords: Passwords,
        pepper: bytes,
        tickets: Tickets,
        random_bytes: RandomBytes = os.urandom,
    ) -> None:
        self._administration = administration
        self._vault = vault
        self._passwords = passwords
        self._pepper = pepper
        self._tickets = tickets
        self._random_bytes = random_bytes
        self._attempts = Attempts(administration, "second factor")

    async def of(self, user_id: str) -> SecondFactor | None:
        """The one that he is asked for."""
        found = await self._administration.transactions.read(lambda stores: stores.second_factors.get(user_id))
        return found if found is not None and found.confirmed_at is not None else None

    async def ask(self, user: User) -> None:
        """Of who has shown his password. Raises `SecondFactorNeeded` where he has one, and `EnrolmentNeeded` where he
        has none and is to have one."""
        if await self.of(user.id) is not None:
            raise SecondFactorNeeded(await self._ticket(_PURPOSE, user))
        if await self.required(user.organization_id):
            raise EnrolmentNeeded(await self._ticket(_ENROLMENT, user))

    async def required(self, organization_id: str) -> bool:
        """Whether its users need one who sign in with a password."""
        found = await self._administration.transactions.read(lambda stores: stores.organizations.get(organization_id))
        return found is not None and found.require_second_factor

    async def user_with(self, ticket: str, code: str, origin: Origin) -> User:
        """Who brings a ticket back with a code, or with one of his recovery codes. Raises `Unauthenticated`, and
        `RateLimited` for who guesses."""
        principal, user_id = await self._holder(_PURPOSE, ticket, origin)

        def work(change: Change) -> User:
            self._take(change, user_id, code)
            return existing_user(change.stores, principal, user_id)

        return await self._tried(principal, user_id, work)

    async def begin(self, principal: Principal, user_id: str, password: str) -> Enrolment:
        """A new secret, which is asked for once a code of it is confirmed. Raises `InvalidRequest` for a wrong
        password, and `Conflict` where one is in force."""
        await self._require_password(user_id, password)
        return await self._begin(principal, user_id)

    async def begin_with(self, ticket: str, origin: Origin) -> Enrolment:
        """The same for who brings the ticket of `EnrolmentNeeded`. Raises `Unauthenticated` for one that is over."""
        return await self._begin(*await self._holder(_ENROLMENT, ticket, origin))

    async def begun_with(self, ticket: str, origin: Origin) -> Enrolment:
        """As `begun`."""
        return await self.begun(*await self._holder(_ENROLMENT, ticket, origin))

    async def confirm_with(self, ticket: str, code: str, origin: Origin) -> tuple[User, list[str]]:
        """As `confirm`, and whose it is."""
        principal, user_id = await self._holder(_ENROLMENT, ticket, origin)
        codes = await self.confirm(principal, user_id, code, "")
        user = await self._administration.transactions.read(lambda stores: existing_user(stores, principal, user_id))
        return user, codes

    async def _begin(self, principal: Principal, user_id: str) -> Enrolment:
        secret = self._random_bytes(SECRET_BYTES)

        def work(change: Change) -> User:
            user = existing_user(change.stores, principal, user_id)
            _refuse_second(change.stores.second_factors.get(user_id))
            blank = SecondFactor(
                user_id=user_id, organization_id=user.organization_id, sealed_secret=b"", created_at=change.now
            )
            sealed = self._vault.seal(secret, blank.organization_id, blank.secret_row)
            change.stores.second_factors.put(replace(blank, sealed_secret=sealed))
            change.record("begin", f"second_factor:{user_id}", {})
            return user

        user = await self._administration.change(principal, work)
        return Enrolment(secret_text(secret), otpauth(secret, ISSUER, user.email))

    async def begun(self, principal: Principal, user_id: str) -> Enrolment:
        """The one that is not confirmed yet, to be shown once more. Raises `Conflict`."""
        found = await self._administration.transactions.read(
            lambda stores: (stores.second_factors.get(user_id), existing_user(stores, principal, user_id))
        )
        secret = self._vault.open(*_sealed(_pending(found[0])))
        return Enrolment(secret_text(secret), otpauth(secret, ISSUER, found[1].email))

    async def confirm(self, principal: Principal, user_id: str, code: str, session_id: str) -> list[str]:
        """From now on it is asked for; the recovery codes, this once. All his sessions but this one end. Raises
        `InvalidRequest` for a wrong code."""
        codes = [self._recovery_code() for _ in range(RECOVERY_CODES)]

        def work(change: Change) -> list[str]:
            factor = _pending(change.stores.second_factors.get(user_id))
            step = step_of(self._vault.open(*_sealed(factor)), _plain(code), change.now)
            if step is None:
                raise InvalidRequest("This is not the code that your app shows now. Enter the next one.", param="code")
            hashes = tuple(self._hash(each) for each in codes)
            change.stores.second_factors.put(
                replace(factor, confirmed_at=change.now, last_step=step, recovery_hashes=hashes)
            )
            change.stores.sessions.remove_all(user_id, session_id)
            change.stores.portal_sessions.remove_all(user_id, session_id)
            change.record("create", f"second_factor:{user_id}", {"recovery_codes": len(codes)})
            return codes

        return await self._tried(principal, user_id, work)

    async def take_off(self, principal: Principal, user_id: str, password: str, code: str) -> None:
        """By himself, with both. Raises `InvalidRequest` for a wrong password, `Unauthenticated` for a wrong code, and
        `Conflict` where the organization requires one."""
        if await self.required(principal.organization_id):
            raise Conflict("Your organization requires a second factor. An administrator can reset yours.")
        await self._require_password(user_id, password)

        def work(change: Change) -> None:
            self._take(change, user_id, code)
            change.stores.second_factors.remove(user_id)
            change.record("delete", f"second_factor:{user_id}", {})

        await self._tried(principal, user_id, work)

    async def reset(self, principal: Principal, user_id: str) -> None:
        """By an administrator, for who has lost his telephone and his recovery codes. His sessions end."""
        principal.require_organization()

        def work(change: Change) -> None:
            user = existing_user(change.stores, principal, user_id)
            require_may_let_in(change, user)
            if change.stores.second_factors.get(user_id) is None:
                raise Conflict("He has no second factor.")
            change.stores.second_factors.remove(user_id)
            change.stores.sessions.remove_all(user_id)
            change.stores.portal_sessions.remove_all(user_id)
            change.record("reset", f"second_factor:{user_id}", {})

        await self._administration.change(principal, work)

    def _take(self, change: Change, user_id: str, typed: str) -> None:
        """The code is used up. Raises `Unauthenticated` in the same words whatever was wrong with it."""
        factor, code = change.stores.second_factors.get(user_id), _plain(typed)
        if factor is not None and factor.confirmed_at is not None:
            step = step_of(self._vault.open(*_sealed(factor)), code, change.now)
            if step is not None and step > factor.last_step:
                change.stores.second_factors.put(replace(factor, last_step=step))
                change.record("use", f"second_factor:{user_id}", {"with": "code"})
                return
            if (digest := self._hash(code)) in factor.recovery_hashes:
                left = tuple(each for each in factor.recovery_hashes if each != digest)
                change.stores.second_factors.put(replace(factor, recovery_hashes=left))
                change.record("use", f"second_factor:{user_id}", {"with": "recovery code", "left": len(left)})
                return
        raise Unauthenticated(
            "This is not the code that your app shows now, or it was used already. Enter the next one.",
            code="wrong_code",
        )

    async def _tried(self, principal: Principal, user_id: str, work: Callable[[Change], T]) -> T:
        async with self._attempts.trying(f"code of {user_id}"):
            return await self._administration.change(principal, work)

    async def _require_password(self, user_id: str, password: str) -> None:
        async with self._attempts.trying(f"password of {user_id}"):
            kept = await self._administration.transactions.read(lambda stores: stores.passwords.get(user_id))
            if not await self._passwords.right(password, kept):
                raise InvalidRequest("This is not your present password.", param="password")

    async def _ticket(self, purpose: str, user: User) -> str:
        whose = {"organization": user.organization_id, "user": user.id, "password": await self._mark(user.id)}
        return self._tickets.issue(purpose, whose, _WITHIN_S)

    async def _holder(self, purpose: str, ticket: str, origin: Origin) -> tuple[Principal, str]:
        whose = self._tickets.read(purpose, ticket)
        if whose is None or whose["password"] != await self._mark(whose["user"]):
            raise Unauthenticated("That took too long. Sign in again.", code="second_factor_over")
        user_id = whose["user"]
        return Principal(whose["organization"], f"user:{user_id}", frozenset(), user_id=user_id, origin=origin), user_id

    async def _mark(self, user_id: str) -> str:
        """Of the password that is his now: a ticket ends with it."""
        kept = await self._administration.transactions.read(lambda stores: stores.passwords.get(user_id))
        return hashlib.sha256((kept or "").encode()).hexdigest()

    def _recovery_code(self) -> str:
        text = base32(int.from_bytes(self._random_bytes(_RECOVERY_LENGTH * 5 // 8)), _RECOVERY_LENGTH)
        return "-".join(text[at : at + 4] for at in range(0, _RECOVERY_LENGTH, 4))

    def _hash(self, code: str) -> str:
        return keys.hash_key(_plain(code), self._pepper).hex()


def _plain(typed: str) -> str:
    """As it is compared: people copy blanks and hyphens too."""
    return "".join(typed.replace("-", "").split()).lower()[:64]


def _pending(factor: SecondFactor | None) -> SecondFactor:
    _refuse_second(factor)
    if factor is None:
        raise Conflict("Begin by entering your password.")
    return factor


def _refuse_second(factor: SecondFactor | None) -> None:
    if factor is not None and factor.confirmed_at is not None:
        raise Conflict("You have a second factor already. Take it off first.")


def _sealed(factor: SecondFactor) -> tuple[bytes, str, str]:
    """What the vault opens."""
    return factor.sealed_secret, factor.organization_id, factor.secret_row
