"""The capacity of an integration: how much there is for all its callers together, and how long they wait for it."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final

WAIT_MS: Final = 10_000
WAITING: Final = 1_000
WAITING_PER_TENANT: Final = 100


@dataclass(frozen=True, slots=True)
class Capacity:
    """None: as much as one likes. What is there is shared between tenants, by their weights."""

    max_concurrency: int | None = None
    """Calls under way at once."""
    requests_per_minute: int | None = None
    tokens_per_minute: int | None = None
    learned: bool = False
    """It is what the provider's answers say it is (rate limit headers, 429): of each model its own. Then there are no
    figures."""
    max_wait_ms: int = WAIT_MS
    """How long a call waits for its turn."""
    max_waiting: int = WAITING
    """Calls that wait at once; of one tenant, `max_waiting_per_tenant`."""
    max_waiting_per_tenant: int = WAITING_PER_TENANT

    def document(self) -> dict[str, Any]:
        """For storage; `Capacity.stored` reads it back."""
        return asdict(self)

    @classmethod
    def stored(cls, document: Mapping[str, Any]) -> "Capacity":
        return cls(**document)
