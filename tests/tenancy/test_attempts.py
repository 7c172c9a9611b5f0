"""How often somebody may try to sign in, whichever process he tries."""

import asyncio

import pytest

from headgate.base.errors import RateLimited, Unauthenticated, Unavailable
from headgate.storage.database import Database
from headgate.storage.stores import SqlTransactions
from headgate.tenancy import attempts as module
from headgate.tenancy.administration import Administration
from headgate.tenancy.attempts import OF_A_NAME, WINDOW_S, Attempts
from tests.support.ledger import ManualClock


class House:
    """Several processes on one database, with one clock."""

    def __init__(self, database: Database) -> None:
        self.clock = ManualClock()
        self._database = database

    def process(self, what: str = "sign in", of_a_name: int = OF_A_NAME) -> Attempts:
        return Attempts(Administration(SqlTransactions(self._database), self.clock), what, of_a_name)


@pytest.fixture
def house(database: Database, monkeypatch: pytest.MonkeyPatch) -> House:
    monkeypatch.setattr(module, "OF_AN_ADDRESS", 20)
    return House(database)


async def fail(attempts: Attempts, name: str = "", address: str = "") -> None:
    with pytest.raises(Unauthenticated):
        async with attempts.trying(name, address):
            raise Unauthenticated("no")


async def refused(attempts: Attempts, name: str = "", address: str = "") -> RateLimited:
    """Before anything is checked."""
    with pytest.raises(RateLimited) as error:
        async with attempts.trying(name, address):
            pytest.fail("it was tried")
    return error.value


async def test_attempts_that_are_under_way_count(house: House) -> None:
    """As many as may fail may be tried at once, in all processes together, and no more."""
    processes = [house.process(), house.process()]
    found = await asyncio.gather(
        *(processes[number % 2].count("ann", f"10.0.0.{number}") for number in range(2 * OF_A_NAME)),
        return_exceptions=True,
    )
    assert sum(isinstance(each, str) for each in found) == OF_A_NAME
    assert sum(isinstance(each, RateLimited) for each in found) == OF_A_NAME


async def test_whoever_knew_the_password_is_who_he_says(house: House) -> None:
    """What failed before is forgotten, in every process."""
    one, two = house.process(), house.process()
    for _ in range(OF_A_NAME - 1):
        await fail(one, "ann")
    async with two.trying("ann"):
        pass
    for _ in range(OF_A_NAME):
        await fail(one, "ann")
    await refused(two, "ann")


async def test_only_what_failed_counts_for_an_address(house: House) -> None:
    """Many may sign in from behind one; and what Headgate could not tell was no attempt."""
    attempts = house.process()
    for _ in range(module.OF_AN_ADDRESS + 1):
        async with attempts.trying("ann", "10.0.0.1"):
            pass
        with pytest.raises(Unavailable):
            async with attempts.trying("ann", "10.0.0.1"):
                raise Unavailable("the database is away")
    for number in range(module.OF_AN_ADDRESS):
        await fail(attempts, f"user{number}", "10.0.0.1")
    await refused(attempts, "bob", "10.0.0.1")
    await fail(attempts, "bob", "10.0.0.2")


async def test_failures_are_forgotten_when_the_window_is_over(house: House) -> None:
    """And when to try again is said."""
    attempts = house.process(of_a_name=1)
    await fail(attempts, "ann")
    assert (await refused(attempts, "ann")).retry_after == WINDOW_S
    house.clock.pass_s(WINDOW_S)
    await fail(attempts, "ann")


async def test_what_is_tried_is_counted_apart(house: House) -> None:
    """Who has asked for letters may sign in; and what he typed may be no text at all."""
    letters, sign_in = house.process("letters", 1), house.process()
    for name in ("ann", "\0\ud800"):
        await fail(letters, name)
        await refused(letters, name)
        await fail(sign_in, name)
