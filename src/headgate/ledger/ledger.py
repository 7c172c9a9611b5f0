"""The decision maker: one process's ledger, in memory, on its shares, with a journal under it.

A hold is decided in two passes over the call's allowances: check all, then take all. Nothing in between can fail but
writing it down, and that comes before anything is taken. Not for several threads: it lives on the event loop.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Final

from headgate.base.clock import NANOS_PER_SECOND, Clock
from headgate.ledger.allowance import Allowance, Amounts
from headgate.ledger.balance import Balance, PastUse, no_past
from headgate.ledger.bundle import Standing
from headgate.ledger.bundle import tightest as least_left
from headgate.ledger.claim import Claim, Take, no_call
from headgate.ledger.counter import Cell
from headgate.ledger.counters import Counters, counting_since
from headgate.ledger.denial import refused, tightest
from headgate.ledger.hold import AlreadySettled, Denied, DuplicateHold, Held, Settled, UnknownHold
from headgate.ledger.journal import (
    DispatchEntry,
    ExtendEntry,
    HoldEntry,
    Journal,
    JournalUnavailable,
    SettleEntry,
    VoidEntry,
)
from headgate.ledger.record import UsageRecord
from headgate.ledger.resolved import Resolved
from headgate.ledger.shares import Shares, WholeCaps

_NOTHING: Final = Amounts(requests=0).figures(in_flight=0)
_SETTLED: Final = Settled()
_ALREADY: Final = AlreadySettled()


class LocalLedger:
    """Implements `hold.Ledger` for one process.

    At every instant and for every allowance, what is settled and held here in its current window is within this
    process's share of it; beyond the share goes only what a provider bills above the hold, which is counted too.
    """

    def __init__(
        self, clock: Clock, journal: Journal, *, shares: Shares | None = None, past_use: PastUse = no_past
    ) -> None:
        self._clock = clock
        self._journal = journal
        shares = shares or WholeCaps()
        self._share_of = shares.of
        self._whole = isinstance(shares, WholeCaps)
        self._counters = Counters(clock, shares, past_use)
        self._claims: dict[str, Claim] = {}
        self._resolved = Resolved()
        self._latest = 0
        self._checks = 0

    def __len__(self) -> int:
        """How many calls hold something."""
        return len(self._claims)

    def callers(self) -> set[tuple[str, str | None]]:
        """Whose calls are under way: ids of a key, and of the tenant it acts for."""
        return {(each.unheard.key_id, each.unheard.tenant_id) for each in self._claims.values() if each.unheard}

    def holds(self, most: int) -> list[tuple[HoldEntry, Amounts, UsageRecord | None]]:
        """Calls that hold something, the oldest first: how each was held, what it holds by now, and its record as it
        would be if nothing more is heard of it; None: it was not sent yet."""
        first = sorted(self._claims.values(), key=lambda each: each.entry.at)[:most]
        return [(each.entry, each.amounts, each.unheard) for each in first]

    def hold(self, request_id: str, allowances: Sequence[Allowance], amounts: Amounts) -> Held | Denied:
        if request_id in self._claims or request_id in self._resolved:
            raise DuplicateHold(f"{request_id} was held before")
        figures = _figures(amounts, in_flight=1)
        whole, share_of, bundle = self._whole, self._share_of, self._counters.bundle(allowances)
        wall, steady = self._clock.now(), self._clock.monotonic()
        self._checks += 1
        if wall < self._latest:
            wall = bundle.not_before(wall)
        else:
            self._latest = wall
        denials: list[tuple[int, Denied]] = []
        for allowance, counter, place in bundle.checks:
            if wall >= counter.stale_wall or steady >= counter.stale_steady:
                counter.span.advance(counter, wall, steady)
            counter.used_at = wall
            asked, total = figures[place], counter.total
            room = (allowance.cap if whole else share_of(allowance)) - total
            if room < (asked or 1):
                left = allowance.cap - total - counter.elsewhere
                if denial := refused(allowance, counter, asked, left, wall, steady):
                    denials.append(denial)
        if denials:
            return tightest(denials)
        self._journal.admit()  # it is written when the call leaves: before that there is nothing to lose
        entry = HoldEntry(request_id, wall, amounts, bundle.ids)
        takes: list[Take] = []
        for _, counter, place in bundle.taken:
            asked, cell = figures[place], counter.cell
            cell.held += asked
            cell.last = steady
            counter.total += asked
            takes.append((counter, cell, asked))
        self._claims[request_id] = Claim(entry, bundle.applying, takes)
        return Held(request_id, amounts, wall)

    def dispatch(self, request_id: str, unheard: UsageRecord) -> None:
        claim = self._claims.get(request_id)
        if claim is None:
            raise UnknownHold(f"{request_id} holds nothing: it cannot be dispatched")
        claim.unheard = unheard
        self._journal.append(DispatchEntry(request_id, unheard, claim.entry))
        try:
            self._journal.flush()
        except JournalUnavailable:
            self.void(request_id)
            raise

    def extend(self, request_id: str, more: Amounts) -> Held | Denied:
        claim = self._claims.get(request_id)
        if claim is None:
            raise UnknownHold(f"{request_id} holds nothing: it cannot be extended")
        _, tokens, incoming, outgoing, cost, _ = _figures(more, in_flight=0)
        figures = (0, tokens, incoming, outgoing, cost, 0)  # it stays one request, and one call under way
        wall, steady = self._now()
        denials = []
        for allowance, (counter, cell, _) in zip(claim.allowances, claim.takes, strict=True):
            asked = figures[counter.resource]
            counter.total_at(wall, steady)
            room = counter.span.room_beside(counter, cell, self._share_of(allowance))
            if asked and asked > room:
                left = counter.span.left_beside(counter, cell, allowance.cap)
                if denial := refused(allowance, counter, asked, left, wall, steady):
                    denials.append(denial)
        if denials:
            return tightest(denials)
        held = claim.amounts
        amounts = Amounts(held.requests, held.input_tokens + incoming, held.output_tokens + outgoing, held.cost + cost)
        if claim.unheard is None:
            self._journal.append(claim.entry)
        self._write_extension(request_id, held, amounts)
        claim.extend(amounts, figures, steady)
        return Held(request_id, amounts)

    def _write_extension(self, request_id: str, held: Amounts, amounts: Amounts) -> None:
        self._journal.append(ExtendEntry(request_id, amounts))
        try:
            self._journal.flush()
        except JournalUnavailable:
            self._journal.append(ExtendEntry(request_id, held))  # the journal keeps what it could not write yet
            raise

    def settle(self, request_id: str, actual: Amounts, record: UsageRecord) -> Settled | AlreadySettled:
        claim = self._claims.get(request_id)
        if claim is None:
            return self._resolved_before(request_id)
        figures = _figures(actual, in_flight=0)
        self._journal.append(SettleEntry(request_id, claim.entry.at, actual, claim.entry.allowances, record))
        self._resolve(request_id, claim, figures)
        overage = actual.cost - claim.amounts.cost
        return Settled(overage) if overage > 0 else _SETTLED

    def void(self, request_id: str) -> Settled | AlreadySettled:
        claim = self._claims.get(request_id)
        if claim is None:
            return self._resolved_before(request_id)
        if claim.unheard is not None:  # else nobody has written that it holds
            self._journal.append(VoidEntry(request_id))
        self._resolve(request_id, claim, _NOTHING)
        return _SETTLED

    def _now(self) -> tuple[int, int]:
        """By the wall clock, whose latest moment is remembered, and the steady one."""
        wall = self._clock.now()
        self._latest = max(self._latest, wall)
        return wall, self._clock.monotonic()

    def _resolve(self, request_id: str, claim: Claim, figures: tuple[int, ...]) -> None:
        claim.resolve(figures, self._clock.monotonic())
        del self._claims[request_id]
        self._resolved.add(request_id)

    def _resolved_before(self, request_id: str) -> AlreadySettled:
        if request_id in self._resolved:
            return _ALREADY
        raise UnknownHold(f"{request_id} holds nothing")

    def balances(self, allowances: Sequence[Allowance]) -> list[Balance]:
        """Where each allowance stands, in the order asked."""
        wall, steady = self._now()
        balances = []
        for allowance in allowances:
            counter = self._counters.open(allowance)
            total = counter.total_at(wall, steady) + counter.elsewhere
            settled = counter.span.settled(counter)
            left = max(allowance.cap - total, 0)
            resets_at = counter.span.resets_at(counter, wall, steady)
            balances.append(Balance(allowance, settled, total - settled, left, resets_at))
        return balances

    def standing(self, allowances: Sequence[Allowance]) -> Standing:
        """Where a caller of these stands. Every answer tells it."""
        wall, steady = self._now()
        bundle = self._counters.bundle(allowances)
        return Standing(
            least_left(bundle.of_cost, wall, steady),
            least_left(bundle.of_requests, wall, steady),
            least_left(bundle.of_tokens, wall, steady),
        )

    def lefts(self, allowances: Sequence[Allowance]) -> list[int]:
        """What is left of each, in the order asked; below zero where a cap was lowered."""
        wall, steady = self._now()
        checks = self._counters.bundle(allowances).checks
        return [each.cap - counter.total_at(wall, steady) - counter.elsewhere for each, counter, _ in checks]

    def rooms(self, allowances: Sequence[Allowance]) -> list[int]:
        """What can be held of each here and now, in the order asked: of this process's share."""
        wall, steady = self._now()
        rooms = []
        for each, counter, _ in self._counters.bundle(allowances).checks:
            total = counter.total_at(wall, steady)
            rooms.append(self._share_of(each) - total)
        return rooms

    @property
    def decisions(self) -> int:
        """How often it was asked for a hold."""
        return self._checks

    def __contains__(self, allowance_id: str) -> bool:
        """Whether there is a counter for it."""
        return allowance_id in self._counters

    def open(self, allowance: Allowance) -> None:
        """Have a counter for it. Raises ValueError for a window that cannot be."""
        counter = self._counters.open(allowance)
        counter.total_at(*self._now())

    def cells(self, request_id: str) -> list[tuple[Allowance, Cell]]:
        """What a call that is under way holds in. Raises `UnknownHold`."""
        claim = self._claims.get(request_id)
        if claim is None:
            raise UnknownHold(f"{request_id} holds nothing")
        return [(each, cell) for each, (_, cell, _) in zip(claim.allowances, claim.takes, strict=True)]

    def restore(
        self, allowance: Allowance, past: Iterable[tuple[int, int]], counts: Callable[[UsageRecord], bool] = no_call
    ) -> None:
        """Count what was settled before, or elsewhere: (moment on the wall clock, amount), oldest first; and what calls
        under way hold now, of those whose record `counts`."""
        wall, steady = self._now()
        counter = self._counters.open(allowance)
        counter.span.restore(counter, past, wall, steady)
        since = counting_since(allowance, wall)
        for claim in self._claims.values():
            if claim.unheard is not None and claim.entry.at >= since and counts(claim.unheard):
                claim.join(allowance, counter, steady)

    def correct(self, allowance_ids: Iterable[str], at: int, settled: Amounts, actual: Amounts) -> None:
        """A call that was held at that moment (wall clock) was settled at `settled`, and it is known now that it took
        `actual`: of those of these allowances that have a counter, where it still counts. `settled` is in them."""
        wall, steady = self._now()
        more = [now - was for now, was in zip(actual.figures(0), settled.figures(0), strict=True)]
        for allowance_id in allowance_ids:
            counter = self._counters.get(allowance_id)
            if counter is not None and more[counter.resource]:
                counter.total_at(wall, steady)
                counter.span.correct(counter, at, more[counter.resource], wall, steady)

    def reset(self, allowance_id: str) -> None:
        """Begin the allowance's window anew: what is used now counts no longer, nor will calls that are under way."""
        self._counters.reset(allowance_id)

    def forget(self, allowance_ids: Iterable[str], idle_seconds: int) -> set[str]:
        """Drop those of these counters that nobody asked for in so long and no call holds anything of; which of the
        ids have no counter now. Whoever uses one again restores it first."""
        busy = {counter for claim in self._claims.values() for counter, _, _ in claim.takes}
        since = self._clock.now() - idle_seconds * NANOS_PER_SECOND
        gone = set()
        for allowance_id in allowance_ids:
            counter = self._counters.get(allowance_id)
            if counter is None or (counter.used_at < since and counter not in busy):
                self._counters.drop(allowance_id)
                gone.add(allowance_id)
        return gone

    def forget_idle(self, idle_seconds: int) -> int:
        """Drop what was not asked for so long and can be found again; see `Counters.forget_idle`."""
        # a call that holds nothing of an allowance may still extend into it, or be billed for it
        busy = {counter for claim in self._claims.values() for counter, _, _ in claim.takes}
        return self._counters.forget_idle(self._clock.now() - idle_seconds * NANOS_PER_SECOND, busy)


def _figures(amounts: Amounts, in_flight: int) -> tuple[int, int, int, int, int, int]:
    figures = amounts.figures(in_flight)
    if min(figures) < 0:
        raise ValueError(f"amounts are never negative: {amounts}")
    return figures
