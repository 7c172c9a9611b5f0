"""Processes pinned to cores, and what they used of them.

The measured process has core 0 for itself; the mock provider and the load share the last core. What is reported is CPU
time of the measured process per call, which a busy neighbour disturbs far less than wall-clock time.
"""

import contextlib
import json
import os
import platform
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

ROOT = Path(__file__).parent.parent
RESULTS = Path(__file__).parent / "results"
CORES = sorted(os.sched_getaffinity(0))
MEASURED = {CORES[0]}
OTHERS = {CORES[-1]}
FIRST = -20
AUTOGROUP = Path("/proc/self/autogroup")
"""Where Linux groups processes by session, a priority counts within its group only, and groups have one too."""


def free_port() -> int:
    """A loopback port nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def process(
    command: Sequence[str | Path],
    cores: set[int],
    port: int,
    environment: Mapping[str, str] | None = None,
    within_s: float = 30,
    quiet: bool = False,
) -> Iterator[subprocess.Popen[bytes]]:
    """A process on these cores, once it listens on the port; ended on the way out."""
    running = subprocess.Popen(
        [str(part) for part in command],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL if quiet else None,
        cwd=ROOT,
        env={**os.environ, **(environment or {})},
        preexec_fn=lambda: pinned(cores),
    )
    try:
        _wait_for(port, running, within_s)
        yield running
    finally:
        running.terminate()
        running.wait(20)


def pinned(cores: set[int]) -> None:
    """This process on these cores, before whatever else runs there, where that is allowed."""
    os.sched_setaffinity(0, cores)
    with contextlib.suppress(OSError):
        os.setpriority(os.PRIO_PROCESS, 0, FIRST)
        AUTOGROUP.write_text(str(FIRST))


def confine(pid: int, cores: set[int]) -> None:
    """The same for a process that somebody else started, all its threads, and what it starts from now on."""
    for task in Path(f"/proc/{pid}/task").iterdir():
        os.sched_setaffinity(int(task.name), cores)
        with contextlib.suppress(PermissionError):
            os.setpriority(os.PRIO_PROCESS, int(task.name), FIRST)


def _wait_for(port: int, running: subprocess.Popen[bytes], within_s: float) -> None:
    deadline = time.monotonic() + within_s
    while time.monotonic() < deadline:
        if running.poll() is not None:
            raise RuntimeError(f"{running.args!r} ended with {running.returncode}")
        try:
            socket.create_connection(("127.0.0.1", port), 0.2).close()
            return
        except OSError:
            time.sleep(0.05)
    raise TimeoutError(f"nothing listens on port {port}")


def cpu_seconds(pid: int) -> float:
    """User and system time of a process and its threads so far, in seconds (from the scheduler, nanosecond-exact)."""
    total = 0
    for task in Path(f"/proc/{pid}/task").iterdir():
        total += int((task / "schedstat").read_text().split()[0])
    return total / 1e9


def resident_kib(pid: int) -> int:
    """Resident memory of a process."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1])
    return 0


@dataclass(frozen=True, slots=True)
class Row:
    """One measured thing: microseconds of CPU per unit, and units per second of wall time."""

    who: str
    unit: str
    count: int
    cpu_us: float
    per_second: float


def table(title: str, rows: Sequence[Sequence[object]], head: Sequence[str]) -> None:
    """A plain table on standard output."""
    cells = [[str(cell) for cell in row] for row in (head, *rows)]
    widths = [max(len(row[column]) for row in cells) for column in range(len(head))]
    print(f"\n{title}")
    for row in cells:
        print("  " + "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)))


def save(name: str, result: Mapping[str, object]) -> None:
    """The result as JSON under `bench/results/`, with the machine it was measured on."""
    RESULTS.mkdir(exist_ok=True)
    machine = {
        "cores": len(CORES),
        "processor": _processor(),
        "python": platform.python_version(),
        "platform": platform.platform(),
        "headgate": version("headgate"),
    }
    (RESULTS / f"{name}.json").write_text(json.dumps({"machine": machine, **result}, indent=1))


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()
