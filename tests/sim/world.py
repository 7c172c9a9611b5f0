"""A small world around the ledger, played by a seed: callers, a provider with its own books, a database, faults.

Time is virtual, every choice comes from the seed, the journal is the real one on a real disk. What happened is kept
as a history, and judged without asking the ledger.
"""

import heapq
import os
from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from random import Random

from headgate.base.clock import NANOS_PER_SECOND
from headgate.ledger.allowance import Allowance, Amounts, Resource, WindowKind
from headgate.ledger.hold import Denied
from headgate.ledger.journal import JournalUnavailable
from headgate.ledger.ledger import LocalLedger
from headgate.ledger.record import Outcome, UsageRecord
from headgate.storage.journal import FileJournal
from tests.support.ledger import DAY, MINUTE, NOON, ManualClock, allowance, record

write = os.write
Caller = Generator[float, None, None]
MINUTES = 30


@dataclass
class Story:
    """What became of one call, seen from outside."""

    key: str
    taken: list[tuple[int, Amounts]]
    held: Amounts
    sent: bool = False
    billed: Amounts | None = None
    ended: bool = False

    @property
    def at(self) -> int:
        return self.taken[0][0]


@dataclass
class Faults:
    """What goes wrong in a world."""

    crashes: float = 0.0
    """A minute."""
    disk: float = 0.0
    database: float = 0.0


@dataclass
class Tally:
    """How much happened, so that a test can tell that something did."""

    denied: int = 0
    unavailable: int = 0
    crashes: int = 0
    recovered: int = 0
    stories: dict[str, Story] = field(default_factory=dict)


class Disk:
    """Stands in for `os.write` of the journal: writes a part and fails, while it is told to."""

    def __init__(self, random: Random) -> None:
        self._random = random
        self.failing = False

    def write(self, file: int, data: memoryview) -> int:
        if not self.failing:
            return write(file, data)
        if self._random.random() < 0.5 and len(data) > 1:
            return write(file, data[: self._random.randrange(1, len(data))])
        raise OSError(28, "No space left on device")


