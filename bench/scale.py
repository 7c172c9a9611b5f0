"""What sharing costs: one process with everything for itself, beside 1, 2 and 4 workers that share their allowances.

All of them take turns in front of the same mock in the same run, with the same eight allowances a call, all of them hot
and far from their caps. The gateway's processes share one core, mock, load, PostgreSQL and Valkey the other: so what is
measured is CPU per call, and what cannot be is how much more calls two machines take than one.
"""

import asyncio
import re
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Final

import asyncpg

from bench.asking import KB, ask
from bench.gateway import Gateway, running_gateway
from bench.lab import mocked
from bench.rig import OTHERS, confine, cpu_seconds, save, table
from bench.tellings import rare, tellings
from tests.support.databases import create_postgres_database
from tests.support.http import call
from tests.support.services import PostgresServer
from tests.support.valkey import Valkey, valkey_server

CONNECTIONS: Final = 32
CALLS: Final = 6_000
ROUNDS: Final = 3
RATE: Final = 200.0
RATE_S: Final = 3.0
WORKERS: Final = (1, 2, 4)
EMBEDDED: Final = "embedded, on SQLite"
ALONE: Final = "alone, on PostgreSQL"
HEAD: Final = ("", "calls/s", "gateway, µs", "", "Valkey, µs", "PostgreSQL, µs", "waited", "p50", "p99")


RECORD_BYTES: Final = """
SELECT sum(pg_total_relation_size(relid))::float / (SELECT count(*) FROM usage_record)
FROM pg_partition_tree('usage_record') WHERE isleaf
"""


@dataclass(frozen=True, slots=True)
class Tried:
    """A gateway of `workers` processes. `valkey`: through which it shares; None, if it does not."""

    name: str
    gateway: Gateway
    workers: int
    valkey: Valkey | None
    database_url: str = ""


@dataclass(frozen=True, slots=True)
class Round:
    """CPU in microseconds a call, of all processes of each kind; `waited`: the share of the calls' decisions that
    needed a round trip. The latencies are at `RATE` calls a second, in milliseconds."""

    per_second: float
    gateway_us: float
    valkey_us: float
    postgres_us: float
    waited: float
    p50_ms: float
    p99_ms: float


@contextmanager
def everybody(folder: Path, upstream: int, server: PostgresServer) -> Iterator[list[Tried]]:
    """Each on a database of its own, and those that share on a Valkey of their own."""
    with ExitStack() as stack:

        def started(name: str, number: int, workers: int, valkey: Valkey | None, **environment: str) -> Tried:
            gateway = stack.enter_context(running_gateway(folder / str(number), upstream, environment))
            return Tried(name, gateway, workers, valkey, environment.get("HEADGATE_DATABASE_URL", ""))

        made = [started(EMBEDDED, 0, 1, None)]
        made.append(started(ALONE, 1, 1, None, HEADGATE_DATABASE_URL=_database(server)))
        for number, workers in enumerate(WORKERS, 2):
            valkey = stack.enter_context(valkey_server())
            confine(valkey.process.pid, OTHERS)
            shared = {"HEADGATE_DATABASE_URL": _database(server), "HEADGATE_REDIS_URL": valkey.url}
            name = f"sharing, {workers} worker{'s' * (workers > 1)}"
            made.append(started(name, number, workers, valkey, HEADGATE_WORKERS=str(workers), **shared))
        yield made


def _database(server: PostgresServer) -> str:
    return asyncio.run(create_postgres_database(server.url))


def one_round(folder: Path, tried: Tried, server: PostgresServer, calls: int) -> Round:
    """As many calls as fit, then as many as `RATE` says."""
    subject = tried.gateway.subject
    ask("bench.load", subject, folder, KB, CONNECTIONS, 2 * CONNECTIONS)
    asked, waited = _decisions(tried)
    before = _cpu(tried, server)
    told = ask("bench.load", subject, folder, KB, CONNECTIONS, calls)
    after = _cpu(tried, server)
    if told["failed"]:
        raise RuntimeError(f"{tried.name}: {told['failed']:.0f} of {calls} failed")
    asked_then, waited_then = _decisions(tried)
    slow = ask("bench.openload", subject, folder, KB, RATE, RATE_S)
    gateway, valkey, postgres = (1e6 * (end - begin) / calls for begin, end in zip(before, after, strict=True))
    share = (waited_then - waited) / max(asked_then - asked, 1)
    return Round(calls / told["seconds"], gateway, valkey, postgres, share, slow["p50_ms"], slow["p99_ms"])


