"""The contract of every ledger, whatever its shares come from: a state machine with the guarantees after every step.

A subclass says how a ledger is opened on the directory that the one before it left, in whatever state.
"""

import shutil
import tempfile
from abc import abstractmethod
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, rule

from headgate.ledger.allowance import Allowance, Amounts, Resource, WindowKind
from headgate.ledger.balance import PastUse
from headgate.ledger.counters import counting_since
from headgate.ledger.hold import AlreadySettled, Denied, Held, Settled
from headgate.ledger.ledger import LocalLedger
from headgate.ledger.record import Outcome, UsageRecord
from headgate.ledger.recovery import Replay
from headgate.storage.journal import FileJournal
from tests.ledger.model import NOTHING, Call, Model
from tests.support.ledger import DAY, MINUTE, ManualClock, allowance, record

ALLOWANCES = (
    allowance("budget", Resource.COST, 100),
    allowance("day", Resource.COST, 60, DAY),
    allowance("tokens", Resource.TOKENS, 50, MINUTE),
    allowance("rate", Resource.REQUESTS, 5, MINUTE),
    allowance("flying", Resource.IN_FLIGHT, 4),
)
NAMES = [each.id for each in ALLOWANCES]
ASKED = st.builds(Amounts, input_tokens=st.integers(0, 30), output_tokens=st.integers(0, 20), cost=st.integers(0, 45))
MORE = st.builds(Amounts, requests=st.just(0), output_tokens=st.integers(0, 20), cost=st.integers(0, 20))


@dataclass
class Opened:
    """A ledger that runs, the journal under it, and what the journal said."""

    ledger: LocalLedger
    journal: FileJournal
    replay: Replay


class Rows:
    """The usage records in the database: at most one for a request id, and the first one stays."""

    def __init__(self) -> None:
        self.records: dict[str, UsageRecord] = {}
        self.allowances: dict[str, tuple[str, ...]] = {}
        """The names of what each call holds, whether it was in force then or not."""
        self.resets: dict[str, int] = {}

    def add(self, records: Iterable[UsageRecord]) -> None:
        for each in records:
            kept = self.records.setdefault(each.request_id, each)
            # a settlement may reach the database before the journal, which then knows less
            assert each.outcome is Outcome.RECOVERED or (kept.cost, kept.usage) == (each.cost, each.usage)

    def past_use(self, of: Allowance, since: int) -> list[tuple[int, int]]:
        found = []
        for each in self.records.values():
            at = each.started_at
            if of.window.kind is WindowKind.SLIDING and of.resource is not Resource.REQUESTS:
                at += each.ended_after
            if name_of(of) in self.allowances[each.request_id] and at >= since and each.started_at >= of.since:
                used = Amounts(1, each.usage["input"], each.usage["output"], each.cost)
                found.append((at, used.of(of.resource)))
        return sorted(found)


def name_of(of: Allowance) -> str:
    """Of one that was set again, that of the first."""
    return of.id.partition("^")[0]


