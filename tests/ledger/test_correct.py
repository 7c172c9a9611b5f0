"""What was settled at an estimate, and is known now: given back where it was charged, and nowhere else."""

from headgate.ledger.allowance import LIFETIME, Amounts, Resource
from headgate.ledger.hold import Denied, Held
from headgate.ledger.ledger import LocalLedger
from tests.support.ledger import DAY, MINUTE, KeptEntries, ManualClock, allowance, record

ESTIMATE, ACTUAL = Amounts(1, 60, 40, 100), Amounts(1, 6, 4, 10)
DAILY = allowance("daily", Resource.COST, 100, DAY)
EVER = allowance("ever", Resource.COST, 1_000, LIFETIME)
TPM = allowance("tpm", Resource.TOKENS, 100, MINUTE)
NAMES = ("daily", "ever", "tpm", "requests", "unknown")
REQUESTS = allowance("requests", Resource.REQUESTS, 10, MINUTE)


def estimated(clock: ManualClock) -> tuple[LocalLedger, int]:
    """A ledger with one call settled at its estimate, and when it was held."""
    ledger = LocalLedger(clock, KeptEntries())
    held = ledger.hold("one", [DAILY, EVER, TPM, REQUESTS], ESTIMATE)
    assert isinstance(held, Held)
    ledger.settle("one", ESTIMATE, record("one"))
    return ledger, held.at


def test_the_difference_comes_back_and_can_be_spent() -> None:
    """Tokens and money; the request was made."""
    clock = ManualClock()
    ledger, at = estimated(clock)
    assert isinstance(ledger.hold("two", [DAILY], Amounts(cost=90)), Denied)
    clock.pass_s(5)
    ledger.correct(NAMES, at, ESTIMATE, ACTUAL)
    assert ledger.lefts([DAILY, EVER, TPM, REQUESTS]) == [90, 990, 90, 9]
    assert isinstance(ledger.hold("two", [DAILY], Amounts(cost=90)), Held)
    assert isinstance(ledger.hold("three", [DAILY], Amounts(cost=1)), Denied)


def test_a_period_that_is_over_gives_nothing_to_the_present_one() -> None:
    """Nor does a window that has moved on; a lifetime has one period."""
    clock = ManualClock()
    ledger, at = estimated(clock)
    clock.pass_s(86_400)
    ledger.hold("two", [DAILY, TPM], Amounts(1, 50, 0, 50))
    ledger.settle("two", Amounts(1, 50, 0, 50), record("two"))
    ledger.correct(NAMES, at, ESTIMATE, ACTUAL)
    assert ledger.lefts([DAILY, EVER, TPM]) == [50, 990, 50]


def test_what_is_more_counts_too() -> None:
    """Beyond the cap: it was billed."""
    ledger, at = estimated(ManualClock())
    ledger.correct(NAMES, at, ESTIMATE, Amounts(1, 100, 50, 170))
    assert ledger.lefts([DAILY, EVER, TPM]) == [-70, 830, -50]


def test_a_sliding_window_is_honest_all_the_same() -> None:
    """What stays of it leaves no sooner than a minute after it was taken."""
    clock = ManualClock()
    ledger, at = estimated(clock)
    clock.pass_s(30)
    ledger.correct(NAMES, at, ESTIMATE, ACTUAL)
    clock.pass_s(29.9)
    assert ledger.lefts([TPM]) == [90]
    clock.pass_s(1.2)
    assert ledger.lefts([TPM]) == [100]
