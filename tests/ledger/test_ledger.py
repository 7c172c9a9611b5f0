"""The ledger's promises that are not a scenario: many calls at once, the journal under it, the past before it."""

from collections.abc import Iterable

import pytest

from headgate.ledger.allowance import Allowance, Amounts, Resource
from headgate.ledger.hold import Denied, DuplicateHold, Held, UnknownHold
from headgate.ledger.journal import (
    DispatchEntry,
    ExtendEntry,
    HoldEntry,
    JournalUnavailable,
    SettleEntry,
    VoidEntry,
)
from headgate.ledger.ledger import LocalLedger
from headgate.ledger.period import period_of
from headgate.ledger.resolved import REMEMBERED
from tests.support.ledger import DAY, MINUTE, NOON, KeptEntries, ManualClock, allowance, record

DOLLAR = 1_000_000_000
CENT = DOLLAR // 100
BUDGET = allowance("budget", Resource.COST, DOLLAR)


class Failing(KeptEntries):
    """A journal whose disk fails when told to, and keeps what it could not write."""

    def __init__(self) -> None:
        super().__init__()
        self.refuses_holds = False
        self.fails = False

    def admit(self) -> None:
        if self.refuses_holds:
            raise JournalUnavailable("full")

    def flush(self) -> None:
        if self.fails:
            raise JournalUnavailable("failing")


def ledger_on(journal: KeptEntries) -> LocalLedger:
    return LocalLedger(ManualClock(), journal)


def total(ledger: LocalLedger, of: Allowance = BUDGET) -> tuple[int, int]:
    [balance] = ledger.balances([of])
    return balance.used, balance.held


def test_a_thousand_calls_at_once_on_a_dollar_of_a_hundred() -> None:
    """Where the bound is the cost, exactly 100 of 1,000 are let in, and a dollar is spent to the nano-dollar."""
    ledger = ledger_on(KeptEntries())
    ids = [f"call {number}" for number in range(1_000)]
    held = [each for each in ids if isinstance(ledger.hold(each, [BUDGET], Amounts(cost=CENT)), Held)]
    assert len(held) == 100
    for each in held:
        ledger.settle(each, Amounts(cost=CENT), record(each))
    assert total(ledger) == (DOLLAR, 0)
    assert len(ledger) == 0


def test_calls_that_come_back_use_the_budget_up() -> None:
    """Bounds three times the cost: never a nano-dollar over at any moment, and all but one bound of it is used."""
    ledger = ledger_on(KeptEntries())
    waiting, under_way = [f"call {number}" for number in range(1_000)], []
    while waiting:
        refused = []
        for each in waiting:
            if isinstance(ledger.hold(each, [BUDGET], Amounts(cost=3 * CENT)), Held):
                under_way.append(each)
            else:
                refused.append(each)
            assert sum(total(ledger)) <= DOLLAR
        if not under_way:
            break
        for each in under_way:
            ledger.settle(each, Amounts(cost=CENT), record(each))
        waiting, under_way = refused, []
    used, held = total(ledger)
    assert (used, held) == (98 * CENT, 0)


def test_an_id_holds_once() -> None:
    """While it holds and after it is resolved, the same id is refused and nothing is taken."""
    ledger = ledger_on(KeptEntries())
    ledger.hold("a", [BUDGET], Amounts(cost=1))
    with pytest.raises(DuplicateHold):
        ledger.hold("a", [BUDGET], Amounts(cost=1))
    ledger.settle("a", Amounts(cost=1), record("a"))
    with pytest.raises(DuplicateHold):
        ledger.hold("a", [BUDGET], Amounts(cost=1))
    assert total(ledger) == (1, 0)


def test_what_is_not_held_can_neither_be_dispatched_nor_extended() -> None:
    """A caller that lost its way is told so."""
    ledger = ledger_on(KeptEntries())
    with pytest.raises(UnknownHold):
        ledger.dispatch("a", record("a"))
    with pytest.raises(UnknownHold):
        ledger.extend("a", Amounts(cost=1))


@pytest.mark.parametrize("wrong", [Amounts(cost=-1), Amounts(requests=-1), Amounts(input_tokens=5, output_tokens=-1)])
def test_amounts_are_never_negative(wrong: Amounts) -> None:
    """Nobody gets room by asking for less than nothing; the hold stays as it is."""
    ledger = ledger_on(KeptEntries())
    with pytest.raises(ValueError, match="never negative"):
        ledger.hold("a", [BUDGET], wrong)
    ledger.hold("a", [BUDGET], Amounts(cost=5))
    with pytest.raises(ValueError, match="never negative"):
        ledger.extend("a", wrong)
    with pytest.raises(ValueError, match="never negative"):
        ledger.settle("a", wrong, record("a"))
    assert total(ledger) == (0, 5)


