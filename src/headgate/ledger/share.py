"""What one process has borrowed of one allowance, in one period: what it may use, and what it has yet to tell of.

Use and share are counted from the start of this process: `entitled` is how far its use may come. The authority counts
likewise, so a message that comes twice changes nothing; see `storage/shares/functions.lua`.
"""

from dataclasses import dataclass
from typing import Final

from headgate.base.clock import NANOS_PER_SECOND
from headgate.ledger.counter import Cell, Counter
from headgate.ledger.period import NEVER

LEASE: Final = 30 * NANOS_PER_SECOND
"""Without a word from the authority for so long, nothing more is decided on what was borrowed."""


class BorrowedCell(Cell):
    """`told` is how much of it the log below has."""

    __slots__ = ("share", "told")

    def __init__(self, share: "Share", first: int = 0) -> None:
        super().__init__(first)
        self.share = share
        self.told = 0


@dataclass(frozen=True, slots=True)
class Message:
    """What the authority is told, and asked for. `uses`: (amount, when: steady), from the number `first` on; `used`
    was used before them. The use may come as far as `keep` whatever the answer is, as `ask` if so much is left, as
    something from `least` on otherwise, and as `want` where plenty is left."""

    share: "Share"
    seq: int
    cap: int
    first: int
    used: int
    keep: int
    least: int
    ask: int
    want: int
    held: int
    uses: tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class Answer:
    """What the authority says: in its own words in `functions.lua`. `frees_at` is wall clock, nanoseconds, or 0."""

    entitled: int
    count: int
    used: int
    settled: int
    lent_elsewhere: int
    held_elsewhere: int
    frees_at: int
    based: bool
    open: bool
    wanted: bool

    def left_of(self, cap: int) -> int:
        """What could still be lent; below zero where more is than the cap."""
        return cap - self.settled - self.lent_elsewhere - (self.entitled - self.used)


