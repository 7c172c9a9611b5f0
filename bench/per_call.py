"""What a call and a streamed chunk cost in CPU, beside nginx as a plain proxy of the same mock, in one run.

Everything is on in the gateway: see `lab.EVERYTHING`.
"""

from collections.abc import Callable
from typing import Final

from bench.asking import KB, ask
from bench.lab import Lab, lab
from bench.mock import CHUNKS
from bench.peers.subject import CannotRun, Subject
from bench.rig import Row, cpu_seconds, save, table

CONNECTIONS: Final = 32
STREAMS: Final = 40
ROUND_S: Final = 3.0
"""About how long one round of one subject takes, by what its warm-up took."""
MOST_CALLS: Final = 8000


class Failing(Exception):
    """What was measured did not answer as it should."""


def calls_of(here: Lab, subject: Subject) -> Row:
    """CPU of the measured process over plain calls of 1 kB."""
    return _drive(here, subject, "call", CONNECTIONS, 1, MOST_CALLS)


def chunks_of(here: Lab, subject: Subject) -> Row:
    """The same over the chunks of long streams."""
    return _drive(here, subject, "chunk", STREAMS, CHUNKS, MOST_CALLS // 100)


def _drive(here: Lab, subject: Subject, unit: str, connections: int, per: int, most: int) -> Row:
    stream, connections = unit == "chunk", min(connections, subject.at_once)
    warm = ask("bench.load", subject, here.folder, KB, connections, 2 * connections, stream=stream)
    calls = max(connections, min(most, int(ROUND_S * warm["calls"] / warm["seconds"])))
    before = cpu_seconds(subject.pid)
    result = ask("bench.load", subject, here.folder, KB, connections, calls, stream=stream)
    used = cpu_seconds(subject.pid) - before
    if result["failed"]:
        raise Failing(f"{result['failed']:.0f} of {result['calls']:.0f} failed")
    units = int(result["calls"]) * per
    return Row(subject.name, unit, units, 1e6 * used / units, units / result["seconds"])


def measure(here: Lab, rounds: int) -> tuple[list[Row], dict[str, str]]:
    """All take turns, so that a busy neighbour disturbs everybody; and why a cell could not be measured."""
    rows: list[Row] = []
    failing: dict[str, str] = {}
    jobs: list[tuple[Callable[[Lab, Subject], Row], Subject]] = []
    for subject in (here.nginx, here.headgate, *here.peers):
        jobs += [(calls_of, subject), (chunks_of, subject)]
    jobs += [(calls_of, here.translated), (chunks_of, here.translated)]
    for _ in range(rounds):
        for job, subject in jobs:
            try:
                rows.append(job(here, subject))
            except Failing as why:
                failing[f"{subject.name}, {job.__name__.partition('s_')[0]}"] = str(why)
    return rows, failing


def best(rows: list[Row], who: str, unit: str) -> Row:
    """The least disturbed round."""
    return min((row for row in rows if row.who == who and row.unit == unit), key=lambda row: row.cpu_us)


def run(*, peers: bool = False, quick: bool = False) -> None:
    """`python -m bench per_call [--peers] [--quick]`"""
    try:
        with lab(peers=peers) as here:
            (rows, failing), told = measure(here, 1 if quick else 3), here.told
    except CannotRun as why:
        print(f"\nper_call: not run. nginx: {why}; the ratios need it beside the gateway.")
        return
    lines, ratios = [], {}
    for who in dict.fromkeys(row.who for row in rows):
        line: list[str] = [who]
        for unit in ("call", "chunk"):
            if (broken := failing.get(f"{who}, {unit}")) is not None:
                line += [broken, "-"]
                continue
            cost, limit = best(rows, who, unit), best(rows, "nginx", unit)
            ratios[f"{who}, {unit}"] = ratio = cost.cpu_us / limit.cpu_us
            line += [f"{cost.cpu_us:,.1f}", f"{ratio:,.1f} x"]
        lines.append(line)
    head = ["", "µs a call", "", "µs a chunk", ""]
    table("CPU of the measured process on one core, everything on; beside nginx", lines, head)
    here.tell_absent()
    kept = [[row.who, row.unit, row.count, row.cpu_us, row.per_second] for row in rows]
    save("per_call", {**told, "rows": kept, "ratios": ratios, "failing": failing})
