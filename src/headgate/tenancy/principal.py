"""Who is asking for a change: a key at the control plane, or the operator at the machine."""

from dataclasses import dataclass
from typing import Self

from headgate.base.errors import Forbidden, NotFound
from headgate.tenancy.policy import Policy
from headgate.tenancy.scopes import ORGANIZATION_SCOPES


@dataclass(frozen=True, slots=True)
class Principal:
    """`actor` is what the audit log keeps: `api_key:<id>`, `operator` for commands on the machine itself, or `headgate`
    for what it does by itself."""

    organization_id: str
    actor: str
    scopes: frozenset[str]
    workspace_id: str | None = None
    """None: of the organization, and so of every workspace."""

    @classmethod
    def of(cls, policy: Policy) -> Self:
        """A workspace's key acts in that workspace, the organization's key in all."""
        return cls(policy.organization_id, f"api_key:{policy.key_id}", policy.scopes, policy.workspace_id or None)

    @classmethod
    def operator(cls, organization_id: str) -> Self:
        return cls(organization_id, "operator", ORGANIZATION_SCOPES)

    def require(self, *scopes: str) -> None:
        """Raises `Forbidden` unless one of the scopes is held."""
        if not any(scope in self.scopes for scope in scopes):
            raise Forbidden(
                f"This API key does not have the scope `{scopes[0]}`. Ask an administrator to add it.", param=scopes[0]
            )

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
