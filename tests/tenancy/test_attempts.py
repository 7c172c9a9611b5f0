"""How often somebody may try to sign in."""

import pytest

from headgate.base.errors import RateLimited, Unauthenticated, Unavailable
from headgate.tenancy.attempts import OF_A_NAME, OF_AN_ADDRESS, WINDOW_S, Attempts
from tests.support.ledger import ManualClock


def fail(attempts: Attempts, name: str = "", address: str = "") -> None:
    with pytest.raises(Unauthenticated), attempts.trying(name, address):
        raise Unauthenticated("no")


def test_attempts_that_are_under_way_count() -> None:
    """As many as may fail may be tried at once, and no more: the next is refused before anything is checked."""
    attempts = Attempts(ManualClock())
    under_way = [attempts.trying("ann", "10.0.0.1") for _ in range(OF_A_NAME)]
    for each in under_way:
        each.__enter__()
    with pytest.raises(RateLimited), attempts.trying("ann", "10.0.0.2"):
        pytest.fail("it was tried")
    under_way[0].__exit__(None, None, None)
    with attempts.trying("ann"):
        pass  # whoever knew the password is who he says


def test_only_what_failed_counts_for_an_address() -> None:
    """Many may sign in from behind one; and what Headgate could not tell was no attempt."""
    attempts = Attempts(ManualClock())
    for _ in range(OF_AN_ADDRESS + 1):
        with attempts.trying("ann", "10.0.0.1"):
            pass
        with pytest.raises(Unavailable), attempts.trying("ann", "10.0.0.1"):
            raise Unavailable("the database is away")
    for number in range(OF_AN_ADDRESS):
        fail(attempts, f"user{number}", "10.0.0.1")
    with pytest.raises(RateLimited), attempts.trying("bob", "10.0.0.1"):
        pytest.fail("it was tried")


def test_failures_are_forgotten_when_the_window_is_over() -> None:
    """And when to try again is said."""
    clock = ManualClock()
    attempts = Attempts(clock, of_a_name=1)
    fail(attempts, "ann")
    with pytest.raises(RateLimited) as refused:
        attempts.count("ann")
    assert refused.value.retry_after == WINDOW_S
    clock.pass_s(WINDOW_S)
    fail(attempts, "ann")
