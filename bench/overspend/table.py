"""`python -m bench overspend [--peers]`"""

import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from statistics import median

from bench.overspend import idle
from bench.overspend.headgate import headgate
from bench.overspend.litellm import litellm_rows
from bench.overspend.play import Row, play
from bench.overspend.scene import MODELS, SCENES
from bench.overspend.shared import nodes, workers
from bench.rig import save, table
from headgate.base.money import usd
from tests.support.gateway import ADDRESS
from tests.support.processes import running

HEAD = (
    "situation",
    "gateway",
    "calls",
    "admitted",
    "budget",
    "billed",
    "overspent",
    "usable",
    "false",
    "lost",
    "double",
)
SIMULATOR = (
    "-c",
    "import sys; from headgate.simulator.server import run; "
    f"run(port=0, journal_path=sys.argv[1], aliases={MODELS!r}, tell=lambda line: print(line, flush=True))",
)


@contextmanager
def provider(directory: Path) -> Iterator[tuple[str, Path]]:
    """The simulator with the models of the scenes: its address and its journal."""
    journal = directory / "simulator.journal"
    with running((journal,), directory / "simulator.log", ADDRESS, program=SIMULATOR) as (_, address):
        yield address[1], journal


def cells(row: Row) -> tuple[object, ...]:
    """A line of the table."""
    if row.note:
        return row.scene, row.who, *["-"] * (len(HEAD) - 2)
    usable = f"{100 * row.usable / row.budget:.1f} %" if row.admitted else "-"
    money = (f"${usd(amount, 4)}" for amount in (row.budget, row.billed, row.overspend))
    return row.scene, row.who, row.calls, row.admitted, *money, usable, row.false_refusals, row.lost, row.double


def run(*, peers: bool = False) -> int:
    """The exit code: 1 if Headgate overspent, lost or doubled anything."""
    rows: list[Row] = []
    with ExitStack() as stack:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        simulator, journal = stack.enter_context(provider(directory))
        with headgate(directory, simulator, journal) as ours:
            rows += [play(ours, scene) for scene in SCENES]
        with workers(directory, simulator, journal) as several:
            rows += [play(several, scene) for scene in SCENES]
        with nodes(directory, simulator, journal) as several:
            rows += [play(several, scene) for scene in SCENES]
            waited = idle.measure(several)
        if peers:
            rows += litellm_rows(directory, simulator, journal)
    table("Can a budget be overspent? By the books of the provider who bills", [cells(row) for row in rows], HEAD)
    for row in rows:
        if row.note:
            print(f"  {row.who}, {row.scene}: {row.note}")
        elif row.written_off:
            print(f"  {row.who}, {row.scene}: ${usd(row.written_off, 4)} charged for calls under way, never billed")
    late = [each for each in waited if each.refused_s > idle.BOUND_S]
    took = sorted(1000 * each.took_s for each in waited)
    print(
        f"  A call that needs what the other node borrowed and does not use, {len(waited)} times: {len(late)} refused "
        f"for more than {1000 * idle.BOUND_S:.0f} ms, {1000 * max(each.refused_s for each in waited):.0f} ms at most; "
        f"answered within {median(took):.0f} ms in the median, {took[-1]:.0f} ms at most"
    )
    save("overspend", {"rows": [[*map(str, cells(row))] for row in rows], "head": HEAD, "idle_ms": took})
    wrong = [row for row in rows if row.who.startswith(ours.name) and row.wrong]
    for row in wrong:
        print(f"overspent, lost or doubled: {row.who}, {row.scene}", file=sys.stderr)
    return 1 if wrong or late else 0
