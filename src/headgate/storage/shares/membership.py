"""This process among those that may hold something of shared allowances, from its first word to its last.

A process that dies is charged for what it had borrowed until the next one on its disk has replayed its journal: then
what it had and did not use is lent anew. One whose disk is gone is given up once none of the calls it had let in can
still be under way, or by hand: what it wrote down as used counts, and nothing else is known.

To lend anew a generation must end, and in the next one nothing is lent until everybody has told what it holds. So none
is ended while somebody is missing who could not tell: until that one is back, or given up too, the dead stay charged.
"""

from collections.abc import Callable, Sequence
from typing import Final

from headgate.base.clock import NANOS_PER_SECOND
from headgate.base.errors import Unavailable
from headgate.base.tasks import Tasks
from headgate.base.ticks import every
from headgate.storage.processes import Process, Processes
from headgate.storage.shares.generations import Generations

SEEN_EVERY_S: Final = 2.0

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
        self._noted: set[tuple[str, str]] = set()
        self._asked_at: int | None = None
        self._tasks = Tasks(report)

    async def join(self) -> None:
        """From now on it may borrow. Raises `Unavailable` while the database is away."""
        await self._processes.register(self._generations.node, self._disk, self._place)

    def start(self) -> None:
        """Be seen from now on, and look for those who are not."""
        self._tasks.start(every(SEEN_EVERY_S, self.beat, lambda error: self._report("processes", error)), "processes")

    async def beat(self) -> None:
        """Say that it lives; let go of what those had who do not. Raises `Unavailable`."""
        if not await self._processes.seen(self._generations.node):
            self._note("this process was given up, and is back", self._generations.node)
            await self._processes.register(self._generations.node, self._disk, self._place)
            return
        known = await self._processes.all()
        lost = [each for each in known if each.idle >= self._lost_after and not each.succeeded]
        for each in lost:
            self._note_once("a process was lost, with its disk or for long", each)
        for each in known:
            if each.id in self._generations.waits_for and not each.alive:
                self._note_once(
                    "nothing is lent of anything: one that is missing may have spent what it borrowed", each
                )
        mine = [each for each in known if each.disk == self._disk and each.id != self._generations.node]
        for each in mine:
            if each.alive and not each.succeeded:
                self._note_once("another process uses a copy of this one's data directory", each)
        mine = [each for each in mine if each.succeeded]
        if not mine and not lost:
            self._asked_at = None
            return
        gone = {each.id for each in known if each.succeeded} | {each.id for each in lost}
        if self._all_answer(known, gone):
            await let_go(self._processes, self._generations, sorted(gone))
            self._asked_at = None

    def _all_answer(self, known: Sequence[Process], gone: set[str]) -> bool:
        """Whether everybody else was seen since this was first asked."""
        if self._asked_at is None:
            self._asked_at = max(each.seen_at for each in known)
        quiet = [each for each in known if each.id not in gone and each.seen_at < self._asked_at]
        for each in quiet:
            if not each.alive:
                self._note_once("what dead processes had borrowed stays lent: one is missing", each)
        return not quiet

    def _note_once(self, sentence: str, process: Process) -> None:
        if (sentence, process.id) not in self._noted:
            self._noted.add((sentence, process.id))
            self._note(f"{sentence}; last seen {process.idle // NANOS_PER_SECOND} s ago", process.id)

    async def close(self) -> None:
        await self._tasks.close()

    async def leave(self) -> None:
        """It holds nothing, and its journal is empty."""
        try:
            await self._processes.remove([self._generations.node])
        except Unavailable as error:
            self._report("processes: the next start on this disk takes this one's place", error)


async def let_go(processes: Processes, generations: Generations, gone: Sequence[str]) -> None:
    """What these had borrowed can be lent anew, once everybody else has said what they have. Raises `Unavailable`; then
    it is to be done again."""
    await generations.end()
    await processes.remove(gone)
