"""What configs, guardrails and prompts have in common: they are a workspace's or the organization's, and have a slug of
their own and a version for each time they are written."""

from collections.abc import Mapping
from typing import Any, Protocol, TypeVar

from headgate.tenancy.administration import Change
from headgate.tenancy.principal import Principal, not_found
from headgate.tenancy.stores import Page, Stores, VersionedStore
from headgate.tenancy.version import Version
from headgate.tenancy.workspaces import visible_workspace


class Versioned(Protocol):
    """A config, a guardrail or a prompt."""

    @property
    def id(self) -> str: ...
    @property
    def workspace_id(self) -> str | None: ...


V = TypeVar("V", bound=Versioned)


def place_of(change: Change, fields: Mapping[str, Any]) -> str | None:
    """The workspace that a new one is for; None: the organization's."""
    reference = fields.get("workspace_id") or change.principal.workspace_id
    return visible_workspace(change.stores, change.principal, reference).id if reference else None


def within(stores: Stores, principal: Principal, workspace: str | None) -> str | None:
    """The workspace whose are listed; None: all of them."""
    return visible_workspace(stores, principal, workspace).id if workspace else principal.workspace_id


def visible(store: VersionedStore[V], principal: Principal, noun: str, reference: str) -> V:
    """By id or slug. Raises the same `NotFound` for an absent one and one the principal may not see."""
    found = store.get(principal.organization_id, reference)
    if found is None:
        raise not_found(noun, reference)
    principal.require_sight(found.workspace_id, noun, reference)
    return found


def record(change: Change, action: str, noun: str, of: Versioned, body: Mapping[str, Any]) -> None:
    """In the audit log; calls of its workspace, or of all, are made with it from now on."""
    change.touched.within(of.workspace_id)
    change.record(action, f"{noun}:{of.id}", {**body, "workspace_id": of.workspace_id})


def free_slug(change: Change, store: VersionedStore[Any], prefix: str) -> str:
    """`<prefix>-` and six random characters."""
    while True:
        slug = f"{prefix}-{change.new_id(prefix)[-6:]}"
        if store.get(change.principal.organization_id, slug) is None:
            return slug


def next_version(
    change: Change, store: VersionedStore[Any], of_id: str, version_id: str, document: Mapping[str, Any]
) -> Version:
    """The one after the newest there is."""
    newest, _ = store.versions(of_id, Page(limit=1))
    return Version(
        id=version_id,
        of_id=of_id,
        number=newest[0].number + 1 if newest else 1,
        document=document,
        actor=change.principal.actor,
        created_at=change.now,
    )