def _cpu(tried: Tried, server: PostgresServer) -> tuple[float, float, float]:
    valkey = 0.0 if tried.valkey is None else cpu_seconds(tried.valkey.process.pid)
    return sum(map(cpu_seconds, _family(tried.gateway.pid))), valkey, sum(map(cpu_seconds, server.processes()))


def _family(pid: int) -> list[int]:
    """A process and its children."""
    return [pid, *map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split())]


def _decisions(tried: Tried) -> tuple[float, float]:
    """Holds that were asked for so far, and those of them that waited for a round trip."""
    page = call("GET", f"http://127.0.0.1:{tried.gateway.port}/metrics").body.decode()
    names = ("headgate_share_decisions", "headgate_share_waits")
    asked, waited = (
        sum(map(float, re.findall(rf"^{name}(?:_total)?(?:{{.*}})? (\S+)$", page, re.MULTILINE))) for name in names
    )
    return asked, waited


def measure(calls: int, rounds: int) -> tuple[dict[str, list[Round]], float]:
    """All take turns, so that a busy neighbour disturbs everybody; and the bytes of a usage record in PostgreSQL."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        server = PostgresServer()
        stack.callback(server.close)
        server.start("max_connections=200")
        for each in server.processes():
            confine(each, OTHERS)
        mock = stack.enter_context(mocked())
        all_tried = stack.enter_context(everybody(folder, mock.port, server))
        for tried in all_tried:
            _wait_until_all_take_calls(folder, tried)
        found: dict[str, list[Round]] = {tried.name: [] for tried in all_tried}
        for _ in range(rounds):
            for tried in all_tried:
                found[tried.name].append(one_round(folder, tried, server, calls))
        return found, asyncio.run(_record_bytes(all_tried[1].database_url))


async def _record_bytes(url: str) -> float:
    """With its indexes."""
    connection = await asyncpg.connect(url)
    try:
        await connection.execute("VACUUM usage_record")
        return float(await connection.fetchval(RECORD_BYTES))
    finally:
        await connection.close()


def _wait_until_all_take_calls(folder: Path, tried: Tried) -> None:
    deadline = time.monotonic() + 30
    while ask("bench.load", tried.gateway.subject, folder, KB, CONNECTIONS, 4 * CONNECTIONS)["failed"]:
        if time.monotonic() > deadline:
            raise TimeoutError(f"{tried.name}: not all workers take calls")


def run(*, quick: bool = False) -> None:
    """`python -m bench scale [--quick]`"""
    found, record_bytes = measure(1_000 if quick else CALLS, 1 if quick else ROUNDS)
    base = min(each.gateway_us for each in found[EMBEDDED])
    lines = []
    for name, rounds in found.items():
        gateway = min(each.gateway_us for each in rounds)
        others = [f"{min(getattr(each, kind) for each in rounds):,.0f}" for kind in ("valkey_us", "postgres_us")]
        if name == EMBEDDED:
            others = ["", ""]  # they run, for the others
        waited = f"{100 * median(each.waited for each in rounds):.2f} %"
        latency = (f"{min(getattr(each, name) for each in rounds):.1f} ms" for name in ("p50_ms", "p99_ms"))
        rate = max(each.per_second for each in rounds)
        lines.append((name, f"{rate:,.0f}", f"{gateway:,.0f}", f"{gateway / base:.2f} x", *others, waited, *latency))
    print(f"  A usage record in PostgreSQL, with its indexes: {record_bytes:,.0f} bytes")
    table(f"What sharing costs a call; the best of the rounds; latencies at {RATE:.0f} calls/s", lines, HEAD)
    told, borrowed = tellings(quick=quick), rare(quick=quick)
    kept = {name: [vars_of(each) for each in rounds] for name, rounds in found.items()}
    save("scale", {"rounds": kept, "tellings": told, "rare": borrowed, "record_bytes": record_bytes})


def vars_of(each: Round) -> dict[str, float]:
    """For the JSON."""
    return {name: getattr(each, name) for name in Round.__slots__}
