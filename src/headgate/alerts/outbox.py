"""What the dispatcher needs of storage. `storage.outbox` implements it on SQL."""

from collections.abc import Sequence
from typing import Protocol

from headgate.tenancy.outbox import Attempt, Delivery, Due


class Outbox(Protocol):
    """Moments are nanoseconds since the epoch. Every method is one transaction and raises `Unavailable`."""

    async def address(self, now: int) -> int:
        """Make the deliveries of new events, each once; how many events that were."""
        ...

    async def lanes(self, now: int) -> Sequence[str]:
        """In which lanes something is due."""
        ...

    async def due(self, lane: str, now: int, limit: int) -> Sequence[Due]:
        """What is due in a lane, in the order of the events."""
        ...

    async def claim(self, delivery: Delivery, until: int) -> bool:
        """Take it for an attempt. False: somebody else has. Should its taker die, it is due again at `until`."""
        ...

    async def delivered(self, due: Due, attempt: Attempt) -> None:
        """It arrived."""
        ...

    async def failed(self, due: Due, attempt: Attempt, next_at: int | None) -> None:
        """It did not, and is due again at `next_at`; None: it is given up."""
        ...

    async def prune(self, now: int) -> None:
        """Drop what is so old that nobody asks for it."""
        ...
