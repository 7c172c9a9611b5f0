"""How many calls a second a gateway on one core takes while the slowest hundredth stays within a bound.

Open loop: at each rate calls go out when they are due, and are timed from then. The highest rate that holds is searched
for by halving. A cell that the load or the mock limited, not the gateway, says so with `>=`.
"""

import math
from dataclasses import dataclass
from typing import Final

from bench.asking import KB, ask
from bench.lab import Lab, lab
from bench.peers.subject import CannotRun, Subject
from bench.rig import cpu_seconds, save, table

BOUNDS_MS: Final = (1, 5, 10, 20, 50, 100)
SECONDS: Final = 3.0
FAILED_AT_MOST: Final = 0.001
LOWEST: Final = 4.0
"""Calls a second: a gateway that cannot do these within the bound is told as 0."""
TRIES: Final = 3
"""A neighbour of this machine may delay everybody: a rate holds when one of so many trials holds."""
CLOSE_ENOUGH: Final = 1.08
FULL: Final = 0.9
"""Of the load's core: from there on it is the load that is measured."""


@dataclass(frozen=True, slots=True)
class Cell:
    """The highest rate that held. `limited`: the next higher one failed with the load's core full."""

    rate: float
    limited: bool

    def __str__(self) -> str:
        return f"{'>= ' if self.limited else ''}{self.rate:,.0f}"


class Trials:
    """Of one subject: what each rate gave, asked once and used for every bound."""

    def __init__(self, here: Lab, subject: Subject, seconds: float) -> None:
        self._here = here
        self._subject = subject
        self._seconds = seconds
        self._told: dict[float, list[dict[str, float]]] = {}

    def highest(self, bound_ms: float, start: float) -> Cell:
        """Doubling until it fails, then halving the gap."""
        low, high = 0.0, max(start, LOWEST)
        while self.holds(high, bound_ms):
            low, high = high, high * 2
        while high > LOWEST and high / max(low, LOWEST / CLOSE_ENOUGH) > CLOSE_ENOUGH:
            middle = (max(low, LOWEST / 2) * high) ** 0.5
            low, high = (middle, high) if self.holds(middle, bound_ms) else (low, middle)
        return Cell(low, self._told[high][-1]["busy"] >= FULL)

    def holds(self, rate: float, bound_ms: float) -> bool:
        tried = self._told.setdefault(rate, [])
        if any(told["p99_ms"] <= bound_ms for told in tried):
            return True
        while len(tried) < TRIES:
            tried.append(told := self._trial(rate))
            if told["p99_ms"] <= bound_ms:
                return True
        return False

    def _trial(self, rate: float) -> dict[str, float]:
        mock = cpu_seconds(self._here.mock.pid)
        told = ask("bench.openload", self._subject, self._here.folder, KB, rate, self._seconds)
        told["busy"] += (cpu_seconds(self._here.mock.pid) - mock) / self._seconds  # they share the core
        if told["failed"] > FAILED_AT_MOST * told["due"]:
            told["p99_ms"] = math.inf
        return told


def measure(here: Lab, bounds: tuple[int, ...], seconds: float) -> dict[str, dict[int, Cell]]:
    """From the loosest bound to the tightest: what holds for one is where the next begins."""
    found: dict[str, dict[int, Cell]] = {}
    for subject in (here.nginx, here.headgate, *here.parallel):
        trials, start = Trials(here, subject, seconds), 64.0
        cells: dict[int, Cell] = {}
        for bound in reversed(bounds):
            cells[bound] = trials.highest(bound, start)
            start = cells[bound].rate
        found[subject.name] = dict(sorted(cells.items()))
    return found


def run(*, peers: bool = False, quick: bool = False) -> None:
    """`python -m bench throughput [--peers] [--quick]`"""
    try:
        with lab(peers=peers) as here:
            found = measure(here, (20,) if quick else BOUNDS_MS, 1.0 if quick else SECONDS)
    except CannotRun as why:
        print(f"\nthroughput: not run. nginx: {why}.")
        return
    bounds = list(next(iter(found.values())))
    lines = [[who, *map(str, cells.values())] for who, cells in found.items()]
    title = "Calls a second on one core while p99 stays within the bound (open loop, 1 kB, everything on)"
    table(title, lines, ["", *(f"{bound} ms" for bound in bounds)])
    here.tell_absent()
    kept = {who: {bound: [cell.rate, cell.limited] for bound, cell in cells.items()} for who, cells in found.items()}
    save("throughput", {**here.told, "rates": kept})
