"""What the services of signing in need of storage."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from headgate.tenancy.password_reset import PasswordReset
from headgate.tenancy.second_factor import SecondFactor


class SecondFactorStore(Protocol):
    def put(self, factor: SecondFactor) -> None:
        """In the place of the one before."""
        ...

    def get(self, user_id: str) -> SecondFactor | None: ...
    def remove(self, user_id: str) -> None: ...
    def of_organization(self, organization_id: str) -> Sequence[SecondFactor]: ...


class IdentityStore(Protocol):
    """Who a user is to an issuer of identities."""

    def link(self, issuer: str, subject: str, user_id: str, now: int) -> None: ...
    def user_of(self, issuer: str, subject: str) -> str | None:
        """The id of who is this subject there."""
        ...

    def subject_of(self, issuer: str, user_id: str) -> str | None: ...


class PasswordResetStore(Protocol):
    def add(self, reset: PasswordReset) -> None: ...
    def get(self, token_hash: bytes) -> PasswordReset | None: ...
    def remove_all(self, user_id: str) -> None: ...
    def prune(self, now: int) -> None:
        """Forget those that have expired."""
        ...


class AttemptStore(Protocol):
    """Attempts that failed, or are under way. `subject`: what one counts against."""

    def recent(self, subjects: Sequence[str], since: int) -> Mapping[str, Sequence[int]]:
        """When those were that came after `since`, oldest first. Until the transaction ends nobody else counts against
        these."""
        ...

    def add(self, attempt: str, subjects: Sequence[str], at: int) -> None: ...
    def take_back(self, attempt: str) -> None: ...
    def forgive(self, subject: str) -> None:
        """All of them."""
        ...

    def prune(self, until: int) -> None:
        """Forget those that are no younger."""
        ...


class SignInStores(Protocol):
    """All of them, on one transaction."""

    @property
    def second_factors(self) -> SecondFactorStore: ...
    @property
    def identities(self) -> IdentityStore: ...
    @property
    def password_resets(self) -> PasswordResetStore: ...
    @property
    def attempts(self) -> AttemptStore: ...
