"""Who is asking for a change: a key or a user at the control plane, or the operator at the machine."""

from dataclasses import dataclass
from typing import Self

from headgate.base.errors import Forbidden, NotFound
from headgate.tenancy.kept_answer import KeptAnswer
from headgate.tenancy.model_names import ModelNames
from headgate.tenancy.origin import Origin
from headgate.tenancy.policy import Policy
from headgate.tenancy.scopes import ORGANIZATION_SCOPES
from headgate.tenancy.user import Member, User, scopes_in_organization, scopes_in_workspace


@dataclass(frozen=True, slots=True)
class Principal:
    """`actor` is what the audit log keeps: `api_key:<id>`, `user:<id>` for a session, `operator` for commands on the
    machine itself, or `headgate` for what it does by itself."""

    organization_id: str
    actor: str
    scopes: frozenset[str]
    workspace_id: str | None = None
    """None: of the organization, and so of every workspace."""
    user_id: str | None = None
    """Whose key or session it is."""
    origin: Origin | None = None
    """The HTTP request that asks."""
    claim: KeptAnswer | None = None
    """Its idempotency key, where it has one."""
    models: ModelNames | None = None
    """All that its key may use, and so all that it may give to others; None: everything."""
    tenant_id: str | None = None
    """Whose calls alone it may look at, where it is a tenant's key."""

    @classmethod
    def of(cls, policy: Policy) -> Self:
        """A workspace's key acts in that workspace, the organization's key in all."""
        actor, workspace_id = f"api_key:{policy.key_id}", policy.workspace_id or None
        return cls(
            policy.organization_id,
            actor,
            policy.scopes,
            workspace_id,
            policy.user_id,
            models=policy.models,
            tenant_id=policy.tenant_id,
        )

    @classmethod
    def of_user(cls, user: User, member: Member | None = None) -> Self:
        """A session: in the workspace of `member`, or, for owners and admins, in the whole organization. Raises
        `Forbidden` for somebody who has no place in either."""
        actor = f"user:{user.id}"
        if member is not None:
            scopes = scopes_in_workspace(user, member)
            return cls(user.organization_id, actor, scopes, member.workspace_id, user.id)
        if not user.administers:
            raise Forbidden("You are not a member of any workspace here. Ask an administrator to add you to one.")
        return cls(user.organization_id, actor, scopes_in_organization(user), None, user.id)

    @classmethod
    def operator(cls, organization_id: str) -> Self:
        return cls(organization_id, "operator", ORGANIZATION_SCOPES)

    @property
    def key_id(self) -> str | None:
        """The API key that asks; None: somebody without one."""
        kind, _, key_id = self.actor.partition(":")
        return key_id if kind == "api_key" else None

    def require(self, *scopes: str) -> None:
        """Raises `Forbidden` unless one of the scopes is held."""
        if not any(scope in self.scopes for scope in scopes):
            wanted = f"the scope `{scopes[0]}`"
            if len(scopes) > 1:
                wanted = f"any of the scopes {', '.join(f'`{scope}`' for scope in scopes)}"
            who = "This API key does" if self.key_id is not None else "You do"
            raise Forbidden(f"{who} not have {wanted}. Ask an administrator to add it.", param=scopes[0])

    def require_organization(self) -> None:
        """Raises `Forbidden` for a workspace's key."""
        if self.workspace_id is not None:
            raise Forbidden("This needs an admin key of the organization, not a key of a workspace.")

    def require_sight(self, workspace_id: str | None, noun: str, reference: str) -> None:
        """Raises the `NotFound` of an absent object for one of another workspace, or of the organization itself."""
        if self.workspace_id is not None and workspace_id != self.workspace_id:
            raise not_found(noun, reference)


def not_found(noun: str, reference: str) -> NotFound:
    """Absent and foreign objects answer with the same words."""
    return NotFound(f"There is no {noun} `{reference[:100]}`.")
