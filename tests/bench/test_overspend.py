"""The overspend benchmark sees what it looks for."""

from pathlib import Path

import pytest

from bench.overspend import play
from bench.overspend.play import Books, Row
from bench.overspend.scene import Scene
from headgate.simulator import books
from tests.support.simulator import Simulated, simulating


class Ungoverned:
    """The provider itself: whoever calls it has no budget."""

    name = "nobody"

    def __init__(self, simulated: Simulated) -> None:
        self.url = simulated.url
        self.journal = simulated.journal

    def model(self, name: str) -> str:
        return name

    def new_key(self, scene: Scene) -> str:
        return "key"

    def edit(self, key: str, dollars: float) -> None:
        """There is nothing to edit."""

    def kill(self) -> None:
        """Nobody is there."""

    def start_again(self) -> None:
        """Nobody is there."""

    def books(self, key: str, billed: list[books.Call]) -> Books:
        return Books(lost=len(billed), double=0)


@pytest.mark.parametrize("stream", [False, True])
def test_a_budget_that_nobody_minds_is_overspent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stream: bool) -> None:
    """Every call is billed a cent; what goes beyond the five cents of the budget is overspent, and no call is known."""
    monkeypatch.setattr(play, "WITHIN_S", 0.5)
    scene = Scene("anything goes", "priced", "Say 100 tokens, please.", callers=10, dollars=0.05, stream=stream)
    with simulating(tmp_path / "journal", aliases={"priced": "sim-fast"}) as simulated:
        row = play.play(Ungoverned(simulated), scene)
    assert row.admitted >= 10
    assert row.billed == row.admitted * 10_000_000
    assert row.overspend == row.billed - 50_000_000
    assert row.lost == row.admitted
    assert row.wrong


def test_what_a_row_says() -> None:
    """A budget that was kept to is not overspent; a lost or a doubled call is wrong all the same."""
    kept = Row("any", "any", calls=3, admitted=3, budget=100, billed=100)
    assert (kept.overspend, kept.wrong) == (0, False)
    assert Row("any", "any", budget=100, billed=50, lost=1).wrong
    assert Row("any", "any", budget=100, billed=50, double=1).wrong
