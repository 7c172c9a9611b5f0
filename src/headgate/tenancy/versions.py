"""What configs and guardrails have in common: a slug of their own, and a version for each time they are written."""

from collections.abc import Mapping
from typing import Any

from headgate.tenancy.administration import Change
from headgate.tenancy.stores import Page, VersionedStore
from headgate.tenancy.version import Version


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
