"""A batch that was charged at the most it can cost, until it is known what it did cost."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from headgate.ledger.correction import Correction


@dataclass(frozen=True, slots=True)
class OpenBatch:
    """`id` is the provider's own. Times are nanoseconds."""

    id: str
    integration_id: str
    organization_id: str
    workspace_id: str
    request_id: str
    """Of the usage record that it is charged by."""
    started_at: int
    """As in that record."""
    format: str
    """The wire format of its lines' answers."""
    price: str
    """What its lines cost, in JSON, as of when it was made; empty: no known price."""
    allowances: Sequence[str]
    """The ids of those that it was charged to."""
    next_at: int
    """When to ask for it next."""


class OpenBatches(Protocol):
    """Where they are written down. Raises `Unavailable` where the database is away."""

    async def put(self, batch: OpenBatch) -> None:
        """Once; one that is there already stays as it is."""
        ...

    async def find(self, identifier: str, integration_id: str) -> OpenBatch | None:
        """None: it is not open, or never was."""
        ...

    async def due(self, now: int, most: int) -> list[OpenBatch]:
        """Those that are to be asked for by now."""
        ...

    async def claim(self, batch: OpenBatch, next_at: int) -> bool:
        """Ask for it now, and for the next time then. False: somebody else does, or it is open no longer."""
        ...


class Corrections(Protocol):
    """The end of an open batch, in the books. Raises `Unavailable`."""

    async def correct(self, batch: OpenBatch, correction: Correction) -> bool:
        """Its record, all sums over it and the counters of its allowances are as if it had cost that from the
        beginning. False: it was ended before, or its record is not written yet; nothing was changed."""
        ...

    async def give_up(self, batch: OpenBatch) -> None:
        """It stays charged as it is, and its record says so."""
        ...
