"""A ledger on borrowed shares, without an authority: what may be decided on what is there."""

from dataclasses import replace

from headgate.ledger.allowance import Allowance, Amounts, Resource
from headgate.ledger.borrowed import BorrowedShares
from headgate.ledger.hold import Denied, Held
from headgate.ledger.ledger import LocalLedger
from headgate.ledger.share import LEASE, Answer, Share
from tests.support.ledger import DAY, MINUTE, KeptEntries, ManualClock, allowance, record

BUDGET = allowance("budget", Resource.COST, 100)
RATE = allowance("rate", Resource.REQUESTS, 5, MINUTE)
TODAY = allowance("today", Resource.COST, 100, DAY)


class Lent:
    """A ledger that was lent some of one allowance."""

    def __init__(self, of: Allowance, amount: int) -> None:
        self.clock = ManualClock()
        self.shares = BorrowedShares()
        self.ledger = LocalLedger(self.clock, KeptEntries(), shares=self.shares)
        self.ledger.open(of)
        self.share.entitled = amount
        self.share.lease_until = self.clock.monotonic() + 864_000 * 10**9

    @property
    def share(self) -> Share:
        (now, *_) = self.shares
        return now

    def fits(self, name: str, of: Allowance, cost: int = 0) -> bool:
        return isinstance(self.ledger.hold(name, [of], Amounts(cost=cost)), Held)


def answer(entitled: int, used: int = 0, elsewhere: int = 0) -> Answer:
    """So much of a budget, of which so much is used here, and so much by others."""
    return Answer(entitled, 0, used, elsewhere + used, 0, 0, 0, based=True, open=True, wanted=False)


def test_nothing_is_decided_on_what_is_not_borrowed() -> None:
    """As much as is lent, whatever the cap; the refusal says that it may fit in a moment."""
    lent = Lent(BUDGET, 30)
    assert lent.fits("first", BUDGET, 30)
    denied = lent.ledger.hold("second", [BUDGET], Amounts(cost=1))
    assert isinstance(denied, Denied)
    assert (denied.exhausted, denied.by_calls, denied.retry_after) == (False, True, 0.25)


def test_what_others_use_is_in_every_figure() -> None:
    """Spent elsewhere: 412 names what is left of the cap, not of the share."""
    lent = Lent(BUDGET, 30)
    lent.share.settled_elsewhere, lent.share.held_elsewhere = 80, 5
    lent.share.counter.elsewhere = 85
    (balance,) = lent.ledger.balances([BUDGET])
    assert (balance.used, balance.held, balance.left) == (80, 5, 15)
    assert lent.ledger.lefts([BUDGET]) == [15]
    denied = lent.ledger.hold("dear", [BUDGET], Amounts(cost=31))
    assert isinstance(denied, Denied)
    assert (denied.exhausted, denied.left) == (True, 15)


def test_a_lowered_cap_holds_at_once() -> None:
    """Before the authority has heard of it."""
    lent = Lent(BUDGET, 30)
    assert not lent.fits("first", replace(BUDGET, cap=80), 11)
    assert lent.fits("second", replace(BUDGET, cap=80), 10)


def test_use_is_told_once_with_its_moment() -> None:
    """What is in the log is not harvested again; a message repeats it until it was counted."""
    lent = Lent(BUDGET, 30)
    assert lent.fits("first", BUDGET, 30)
    begun = lent.clock.monotonic()
    lent.clock.pass_s(2)
    lent.ledger.settle("first", Amounts(cost=10), record("first", cost=10))
    for _ in range(2):
        lent.share.harvest(lent.clock.monotonic())
    told = lent.share.message(30, 30, 30, 30, lent.clock.monotonic())
    assert (told.first, told.used, told.held, told.uses) == (0, 0, 0, ((10, begun),))
    assert lent.share.room == 20


def test_a_request_that_is_given_back_is_not_taken_again() -> None:
    """Its place in the window may have been lent to somebody else by then."""
    lent = Lent(RATE, 1)
    assert lent.fits("first", RATE)
    lent.ledger.void("first")
    assert not lent.fits("second", RATE)
    lent.share.harvest(lent.clock.monotonic())
    assert sum(amount for amount, _ in lent.share.log) == 0


