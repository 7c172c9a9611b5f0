"""What the services need of storage for users, members and invites, and for answers that are given again."""

from collections.abc import Sequence
from typing import Protocol

from headgate.tenancy.invite import Invite, InviteStatus
from headgate.tenancy.kept_answer import KeptAnswer
from headgate.tenancy.page import Page
from headgate.tenancy.roles import OrganizationRole, WorkspaceRole
from headgate.tenancy.session import Session
from headgate.tenancy.user import Member, User


class UserStore(Protocol):
    def add(self, user: User) -> None: ...
    def update(self, user: User) -> None: ...
    def remove(self, user_id: str) -> None:
        """With his place in every workspace, all his ways in, and his sessions."""
        ...

    def get(self, organization_id: str, user_id: str) -> User | None: ...
    def with_email(self, organization_id: str, email: str) -> User | None: ...
    def find(
        self,
        organization_id: str,
        page: Page,
        *,
        role: OrganizationRole | None = None,
        email: str | None = None,
    ) -> tuple[Sequence[User], int]: ...
    def owners(self, organization_id: str) -> int:
        """How many there are."""
        ...


class MemberStore(Protocol):
    """Who is in which workspace."""

    def add(self, member: Member) -> None: ...
    def update(self, member: Member) -> None: ...
    def remove(self, workspace_id: str, user_id: str) -> None: ...
    def get(self, workspace_id: str, user_id: str) -> Member | None: ...
    def of_workspace(
        self, workspace_id: str, page: Page, *, role: WorkspaceRole | None = None, email: str | None = None
    ) -> tuple[Sequence[tuple[Member, User]], int]: ...
    def of_users(self, user_ids: Sequence[str]) -> Sequence[Member]:
        """All the places that these users have."""
        ...


class InviteStore(Protocol):
    def add(self, invite: Invite) -> None: ...
    def update(self, invite: Invite) -> None: ...
    def get(self, organization_id: str, invite_id: str) -> Invite | None: ...
    def with_token(self, token_hash: bytes) -> Invite | None: ...
    def pending(self, organization_id: str, email: str) -> Invite | None:
        """One that can still be accepted, or has expired without."""
        ...

    def find(
        self,
        organization_id: str,
        page: Page,
        *,
        now: int,
        role: OrganizationRole | None = None,
        email: str | None = None,
        status: InviteStatus | None = None,
    ) -> tuple[Sequence[Invite], int]: ...


class PasswordStore(Protocol):
    """What is kept of users' passwords."""

    def put(self, user_id: str, hashed: str, now: int) -> None:
        """In the place of the one before."""
        ...

    def get(self, user_id: str) -> str | None: ...
    def of_email(self, email: str) -> Sequence[tuple[User, str]]:
        """The users with that address, each of another organization, who have a password."""
        ...


class SessionStore(Protocol):
    """Who has signed in to the console."""

    def add(self, session: Session) -> None: ...
    def get(self, session_id: str) -> Session | None: ...
    def with_token(self, token_hash: bytes) -> Session | None: ...
    def of(self, session: Session) -> Sequence[Session]:
        """All of the same user or key, the latest first."""
        ...

    def seen(self, session_id: str, at: int) -> None: ...
    def choose(self, session_id: str, workspace_id: str) -> None: ...
    def remove(self, session_id: str) -> None: ...
    def remove_all(self, user_id: str, but: str = "") -> None:
        """Of the user; `but`: the id of the one that stays."""
        ...

    def remove_without_second_factor(self, organization_id: str) -> None:
        """Of all users who have a password and nothing beside it."""
        ...

    def prune(self, now: int) -> None:
        """Forget those that have expired."""
        ...


class AnswerStore(Protocol):
    """First answers to requests that carry an idempotency key."""

    def claim(self, answer: KeptAnswer) -> bool:
        """Whether the key was free; then it is taken."""
        ...

    def claim_again(self, before: KeptAnswer, answer: KeptAnswer) -> bool:
        """Take the key of a request that was never carried out; False where somebody else was first."""
        ...

    def get(self, organization_id: str, actor: str, key_hash: bytes) -> KeptAnswer | None: ...
    def carried_out(self, answer: KeptAnswer) -> None: ...
    def update(self, answer: KeptAnswer) -> None: ...
    def release(self, answer: KeptAnswer) -> None:
        """Its key is free again, unless the request was carried out."""
        ...

    def prune(self, now: int) -> None:
        """Forget those that have expired."""
        ...

    def charged(self, request_id: str) -> bool:
        """Whether there is a usage record of this call that a provider may have been paid for."""
        ...

    def unanswered(self) -> Sequence[KeptAnswer]:
        """The calls, of all organizations, of which nobody knows yet how they ended."""
        ...

    def kept(self, organization_id: str) -> Sequence[KeptAnswer]:
        """All that are sealed."""
        ...