class LedgerContract(RuleBasedStateMachine):
    """Guarantees 1 to 3: never over the cap, nothing lost and nothing twice, a refusal costs nothing."""

    calls: Bundle[str] = Bundle("calls")

    @abstractmethod
    def opened(self, directory: Path, clock: ManualClock, past_use: PastUse) -> Opened:
        """A ledger on this directory."""

    def __init__(self) -> None:
        super().__init__()
        self.clock = ManualClock()
        self.directory = Path(tempfile.mkdtemp())
        self.model, self.rows = Model(), Rows()
        self.allowances = {each.id: each for each in ALLOWANCES}
        self.known = dict(self.allowances)
        self.removed: set[str] = set()
        self.plans: dict[tuple[Allowance, ...], tuple[Allowance, ...]] = {}
        """What calls bring: the very same tuple where it says the same."""
        self.unwritten: list[UsageRecord] = []
        self.resolved: set[str] = set()
        self.names = 0
        self.start()

    def start(self) -> Replay:
        opened = self.opened(self.directory, self.clock, self.rows.past_use)
        self.ledger, self.journal = opened.ledger, opened.journal
        return opened.replay

    @rule(target=calls, asked=ASKED, on=st.sets(st.sampled_from(NAMES), min_size=1))
    def hold(self, asked: Amounts, on: set[str]) -> str:
        """Let in: within every cap. Refused: nothing has changed, and there was no room."""
        self.names += 1
        brought = tuple(self.allowances[each] for each in sorted(on - self.removed))
        name, applying = f"call {self.names}", self.plans.setdefault(brought, brought)
        before, now = self.figures(), self.clock.now()
        result = self.ledger.hold(name, applying, asked)
        if isinstance(result, Denied):
            self.check_denied(result, asked, now)
            assert self.figures() == before
            return name
        for each in applying:
            least, _ = self.model.bounds(each, now)
            takes = asked.of(each.resource)
            assert not takes or least + takes <= each.cap, f"{each.id} is over its cap"
        self.model.calls[name] = Call(now, {each.id: each.cap for each in applying}, [(now, asked)])
        self.rows.allowances[name] = tuple(on)
        return name

    def check_denied(self, denied: Denied, asked: Amounts, period_at: int) -> None:
        tight = denied.allowance
        least, most = self.model.bounds(tight, self.clock.now(), period_at)
        assert denied.asked == asked.of(tight.resource)
        assert most + max(denied.asked, 1) > tight.cap, f"{tight.id} had room"
        assert max(tight.cap - most, 0) <= denied.left <= max(tight.cap - least, 0)
        assert denied.retry_after is None or denied.retry_after > 0

    def under_way(self, name: str) -> Call | None:
        call = self.model.calls.get(name)
        return call if call is not None and call.under_way else None

    @rule(name=calls)
    def dispatch(self, name: str) -> None:
        """From here on the call is on disk."""
        if call := self.under_way(name):
            self.ledger.dispatch(name, record(name, at=call.at))
            call.sent = True
            self.model.flush()

    @rule(name=calls, more=MORE)
    def extend(self, name: str, more: Amounts) -> None:
        """Within the caps the call was held under, in the period it was held in."""
        call = self.under_way(name)
        if call is None:
            return
        result = self.ledger.extend(name, more)
        if isinstance(result, Denied):
            self.check_denied(result, more, call.at)
            return
        for each, cap in call.caps.items():
            of = self.known[each]
            least, _ = self.model.bounds(of, self.clock.now(), call.at)
            grows = 0 if of.resource is Resource.IN_FLIGHT else more.of(of.resource)
            assert not grows or least + grows <= cap, f"{each} is over its cap"
        call.taken.append((self.clock.now(), more))
        assert result == Held(name, call.held())
        self.model.flush()

    @rule(name=calls, percent=st.sampled_from((0, 10, 50, 100, 100, 120)))
    def settle(self, name: str, percent: int) -> None:
        """At less, at all, or at more than was held; a second time changes nothing."""
        if name in self.resolved:
            assert self.ledger.settle(name, Amounts(cost=50), record(name)) == AlreadySettled()
        call = self.under_way(name)
        if call is None:
            return
        held, now = call.held(), self.clock.now()
        actual = Amounts(1, held.input_tokens * percent // 100, held.output_tokens, held.cost * percent // 100)
        settled = record(
            name,
            at=call.at,
            ended_after=now - call.at,
            input_tokens=actual.input_tokens,
            output_tokens=actual.output_tokens,
            cost=actual.cost,
        )
        assert self.ledger.settle(name, actual, settled) == Settled(max(actual.cost - held.cost, 0))
        call.end(actual, now)
        self.unwritten.append(settled)
        self.resolved.add(name)

    @rule(name=calls)
    def void(self, name: str) -> None:
        """All is given back; a second time changes nothing."""
        if name in self.resolved:
            assert self.ledger.void(name) == AlreadySettled()
        if call := self.under_way(name):
            assert self.ledger.void(name) == Settled()
            call.end(NOTHING, self.clock.now())
            self.resolved.add(name)

    @rule(seconds=st.sampled_from((0.001, 0.5, 1, 29, 59, 60, 61, 3_600, 43_200, 86_400)))
    def time_passes(self, seconds: float) -> None:
        """Windows slide, days end."""
        self.clock.pass_s(seconds)

    @rule(name=st.sampled_from(NAMES), cap=st.integers(0, 120))
    def edit_cap(self, name: str, cap: int) -> None:
        """Applies to the next call."""
        self.puts_in_force(name, replace(self.allowances[name], cap=cap))

    def puts_in_force(self, name: str, of: Allowance) -> None:
        self.allowances[name] = self.known[of.id] = of

    @rule(name=st.sampled_from(NAMES))
    def remove(self, name: str) -> None:
        """From the next call on nobody asks for it."""
        self.removed.add(name)

    @rule(name=st.sampled_from(NAMES), cap=st.integers(0, 120))
    def set_again(self, name: str, cap: int) -> None:
        """It counts what it would, had it never been away: calls that are over, recorded or not, or under way."""
        before = self.allowances[name]
        for call in [each for each in self.model.calls if self.under_way(each)]:
            self.dispatch(call)  # as every call is in the breath in which it holds
        of = replace(before, id=f"{name}^{self.clock.now()}", cap=cap, since=self.rows.resets.get(name, 0))
        if of.id in self.known:
            return
        now, waiting = self.clock.now(), Rows()
        waiting.allowances = self.rows.allowances
        waiting.add(each for each in self.unwritten if each.request_id not in self.rows.records)
        since = counting_since(of, now) if of.resource is Resource.REQUESTS else of.since
        self.ledger.restore(of, waiting.past_use(of, since), lambda each: name in self.rows.allowances[each.request_id])
        self.model.set_again(before.id, of, lambda call: name in self.rows.allowances[call], now)
        self.puts_in_force(name, of)
        self.removed.discard(name)

    @rule(name=st.sampled_from(NAMES))
    def reset(self, name: str) -> None:
        """What came before counts no longer."""
        self.clock.pass_ns(1)
        of = replace(self.allowances[name], since=self.clock.now())
        self.ledger.reset(of.id)
        self.rows.resets[name] = of.since
        self.model.reset(of.id, of.since)
        self.puts_in_force(name, of)
        self.clock.pass_ns(1)

    @rule()
    def tick_ends(self) -> None:
        """What was decided in it goes to disk."""
        self.journal.flush()
        self.model.flush()

    @rule(count=st.integers(0, 5))
    def records_are_written(self, count: int) -> None:
        """A batch reaches the database, and the journal need not keep it."""
        written, self.unwritten = self.unwritten[:count], self.unwritten[count:]
        self.rows.add(written)
        self.model.written([each.request_id for each in written])
        self.journal.checkpoint([each.request_id for each in written])
        if not self.journal._buffer:  # a segment went, and what ended its calls had to be on disk before
            self.model.flush()

    @rule()
    def idle_counters_are_dropped(self) -> None:
        """Once all records are written they can be found again."""
        self.records_are_written(len(self.unwritten))
        if self.ledger.forget_idle(30):
            self.model.reload()

    @rule(interrupted=st.integers(0, 2), seconds=st.sampled_from((0, 1, 70)))
    def crash_and_restart(self, interrupted: int, seconds: int) -> None:
        """Killed, and killed again while it recovers: every call that was sent has one record, and no other has."""
        self.unwritten, self.resolved = [], set()
        for again in range(interrupted + 1):
            self.journal._file.close()
            self.clock.pass_s(seconds)
            self.clock.reboot()
            replay = self.start()
            if again == 0:
                self.model.crash(self.clock.now())
            self.rows.add(replay.records(self.clock.now()))
        self.journal.discard_replayed()
        recovered = {each.request_id for each in self.rows.records.values() if each.outcome is Outcome.RECOVERED}
        assert all(self.model.calls[name].sent for name in recovered)
        assert {name: each.cost for name, each in self.rows.records.items()} == self.model.recorded()

    def figures(self) -> dict[str, tuple[int, int]]:
        in_force = [each for name, each in self.allowances.items() if name not in self.removed]
        return {each.allowance.id: (each.used, each.held) for each in self.ledger.balances(in_force)}

    @invariant()
    def every_balance_is_what_the_calls_say(self) -> None:
        """Used and held, of every allowance, at every step."""
        for name, (used, held) in self.figures().items():
            of, now = self.known[name], self.clock.now()
            least, most = self.model.bounds(of, now)
            assert least <= used + held <= most, name
            assert min(used, held) >= 0, name
            if of.window.kind is not WindowKind.SLIDING and of.resource is not Resource.IN_FLIGHT:
                assert held == self.model.held(of, now), name
        assert len(self.ledger) == sum(call.under_way for call in self.model.calls.values())

    def teardown(self) -> None:
        self.journal.close()
        shutil.rmtree(self.directory)