def test_a_new_period_has_a_share_of_its_own() -> None:
    """What was borrowed of the day before is of no use today, and its calls are settled in it."""
    lent = Lent(TODAY, 100)
    assert lent.fits("late", TODAY, 40)
    yesterday = lent.share
    lent.clock.pass_s(86_400)
    assert not lent.fits("early", TODAY, 1)
    assert isinstance(lent.ledger.extend("late", Amounts(0, cost=20)), Held)
    lent.ledger.settle("late", Amounts(cost=50), record("late", cost=50))
    assert (yesterday.current, yesterday.total) == (False, 50)
    assert (lent.share is yesterday, lent.share.total) == (False, 0)


def test_an_answer_that_comes_after_its_lease_is_of_no_use() -> None:
    """A process that stood still hears what it was lent before: others may have it by now."""
    lent = Lent(BUDGET, 0)
    lent.share.message(0, 30, 30, 30, lent.clock.monotonic())
    lent.clock.pass_ns(LEASE)
    lent.share.lease_until = lent.clock.monotonic()
    assert not lent.fits("first", BUDGET, 10)
    lent.share.answered(answer(30))
    assert not lent.fits("second", BUDGET, 10)


def test_a_cap_that_was_lowered_meanwhile_holds() -> None:
    """Of what was lent under the one before, what lies beyond it is not used."""
    lent = Lent(BUDGET, 0)
    lent.share.message(0, 30, 30, 30, lent.clock.monotonic())
    lent.share.name(50)
    lent.share.answered(answer(30, elsewhere=40))
    assert not lent.fits("first", replace(BUDGET, cap=50), 11)
    assert lent.fits("second", replace(BUDGET, cap=50), 10)


def test_what_comes_back_while_a_cap_is_passed_is_nobody_s() -> None:
    """A cap that was lowered below what is used and held: as calls end it is approached, and not passed anew."""
    lent = Lent(BUDGET, 60)
    for name in ("first", "second"):
        assert lent.fits(name, BUDGET, 30)
    lent.share.name(50)
    for elsewhere in (None, 20):
        if elsewhere is not None:
            lent.share.message(60, 60, 60, 60, lent.clock.monotonic())
            lent.share.answered(answer(60, elsewhere=elsewhere))
        assert not lent.fits("too much", replace(BUDGET, cap=50), 1)
    lent.ledger.settle("first", Amounts(cost=0), record("first"))
    assert not lent.fits("too soon", replace(BUDGET, cap=50), 1)
    lent.ledger.settle("second", Amounts(cost=20), record("second", cost=20))
    assert lent.fits("fits", replace(BUDGET, cap=50), 10)
    assert not lent.fits("no more", replace(BUDGET, cap=50), 1)


def test_the_lease_of_a_period_that_is_over_ends() -> None:
    """A stream that goes on in it extends its hold no longer than that on what was borrowed."""
    lent = Lent(TODAY, 100)
    assert lent.fits("late", TODAY, 40)
    lent.share.lease_until = lent.clock.monotonic() + 86_400 * 10**9 + LEASE
    lent.clock.pass_s(86_400)
    assert isinstance(lent.ledger.extend("late", Amounts(0, cost=20)), Held)
    lent.clock.pass_ns(LEASE)
    assert isinstance(lent.ledger.extend("late", Amounts(0, cost=20)), Denied)


def test_a_lease_ends() -> None:
    """What is held stays held; what is not used is given up."""
    lent = Lent(BUDGET, 30)
    lent.share.lease_until = lent.clock.monotonic() + LEASE
    assert lent.fits("first", BUDGET, 10)
    lent.clock.pass_ns(LEASE - 1)
    assert lent.fits("second", BUDGET, 10)
    lent.clock.pass_ns(1)
    assert not lent.fits("third", BUDGET, 10)
    assert lent.share.entitled == 20
