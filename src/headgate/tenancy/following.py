"""What others change reaches this process: another node, a command.

Every change counts up one number in the database. Where the database can tell that one was committed, it is looked at
that very moment; by polling in any case. What this process keeps in memory follows, and only then is the look over.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Final

from headgate.base.clock import NANOS_PER_SECOND, Clock
from headgate.base.errors import HeadgateError
from headgate.base.tasks import Tasks

POLL_SECONDS: Final = 0.5
LOOK_WITHIN_S: Final = 5.0
Follower = Callable[[int], Awaitable[None]]
"""Gets the count of changes, which is another than before, and brings up to date what it keeps in memory."""


class Contact:
    """Whether this process has heard from the database lately. `lost_after_s`: how long it may not; None: for ever."""

    def __init__(self, clock: Clock, lost_after_s: float | None = None) -> None:
        self._clock = clock
        self._nanos = None if lost_after_s is None else int(lost_after_s * NANOS_PER_SECOND)
        self._heard_at = clock.monotonic()

    def heard(self, at: int) -> None:
        """What was changed up to then (monotonic) is known here."""
        self._heard_at = at

    @property
    def lost(self) -> bool:
        """What is in memory may be older than it may be."""
        return self._nanos is not None and self._clock.monotonic() - self._heard_at > self._nanos


class Following:
    """One per process. `version` reads the count of changes."""

    def __init__(
        self,
        version: Callable[[], Awaitable[int]],
        followers: Sequence[Follower],
        contact: Contact,
        clock: Clock,
        report: Callable[[str, BaseException], None],
    ) -> None:
        self._version = version
        self._followers = followers
        self._contact = contact
        self._clock = clock
        self._report = report
        self._known = -1
        self._news = asyncio.Event()
        self._tasks = Tasks(report)

    def start(self, every_s: float = POLL_SECONDS) -> None:
        self._tasks.start(self._watch(every_s), "policy poll")

    async def close(self) -> None:
        await self._tasks.close()

    def wake(self) -> None:
        """Something may have changed: look at once."""
        self._news.set()

    async def look(self) -> None:
        """Once it returns, this process is as the database was when it began. Raises `Unavailable`."""
        started = self._clock.monotonic()
        version = await self._version()
        if version != self._known:
            for follow in self._followers:
                await follow(version)
            self._known = version
        self._contact.heard(started)

    async def _watch(self, every_s: float) -> None:
        """While the database is away, what is in memory stays in force, for as long as contact may be lost."""
        while True:
            self._news.clear()
            try:
                async with asyncio.timeout(LOOK_WITHIN_S):
                    await self.look()
            except (HeadgateError, TimeoutError) as error:
                self._report("policy poll", error)
            try:
                await asyncio.wait_for(self._news.wait(), every_s)
            except TimeoutError:
                continue
