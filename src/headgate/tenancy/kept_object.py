"""Something that lives at a provider and belongs to whoever had it made: a response, a file, a batch."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Owner:
    """A tenant where there is one, else a key: customers may be either, and none sees what another's is."""

    organization_id: str
    workspace_id: str
    tenant_id: str | None
    key_id: str


@dataclass(frozen=True, slots=True)
class KeptObject:
    """`id` is the provider's own. Times are nanoseconds."""

    id: str
    integration_id: str
    kind: str
    """`response`, `message` (one that can be named again), `container`, `file` or `batch`."""
    organization_id: str
    workspace_id: str
    tenant_id: str | None
    key_id: str
    model: str
    created_at: int
    document: str = ""
    """As the provider showed it last, in JSON; empty for a response, which is asked for each time."""

    def belongs_to(self, owner: Owner) -> bool:
        if (self.organization_id, self.workspace_id) != (owner.organization_id, owner.workspace_id):
            return False
        return self.tenant_id == owner.tenant_id and (owner.tenant_id is not None or self.key_id == owner.key_id)


class KeptObjects(Protocol):
    """Where they are written down. Raises `Unavailable` where the database is away."""

    async def put(self, found: KeptObject) -> None:
        """Add it, or change what it is as `document`."""
        ...

    async def named(self, identifiers: Sequence[str]) -> list[KeptObject]:
        """All that have one of these ids, whoever owns them."""
        ...

    async def of(self, owner: Owner, kind: str) -> list[KeptObject]:
        """The owner's, the newest first."""
        ...

    async def remove(self, found: KeptObject) -> None: ...
