"""What is written off the calls' path: taken over at once, kept in the background.

It is no book: what there is no room for, or the database does not take, is dropped and reported, and no call waits.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Final, Generic, TypeVar

from headgate.base.tasks import Tasks

LOOK_EVERY_S: Final = 0.5

Item = TypeVar("Item")


class Backlog(Generic[Item]):
    """At most `most` items, given to `keep` in batches of at most `at_once`. `kind`: what the items are, in a report.
    Belongs to one process."""

    def __init__(
        self,
        kind: str,
        keep: Callable[[list[Item]], Awaitable[None]],
        on_failure: Callable[[str, BaseException], None],
        *,
        most: int,
        at_once: int,
    ) -> None:
        self._kind = kind
        self._keep = keep
        self._on_failure = on_failure
        self._waiting: deque[Item] = deque(maxlen=most)
        self._at_once = at_once
        self._writing = asyncio.Lock()
        self._tasks = Tasks(on_failure)

    def add(self, item: Item) -> None:
        """The oldest makes room where there is none."""
        self._waiting.append(item)

    def start(self) -> None:
        self._tasks.start(self._run(), self._kind)

    async def close(self) -> None:
        """Write what waits, and stop."""
        await self._tasks.close()
        await self.write()

    async def write(self) -> None:
        """Returns when all that waits now is in the database. What cannot be written is dropped."""
        async with self._writing:
            while self._waiting:
                taken = [self._waiting.popleft() for _ in range(min(self._at_once, len(self._waiting)))]
                try:
                    await self._keep(taken)
                except Exception as error:  # the calls themselves are on record
                    self._on_failure(f"{len(taken)} {self._kind} are lost", error)

    async def _run(self) -> None:
        while True:
            await self.write()
            await asyncio.sleep(LOOK_EVERY_S)
