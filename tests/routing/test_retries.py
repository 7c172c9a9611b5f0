"""When the same target is tried again: pauses, and the budget of an origin."""

from random import Random

from headgate.routing.retries import Retries, RetryRules
from tests.support.ledger import ManualClock

S = 1_000_000_000


def test_retries_are_a_share_of_the_calls() -> None:
    """An origin that fails every call gets a fifth more, whatever each call may have asked for."""
    clock = ManualClock()
    retries = Retries(clock, Random(1).random, RetryRules(share=0.2, at_rest=10, each_s=10))
    tried = 0
    for _ in range(1_000):
        retries.call("origin")
        tried += sum(retries.pause("origin", retry, None) is not None for retry in (1, 2, 3))
    assert 200 <= tried <= 210
    assert retries.pause("other", 1, None) is not None, "each origin has its own"


def test_an_origin_with_few_calls_gets_its_retries_back_with_time() -> None:
    """One in ten seconds, beside the share."""
    clock = ManualClock()
    retries = Retries(clock, Random(1).random)
    while retries.pause("origin", 1, None) is not None:
        pass
    clock.pass_s(10)
    assert retries.pause("origin", 1, None) is not None
    assert retries.pause("origin", 1, None) is None


def test_pauses_have_full_jitter_and_grow() -> None:
    """Anything from none to the bound, which doubles and then stays."""
    rules = RetryRules(at_rest=10_000, first_pause_s=0.5, longest_pause_s=8)
    retries = Retries(ManualClock(), Random(1).random, rules)
    for retry, most in ((1, 0.5), (2, 1.0), (3, 2.0), (9, 8.0)):
        pauses = [pause for _ in range(500) if (pause := retries.pause("origin", retry, None)) is not None]
        assert 0 <= min(pauses) < most * 0.05
        assert most * 0.95 < max(pauses) <= most


def test_a_providers_own_word_is_kept_and_not_waited_for_too_long() -> None:
    """At least what it asks for, a little spread; beyond a minute it is not tried again."""
    retries = Retries(ManualClock(), Random(1).random)
    pause = retries.pause("origin", 1, 7.0)
    assert pause is not None
    assert 7.0 <= pause <= 7.7
    assert retries.pause("origin", 1, 61.0) is None
