"""This process among those that may hold something of shared allowances, from its first word to its last.

A process that dies is charged for what it had borrowed until the next one on its disk has replayed its journal: then
what it had and did not use is lent anew. One whose disk is gone is given up once none of the calls it had let in can
still be under way, or by hand: what it wrote down as used counts, and nothing else is known.
"""

from collections.abc import Callable
from typing import Final

from headgate.base.errors import Unavailable
from headgate.base.tasks import Tasks
from headgate.base.ticks import every
from headgate.storage.processes import Processes
from headgate.storage.shares.generations import Generations

SEEN_EVERY_S: Final = 5.0

Note = Callable[[str, str], None]
"""A sentence for the log, and the process it is about."""


class Membership:
    """`lost_after`: nanoseconds until one that nobody saw is taken for lost; longer than its lease. `disk` is whose
    journal this process has replayed."""

    def __init__(
        self,
        processes: Processes,
        generations: Generations,
        disk: str,
        place: str,
        lost_after: int,
        note: Note,
        report: Callable[[str, BaseException], None],
    ) -> None:
        self._processes = processes
        self._generations = generations
        self._disk = disk
        self._place = place
        self._lost_after = lost_after
        self._note = note
        self._report = report
        self._before: list[str] = []
        self._tasks = Tasks(report)

    async def join(self) -> None:
        """From now on it may borrow. Raises `Unavailable` while the database is away."""
        self._before = await self._processes.register(self._generations.node, self._disk, self._place)

    def start(self) -> None:
        """Be seen from now on, and look for those who are not."""
        self._tasks.start(every(SEEN_EVERY_S, self.beat, lambda error: self._report("processes", error)), "processes")

    async def beat(self) -> None:
        """Say that it lives; let go of what those had who do not. Raises `Unavailable`."""
        if not await self._processes.seen(self._generations.node):
            self._note("this process was given up, and is back", self._generations.node)
            await self._processes.register(self._generations.node, self._disk, self._place)
        lost = await self._processes.lost(self._lost_after)
        for each in lost:
            self._note(f"a process was lost, with its disk or for long; last seen {each.idle // 10**9} s ago", each.id)
        gone = [*self._before, *(each.id for each in lost)]
        if gone:
            await let_go(self._processes, self._generations, gone)
            self._before = []

    async def close(self) -> None:
        await self._tasks.close()

    async def leave(self) -> None:
        """It holds nothing, and its journal is empty."""
        try:
            await self._processes.remove([self._generations.node])
        except Unavailable as error:
            self._report("processes: the next start on this disk takes this one's place", error)


async def let_go(processes: Processes, generations: Generations, gone: list[str]) -> None:
    """What these had borrowed can be lent anew, once everybody else has said what they have. Raises `Unavailable`; then
    it is to be done again."""
    await generations.end()
    await processes.remove(gone)
