"""Streams: what a gateway adds to the first token and between two, how many paced ones it carries without a stall, and
what each takes of its memory.

64 pieces, one every 20 ms, as models write. A stall is a gap of more than ten times that.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bench.asking import KB, ask
from bench.lab import Lab, lab
from bench.peers.subject import CannotRun, Subject
from bench.rig import cpu_seconds, resident_kib, save, table
from bench.throughput import FAILED_AT_MOST, FULL

PIECES: Final = 64
PACE_S: Final = 0.02
STALL_S: Final = 10 * PACE_S
SECONDS: Final = 5.0
ALONE: Final = 8
"""Streams at once where what is added is measured: few enough that nobody waits for another."""
STEPS: Final = (32, 64, 128, 256, 512, 768, 1024, 1280, 1536, 1792, 2048)
TRIES: Final = 2
"""A neighbour of this machine may stall everybody once."""


@dataclass(frozen=True, slots=True)
class Carried:
    """The most streams without a stall; `limited`: the next step failed with the load's core full. Memory in KiB."""

    most: int
    limited: bool
    idle: int
    loaded: int
    recovered: int

    @property
    def per_stream(self) -> float:
        return (self.loaded - self.idle) / max(self.most, 1)


def watch(here: Lab, subject: Subject, streams: int, seconds: float) -> dict[str, float]:
    mock = cpu_seconds(here.mock.pid)
    told = ask("bench.viewers", subject, here.folder, KB, streams, seconds, STALL_S, stream=True)
    told["busy"] += (cpu_seconds(here.mock.pid) - mock) / (seconds + 1)  # they share the core
    return told


def carried(here: Lab, subject: Subject, seconds: float) -> Carried:
    """Step by step until one fails."""
    watch(here, subject, STEPS[0], 1.0)
    idle, most, loaded, limited = resident_kib(subject.pid), 0, 0, False
    for step in STEPS:
        with peak(subject) as seen:
            held, told = _try(here, subject, step, seconds)
        if not held:
            limited = told["busy"] >= FULL
            break
        most, loaded = step, seen.kib()
    return Carried(most, limited, idle, loaded or idle, resident_kib(subject.pid))


def _try(here: Lab, subject: Subject, streams: int, seconds: float) -> tuple[bool, dict[str, float]]:
    for _ in range(TRIES):
        told = watch(here, subject, streams, seconds)
        asked = told["streams"] + told["failed"]
        if not told["stalls"] and told["failed"] <= FAILED_AT_MOST * asked:
            return True, told
    return False, told


class Peak:
    """The most resident memory since the block began."""

    def __init__(self, pid: int) -> None:
        self._pid = pid

    def kib(self) -> int:
        for line in Path(f"/proc/{self._pid}/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1])
        return 0


@contextmanager
def peak(subject: Subject) -> Iterator[Peak]:
    """Linux forgets the high water mark when 5 is written here."""
    Path(f"/proc/{subject.pid}/clear_refs").write_text("5")
    yield Peak(subject.pid)


def run(*, peers: bool = False, quick: bool = False) -> None:
    """`python -m bench streams [--peers] [--quick]`"""
    try:
        with lab(peers=peers, chunks=PIECES, pace_s=PACE_S) as here:
            seconds = 2.0 if quick else SECONDS
            everybody = [here.nginx, here.headgate, *here.parallel]
            direct = watch(here, here.mock, ALONE, seconds)
            alone = {each.name: watch(here, each, ALONE, seconds) for each in (*everybody, here.translated)}
            loads = {} if quick else {each.name: carried(here, each, seconds) for each in everybody}
    except CannotRun as why:
        print(f"\nstreams: not run. nginx: {why}.")
        return
    figures = ("first_p50_ms", "first_p99_ms", "gap_p50_ms", "gap_p99_ms")
    added = {who: [told[figure] - direct[figure] for figure in figures] for who, told in alone.items()}
    lines = [
        [who, *(f"{value:.2f}" for value in values), f"{alone[who]['failed']:.0f}"] for who, values in added.items()
    ]
    head = ["", "first token p50", "p99", "between pieces p50", "p99", "failed"]
    table(f"Added to a paced stream, {ALONE} at once (ms; gateway minus direct)", lines, head)
    lines = [
        [who, f"{'>= ' if each.limited else ''}{each.most:,}", f"{each.per_stream:.0f}"]
        + [f"{kib / 1024:.0f}" for kib in (each.idle, each.loaded, each.recovered)]
        for who, each in loads.items()
    ]
    table("Paced streams without a stall", lines, ["", "streams", "KiB each", "idle MiB", "loaded", "recovered"])
    here.tell_absent()
    kept = {who: [each.most, each.limited, each.idle, each.loaded, each.recovered] for who, each in loads.items()}
    save("streams", {**here.told, "added_ms": added, "carried": kept})