def test_a_call_counts_in_the_period_that_its_record_names() -> None:
    """Also where the wall clock was ahead, over midnight, and was set back: its period is the one that had begun, for
    all that it counts in, and the records of no period come to more than the cap."""
    clock = ManualClock()
    ledger = LocalLedger(clock, KeptEntries())
    mine, ours, seen = (
        allowance(name, Resource.COST, cap, DAY) for name, cap in {"m": 100, "o": 500, "s": 100}.items()
    )
    today = period_of(DAY, clock.now())
    spent: dict[int, int] = {}

    def spends(name: str, cost: int, *of: Allowance) -> bool:
        held = ledger.hold(name, of, Amounts(cost=cost))
        if isinstance(held, Held):
            spent[period_of(DAY, held.at).start] = spent.get(period_of(DAY, held.at).start, 0) + cost
        return isinstance(held, Held)

    assert spends("yesterday's clock", 100, mine, ours)
    clock.jump_s(13 * 3_600)
    assert spends("ahead", 50, mine)
    clock.jump_s(86_400)
    ledger.balances([seen])
    clock.jump_s(-37 * 3_600)
    assert spends("set back", 30, mine, ours)
    assert not spends("too much", 30, mine, ours)
    assert spends("of another", 10, ours)
    assert spends("of what was only looked at", 5, seen)
    assert spends("of nothing", 0)
    assert spent == {today.start: 100, today.end: 90, period_of(DAY, today.end).end: 5}
    [balance] = ledger.balances([ours])
    assert balance.used + balance.held == 40


def test_memory_of_resolved_ids_is_bounded() -> None:
    """The last 65,536 at least are known as settled; one from long before is unknown, and never counted again."""
    ledger = ledger_on(KeptEntries())
    ids = [str(number) for number in range(2 * REMEMBERED)]
    for each in ids:
        ledger.hold(each, [], Amounts())
        ledger.void(each)
    assert ledger.void(ids[-REMEMBERED]) is not None
    with pytest.raises(UnknownHold):
        ledger.void(ids[0])


def test_calls_that_bring_the_same_allowances_share_what_was_found_of_them() -> None:
    """As the calls of a plan do; until a counter is forgotten, after which nobody holds in the one that is gone."""
    clock = ManualClock()
    ledger, together = LocalLedger(clock, KeptEntries()), (BUDGET, allowance("calls", Resource.REQUESTS, 3, DAY))
    for each in ("a", "b"):
        assert isinstance(ledger.hold(each, together, Amounts(cost=CENT)), Held)
        ledger.void(each)
    assert ledger.forget([BUDGET.id], -1) == {BUDGET.id}
    ledger.restore(BUDGET, [(NOON, DOLLAR - CENT)])
    assert isinstance(ledger.hold("c", together, Amounts(cost=CENT)), Held)
    assert isinstance(ledger.hold("d", together, Amounts(cost=CENT)), Denied)
    assert total(ledger) == (DOLLAR - CENT, CENT)
    standing = ledger.standing(together)
    assert standing.cost is not None
    assert (standing.cost.left, standing.cost.allowance, standing.tokens) == (0, BUDGET, None)
    assert standing.requests is not None
    assert standing.requests.left == 2


def test_every_decision_is_journalled_in_order() -> None:
    """With all that recovery needs: the allowances, the amounts, the sum after an extension, the record. Of a call that
    was held and never sent there is nothing to write."""
    journal = KeptEntries()
    ledger = ledger_on(journal)
    last = record("a", cost=7)
    ledger.hold("a", [BUDGET], Amounts(cost=5))
    ledger.dispatch("a", record("a"))
    ledger.extend("a", Amounts(output_tokens=3, cost=4))
    ledger.settle("a", Amounts(cost=7), last)
    ledger.hold("b", [], Amounts())
    ledger.void("b")
    ledger.hold("c", [], Amounts())
    ledger.extend("c", Amounts(cost=1))
    assert journal.entries == [
        DispatchEntry("a", record("a"), HoldEntry("a", NOON, Amounts(cost=5), ("budget",))),
        ExtendEntry("a", Amounts(output_tokens=3, cost=9)),
        SettleEntry("a", NOON, Amounts(cost=7), ("budget",), last),
        HoldEntry("c", NOON, Amounts(), ()),
        ExtendEntry("c", Amounts(cost=1)),
    ]


def test_a_hold_that_cannot_be_written_down_takes_nothing() -> None:
    """Nothing half-taken: neither the budget nor the id."""
    journal = Failing()
    ledger = ledger_on(journal)
    journal.refuses_holds = True
    with pytest.raises(JournalUnavailable):
        ledger.hold("a", [BUDGET], Amounts(cost=5))
    assert (total(ledger), len(ledger)) == ((0, 0), 0)
    journal.refuses_holds = False
    assert isinstance(ledger.hold("a", [BUDGET], Amounts(cost=5)), Held)


