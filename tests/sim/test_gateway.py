"""Two minutes of twelve customers before a whole gateway in a world of faults, for many seeds: the books agree.

A seed that fails is in the message, and `play(seed, name, directory)` plays it again, choice for choice.
"""

from pathlib import Path

import pytest

from headgate.ledger.record import UsageRecord
from tests.sim.gateway import Faults, World
from tests.sim.tenants import DOWNGRADED, TENANTS
from tests.sim.verdict import verdict

WORLDS = {
    "calm": Faults(),
    "careless customers": Faults(hang_ups=0.3, bad=0.1),
    "bad providers": Faults(trouble=0.2, bad=0.4),
    "lying providers": Faults(lies=0.3, crashes=1),
    "crashing": Faults(crashes=3, hang_ups=0.1, bad=0.1),
    "restarting": Faults(restarts=3, hang_ups=0.1, trouble=0.05),
    "full disk": Faults(full_disks=3, crashes=1),
    "database away": Faults(absences=3, crashes=1),
    "edited limits": Faults(edits=10, crashes=1, bad=0.1),
    "long streams": Faults(long=0.6, hang_ups=0.1, crashes=1),
    "other targets": Faults(crashes=1, hang_ups=0.1, trouble=0.1, bad=0.4, configs=0.7),
    "tenants": Faults(crashes=1, hang_ups=0.1, bad=0.1, tenants=0.8, long=0.3),
    "tenants with other targets": Faults(crashes=1, edits=5, trouble=0.1, bad=0.3, configs=0.5, tenants=0.8),
    "everything": Faults(2, 1, 2, 2, 5, 0.1, 0.2, 0.2, configs=0.3, tenants=0.3, long=0.3),
}
A_TEST = 20


def play(seed: int, name: str, directory: Path) -> World:
    directory.mkdir(exist_ok=True)
    world = World(seed, directory, WORLDS[name])
    world.play()
    return world


def assert_right(seed: int, name: str, directory: Path) -> World:
    world = play(seed, name, directory)
    wrongs = verdict(world)
    assert wrongs == [], f"play({seed}, {name!r}, directory):\n" + "\n".join(wrongs[:20])
    return world


@pytest.mark.parametrize("name", WORLDS)
def test_the_books_agree(name: str, tmp_path: Path) -> None:
    """Twenty worlds of each kind: no cap is passed at any moment, every call that reached the provider has one record
    which covers it, refusals took nothing, balances are the sums of the records, nothing stays held."""
    for seed in range(A_TEST):
        assert_right(seed, name, tmp_path / str(seed))


def test_the_worlds_are_worth_it(tmp_path: Path) -> None:
    """In a world of everything calls are answered, refused, recovered, cut and left."""
    statuses: set[int] = set()
    outcomes: set[str] = set()
    for seed in range(100, 110):
        world = play(seed, "everything", tmp_path / str(seed))
        statuses |= set(world.tally.statuses)
        outcomes |= {record.outcome for record in world.rows.records.values()}
    assert statuses >= {200, 412, 429, 502, 503}
    assert outcomes == {"ok", "provider_error", "upstream_failed", "client_gone", "cut", "recovered"}


def test_tenants_are_sent_down_and_walled(tmp_path: Path) -> None:
    """In a world of tenants calls are made for each, some by a cheaper model, and for nobody who is not there."""
    records: list[UsageRecord] = []
    statuses: set[int] = set()
    for seed in range(100, 105):
        world = play(seed, "tenants", tmp_path / str(seed))
        records += world.rows.records.values()
        statuses |= set(world.tally.statuses)
    assert {record.tenant_id for record in records} == {*TENANTS, None}
    assert sum(DOWNGRADED in record.usage_flags for record in records) > 10
    assert 404 in statuses


def test_a_seed_is_a_history(tmp_path: Path) -> None:
    """The same seed gives the same calls, refusals, bills and records, so that a failure can be looked at again."""
    first, second = (play(5, "everything", tmp_path / name) for name in ("first", "second"))
    assert first.tally == second.tally
    assert first.rows.records == second.rows.records
    assert first.provider.journal.entries == second.provider.journal.entries


@pytest.mark.slow
@pytest.mark.timeout(3_600)
@pytest.mark.parametrize("name", WORLDS)
def test_the_books_agree_for_many_seeds(name: str, tmp_path: Path) -> None:
    """Three thousand worlds."""
    for seed in range(1_000, 1_300):
        assert_right(seed, name, tmp_path / str(seed))