class Share:
    """Of one allowance in the period that begins at `start` and ends at `end` (wall clock); `length` is that of a
    sliding window, in nanoseconds, else 0."""

    __slots__ = (
        "ahead",
        "allowance_id",
        "asked_at",
        "beyond",
        "cap",
        "cells",
        "counter",
        "counts_held",
        "current",
        "end",
        "entitled",
        "first",
        "frees_at",
        "given_back",
        "held_elsewhere",
        "known",
        "lacked_at",
        "lease_until",
        "length",
        "lent_elsewhere",
        "life",
        "log",
        "marked",
        "refused_most",
        "refused_until",
        "seq",
        "settled_elsewhere",
        "start",
        "tight",
        "told_held",
        "under_way",
        "used",
    )

    def __init__(
        self,
        counter: Counter,
        allowance_id: str,
        cap: int,
        start: int,
        end: int,
        length: int,
        counts_held: bool,
        life: int = 0,
    ) -> None:
        self.counter = counter
        self.allowance_id = allowance_id
        self.cap = cap
        self.start = start
        self.end = end
        self.length = length
        self.counts_held = counts_held  # requests in a sliding window are used when they are held
        self.life = life  # tells it from an earlier share of the same allowance, which was forgotten
        self.current = True
        self.cells: list[BorrowedCell] = []
        self.entitled = 0
        self.beyond = 0  # how far what is used and lent lies beyond the cap: so much of it is not used
        self.given_back = 0  # of what it is entitled to, since the last message
        self.used = 0  # all that is in no cell's untold rest: what was told and what is in the log
        self.first = 0  # number of the first amount in the log
        self.log: list[tuple[int, int]] = []
        self.seq = 0
        self.told_held = 0
        self.known = False  # whether the authority has answered
        self.settled_elsewhere = 0
        self.held_elsewhere = 0
        self.lent_elsewhere = 0
        self.frees_at = 0
        self.tight = False
        self.ahead = 0  # what to have beyond what calls take now
        self.lacked_at = -NEVER
        self.asked_at = -NEVER
        self.refused_most = 0
        self.refused_until = -NEVER
        self.lease_until = -NEVER
        self.marked = 0
        self.under_way: list[tuple[int, int]] = []

    @property
    def total(self) -> int:
        """Used and held here."""
        return self.counter.total if self.current else sum(cell.settled + cell.held for cell in self.cells)

    @property
    def held(self) -> int:
        return sum(cell.held for cell in self.cells)

    @property
    def idle(self) -> bool:
        """Nothing is borrowed, and the authority knows of all use."""
        return not self.log and self.entitled <= self.used and self.total == self.used and not self.told_held

    @property
    def silent(self) -> bool:
        """There is nothing to tell."""
        return not self.log and self.total == self.used + self.told_held and not self.ahead and not self.room

    @property
    def room(self) -> int:
        return self.entitled - self.beyond - self.total

    @property
    def kept(self) -> int:
        """How far its use may come, whatever the authority says."""
        return max(self.entitled - self.beyond, self.total)

    def name(self, cap: int) -> None:
        """It is this from now on. Until the authority has said more, all of one that is lowered counts as lent."""
        self.beyond = max(self.beyond + self.cap - cap, 0)
        self.cap = cap

    def give_back(self, amount: int) -> None:
        """Places in a sliding window, which are the authority's to give again: they may have left it meanwhile."""
        self.entitled -= amount
        self.given_back += amount

    def expire(self, steady: int) -> int:
        """Give up what is not used if the lease is over; until when (steady) this holds, whatever is borrowed then."""
        if steady < self.lease_until:
            return self.lease_until
        self.entitled = min(self.entitled, self.total)
        return steady + LEASE

    def harvest(self, steady: int) -> None:
        """Put what was used since into the log; forget cells in which nothing can happen any more."""
        kept = []
        for cell in self.cells:
            figure = cell.settled + cell.held if self.counts_held else cell.settled
            if figure != cell.told:
                self.log.append((figure - cell.told, cell.last))
                self.used += figure - cell.told
                cell.told = figure
            if cell.held or cell is self.counter.cell:
                kept.append(cell)
        if not self.length and not self.current:
            kept = self.cells  # the total of a period that is over is in its cell
        self.cells = kept

    def message(self, keep: int, least: int, ask: int, want: int, steady: int) -> Message:
        """Until it is answered nothing is used beyond `keep`. Harvested before."""
        self.seq += 1
        self.entitled, self.given_back = keep, 0
        self.asked_at = steady
        self.told_held = self.total - self.used
        used = self.used - sum(amount for amount, _ in self.log)
        return Message(
            self, self.seq, self.cap, self.first, used, keep, least, ask, want, self.told_held, tuple(self.log)
        )

    def answered(self, answer: Answer) -> None:
        """To the last message."""
        self.lease_until = self.asked_at + LEASE
        self.counter.stale_steady = min(self.counter.stale_steady, self.lease_until)
        self.entitled = answer.entitled - self.given_back
        self.beyond = max(-answer.left_of(self.cap), 0)
        del self.log[: answer.count - self.first]
        self.first = answer.count
        self.settled_elsewhere = answer.settled - answer.used
        self.held_elsewhere = answer.held_elsewhere
        self.lent_elsewhere = answer.lent_elsewhere
        self.frees_at = answer.frees_at
        self.tight = answer.wanted
        self.known = answer.based
        if self.current:
            self.counter.elsewhere = self.settled_elsewhere + self.held_elsewhere

    def mark(self, steady: int) -> None:
        """What was used until now is about to be in the usage records."""
        self.harvest(steady)
        self.marked = self.first + len(self.log)
        self.under_way = [(cell.held, cell.last) for cell in self.cells if cell.held and self.counts_held]

    def begin_generation(self) -> None:
        """The authority begins anew, with the usage records: what was used until `mark` is in them. Requests that were
        under way then are not, and are told again."""
        self.log[: max(self.marked - self.first, 0)] = self.under_way
        self.first = self.marked - len(self.under_way)
        self.under_way = []
        self.known = False