class World:
    """Ten keys of one organization, each within its own allowances and all within the organization's."""

    def __init__(self, seed: int, directory: Path, faults: Faults) -> None:
        self.random = Random(seed)
        self.clock = ManualClock(NOON + 42_300 * NANOS_PER_SECOND)  # a quarter of an hour to midnight
        self.disk = Disk(self.random)
        self.tally = Tally()
        self.rows: dict[str, UsageRecord] = {}
        self._faults = faults
        self._directory = directory
        self._events: list[tuple[int, int, Callable[[], None]]] = []
        self._order = count()
        self._names = count()
        self._life = 0
        self._end = self.clock.now() + MINUTES * 60 * NANOS_PER_SECOND
        self._database_is_away = False
        self._unwritten: list[UsageRecord] = []
        self._dues: list[Callable[[], None]] = []
        self.organization = (
            allowance("org:cost", Resource.COST, self.random.randrange(10_000, 60_000)),
            allowance("org:tokens", Resource.TOKENS, self.random.randrange(2_000, 20_000), MINUTE),
        )
        self.keys = {f"key{number}": self._key(f"key{number}") for number in range(10)}
        self._start()

    def _key(self, key: str) -> tuple[Allowance, ...]:
        pick = self.random.randrange
        return (
            allowance(f"{key}:cost", Resource.COST, pick(500, 10_000)),
            allowance(f"{key}:day", Resource.COST, pick(500, 5_000), DAY),
            allowance(f"{key}:tokens", Resource.TOKENS, pick(200, 1_000), MINUTE),
            allowance(f"{key}:rate", Resource.REQUESTS, pick(3, 30), MINUTE),
            allowance(f"{key}:flying", Resource.IN_FLIGHT, pick(1, 6)),
        )

    def _start(self) -> None:
        self._dues = []
        self.journal, replay = FileJournal.open(self._directory, segment_bytes=20_000, later=self._dues.append)
        for each in replay.records(self.clock.now()):
            self.tally.recovered += each.outcome is Outcome.RECOVERED and each.request_id not in self.rows
            self.rows.setdefault(each.request_id, each)
        self.journal.discard_replayed()
        self.ledger = LocalLedger(self.clock, self.journal, past_use=self._past_use)
        for key in self.keys:
            for _ in range(self.random.randrange(1, 4)):
                self._go_on(self._caller(key), self._life)

    def _past_use(self, of: Allowance, since: int) -> list[tuple[int, int]]:
        owner, found = of.scope.id.partition(":")[0], []
        for each in self.rows.values():
            ends = of.window.kind is WindowKind.SLIDING and of.resource is not Resource.REQUESTS
            at = each.started_at + (each.ended_after if ends else 0)
            if at >= since and owner in ("org", each.key_id):
                found.append((at, Amounts(1, each.usage["input"], each.usage["output"], each.cost).of(of.resource)))
        return sorted(found)

    def at(self, seconds: float, event: Callable[[], None]) -> None:
        heapq.heappush(self._events, (self.clock.now() + round(seconds * NANOS_PER_SECOND), next(self._order), event))

    def run(self) -> None:
        """Play half an hour; then let every call come to its end."""
        self.at(0.05, self._write_rows)
        self._plan_faults()
        while self._events:
            at, _, event = heapq.heappop(self._events)
            if at > self._end and not len(self.ledger):
                break
            self.clock.pass_ns(at - self.clock.now())
            event()
            while self._dues:
                self._dues.pop()()
        self.disk.failing = False
        self.journal.close()

    def _plan_faults(self) -> None:
        for chance, event in (
            (self._faults.crashes, self._crash),
            (self._faults.disk, self._break_disk),
            (self._faults.database, self._lose_database),
        ):
            for minute in range(MINUTES):
                if self.random.random() < chance:
                    self.at(minute * 60 + self.random.random() * 60, event)

    def _crash(self) -> None:
        """The process is killed. The provider goes on, the callers are gone, others come."""
        self.tally.crashes += 1
        self.disk.failing = False
        self.journal._file.close()
        if self.random.random() < 0.3:
            with max(self._directory.iterdir()).open("ab") as file:
                file.write(b'0badc0de ["settle","torn'[: self.random.randrange(1, 24)])
        self._unwritten = []
        self._life += 1
        self.clock.pass_s(self.random.choice((0.1, 5, 90)))
        self.clock.reboot()
        self._start()

    def _break_disk(self) -> None:
        self.disk.failing = True
        self.at(self.random.random() * 20, self._mend_disk)

    def _mend_disk(self) -> None:
        self.disk.failing = False

    def _lose_database(self) -> None:
        self._database_is_away = True
        self.at(self.random.random() * 60, self._find_database)

    def _find_database(self) -> None:
        self._database_is_away = False

    def _write_rows(self) -> None:
        if not self._database_is_away:
            for each in self._unwritten:
                self.rows.setdefault(each.request_id, each)
            self.journal.checkpoint([each.request_id for each in self._unwritten])
            self._unwritten = []
            if self.random.random() < 0.01:
                self.ledger.forget_idle(30)
        self.at(0.05 + self.random.random(), self._write_rows)

    def _go_on(self, caller: Caller, life: int) -> None:
        if life != self._life:
            return
        try:
            pause = next(caller)
        except StopIteration:
            return
        self.at(pause, lambda: self._go_on(caller, life))

    def _caller(self, key: str) -> Caller:
        while self.clock.now() < self._end:
            yield self.random.expovariate(1 / 5)
            name = f"{key}.{next(self._names)}"
            bound = Amounts(1, self.random.randrange(50), self.random.randrange(100), self.random.randrange(1, 200))
            held = yield from self._hold(name, key, bound)
            if held:
                yield from self._attempt(name, self.tally.stories[name])

    def _hold(self, name: str, key: str, bound: Amounts) -> Generator[float, None, bool]:
        for _ in range(3):
            try:
                result = self.ledger.hold(name, self.keys[key] + self.organization, bound)
            except JournalUnavailable:
                self.tally.unavailable += 1
                yield 1.0
                continue
            if not isinstance(result, Denied):
                self.tally.stories[name] = Story(key, [(self.clock.now(), bound)], bound)
                return True
            self.tally.denied += 1
            if result.retry_after is None:
                yield 60.0
                return False
            yield result.retry_after
        return False

    def _attempt(self, name: str, story: Story) -> Caller:
        yield self.random.random() * 0.01
        unheard = self._record(name, story, Amounts(requests=1))
        try:
            self.ledger.dispatch(name, unheard)
        except JournalUnavailable:
            self.tally.unavailable += 1
            story.ended = True
            return
        story.sent = True
        takes = self.random.choice((0.2, 3.0, 70.0, 200.0)) * self.random.random()
        if self.random.random() < 0.1:  # nobody answered: nothing is billed
            yield takes
            self.ledger.void(name)
            story.ended = True
            return
        if self.random.random() < 0.2:
            yield takes
            yield from self._extend(name, story)
        self.at(takes, lambda: self._bill(story))
        yield takes + 0.001
        assert story.billed is not None
        told = self.random.random() < 0.9  # else the provider says nothing: all that was held is assumed
        actual = story.billed if told else story.held
        self.ledger.settle(name, actual, settled := self._record(name, story, actual))
        self._unwritten.append(settled)
        story.ended = True

    def _extend(self, name: str, story: Story) -> Caller:
        more = Amounts(0, 0, self.random.randrange(50), self.random.randrange(50))
        try:
            result = self.ledger.extend(name, more)
        except JournalUnavailable:
            self.tally.unavailable += 1
            return
        if isinstance(result, Denied):
            self.tally.denied += 1
            return
        story.taken.append((self.clock.now(), more))
        story.held = result.amounts
        yield 0.0

    def _bill(self, story: Story) -> None:
        share, held = self.random.random(), story.held
        parts = (round(each * share) for each in (held.input_tokens, held.output_tokens, held.cost))
        story.billed = Amounts(1, *parts)

    def _record(self, name: str, story: Story, actual: Amounts) -> UsageRecord:
        return record(
            name,
            key=story.key,
            at=story.at,
            ended_after=self.clock.now() - story.at,
            input_tokens=actual.input_tokens,
            output_tokens=actual.output_tokens,
            cost=actual.cost,
        )