def test_a_dispatch_that_cannot_be_written_gives_all_back() -> None:
    """The caller answers 503; what is written later says that the call was void."""
    journal = Failing()
    ledger = ledger_on(journal)
    ledger.hold("a", [BUDGET], Amounts(cost=5))
    journal.fails = True
    with pytest.raises(JournalUnavailable):
        ledger.dispatch("a", record("a"))
    assert (total(ledger), len(ledger)) == ((0, 0), 0)
    assert journal.entries[-1] == VoidEntry("a")


def test_an_extension_that_cannot_be_written_leaves_the_hold_as_it_was() -> None:
    """What is written later says so too."""
    journal = Failing()
    ledger = ledger_on(journal)
    ledger.hold("a", [BUDGET], Amounts(cost=5))
    journal.fails = True
    with pytest.raises(JournalUnavailable):
        ledger.extend("a", Amounts(cost=5))
    assert total(ledger) == (0, 5)
    assert journal.entries[-1] == ExtendEntry("a", Amounts(cost=5))


def test_a_settlement_counts_though_the_disk_fails() -> None:
    """What was begun can always be ended."""
    journal = Failing()
    ledger = ledger_on(journal)
    ledger.hold("a", [BUDGET], Amounts(cost=5))
    journal.fails = journal.refuses_holds = True
    ledger.settle("a", Amounts(cost=3), record("a"))
    assert total(ledger) == (3, 0)


def test_the_past_is_asked_for_once_and_counts() -> None:
    """A counter starts at what usage records say since its window began, when its allowance is first asked for."""
    asked: list[tuple[str, int]] = []

    def past_use(of: Allowance, since: int) -> Iterable[tuple[int, int]]:
        asked.append((of.id, since))
        return [(NOON - 30_000_000_000, 4), (NOON - 10_000_000_000, 3)]

    clock = ManualClock()
    ledger = LocalLedger(clock, KeptEntries(), past_use=past_use)
    day = allowance("day", Resource.COST, 10, DAY)
    minute = allowance("minute", Resource.TOKENS, 10, MINUTE)
    flying = allowance("flying", Resource.IN_FLIGHT, 10)
    applying = [day, minute, BUDGET, flying]
    denied = ledger.hold("a", applying, Amounts(input_tokens=4, cost=3))
    assert isinstance(denied, Denied)
    assert (denied.allowance, denied.left) == (minute, 3)
    assert isinstance(ledger.hold("a", applying, Amounts(input_tokens=3, cost=3)), Held)
    assert asked == [("day", NOON - 43_200 * 10**9), ("minute", NOON - 60 * 10**9), ("budget", 0)]


def test_use_can_be_restored_by_hand() -> None:
    """Into the window it belongs to: what lies before it counts no longer."""
    ledger = ledger_on(KeptEntries())
    day = allowance("day", Resource.COST, 10, DAY)
    ledger.restore(day, [(NOON - 10**9, 4)])
    ledger.restore(day, [(NOON - 86_400 * 10**9, 5)])
    assert total(ledger, day) == (4, 0)


def test_idle_counters_are_dropped_where_they_can_be_found_again() -> None:
    """At zero, or where there are usage records; never one in which something is held."""
    clock = ManualClock()
    forgetful = LocalLedger(clock, KeptEntries())
    certain = LocalLedger(clock, KeptEntries(), past_use=lambda of, since: ())
    minute = allowance("minute", Resource.REQUESTS, 10, MINUTE)
    for ledger in (forgetful, certain):
        ledger.hold("a", [BUDGET, minute], Amounts(cost=5))
        ledger.settle("a", Amounts(cost=3), record("a"))
    clock.pass_s(3_600)
    assert forgetful.forget_idle(7_200) == 0
    assert forgetful.forget_idle(600) == 1  # the minute is at zero; the budget's use is known nowhere else
    assert total(forgetful) == (3, 0)
    assert certain.forget_idle(600) == 2
    certain.hold("b", [BUDGET], Amounts(cost=5))
    clock.pass_s(3_600)
    assert certain.forget_idle(600) == 0


def test_a_counter_is_kept_for_a_call_that_may_yet_need_it() -> None:
    """A call that holds nothing of a budget can still extend into it, or be billed for it."""
    clock = ManualClock()
    ledger = LocalLedger(clock, KeptEntries())
    ledger.hold("a", [BUDGET], Amounts(cost=0))
    clock.pass_s(3_600)
    assert ledger.forget_idle(600) == 0
    ledger.settle("a", Amounts(cost=3), record("a"))
    assert total(ledger) == (3, 0)
