"""Half an hour of ten customers in a world of faults, for many seeds: the books agree and no cap is passed.

A seed that fails is in the name of the test, and `pytest tests/sim -k "seed12-"` plays it again, choice for choice;
the long run prints it, and `play` plays it.
"""

from pathlib import Path
from unittest import mock

import pytest

from tests.sim.judge import judge
from tests.sim.world import Faults, World

WORLDS = {
    "calm": Faults(),
    "crashing": Faults(crashes=0.3),
    "full disk": Faults(disk=0.3),
    "database away": Faults(database=0.5, crashes=0.1),
    "everything": Faults(crashes=0.2, disk=0.2, database=0.3),
}


def play(seed: int, name: str, directory: Path) -> World:
    world = World(seed, directory, WORLDS[name])
    with mock.patch("headgate.storage.segment.os.write", world.disk.write):
        world.run()
    return world


@pytest.mark.parametrize("name", WORLDS)
@pytest.mark.parametrize("seed", range(8), ids=lambda seed: f"seed{seed}")
def test_the_books_agree(seed: int, name: str, tmp_path: Path) -> None:
    """Every billed call has one usage record that covers it, no cap is passed in any window, nothing stays held."""
    world = play(seed, name, tmp_path)
    assert judge(world) == []
    assert len(world.tally.stories) > 50
    assert world.tally.denied > 50


def test_the_faults_happen(tmp_path: Path) -> None:
    """A world of faults is one: calls are refused while the disk is full, and recovered after a crash."""
    tally = play(0, "everything", tmp_path).tally
    assert min(tally.crashes, tally.recovered, tally.unavailable) > 0


def test_a_seed_is_a_history(tmp_path: Path) -> None:
    """The same seed gives the same calls, refusals and records, so that a failure can be looked at again."""
    first, second = (play(5, "everything", tmp_path / name) for name in ("first", "second"))
    assert first.tally == second.tally
    assert first.rows == second.rows


@pytest.mark.slow
@pytest.mark.timeout(1_800)
def test_the_books_agree_for_many_seeds(tmp_path: Path) -> None:
    """A thousand worlds."""
    for name in WORLDS:
        for seed in range(100, 300):
            wrongs = judge(play(seed, name, tmp_path / f"{name}-{seed}"))
            assert wrongs == [], f"play({seed}, {name!r}, directory)"
