"""How long graphs and groups take over a million usage records of 30 days, on the embedded SQLite.

The records are written as the gateway writes them, sums included: 5,000 keys of 200 tenants, eight models, four pieces
of metadata. Calls come in sessions, at any time of the 30 days: somebody uses one feature for some minutes, about six
calls, mostly of one model. Each figure is the slower of two runs. CPU time is what a busy neighbour disturbs
least: with none, the answer is there after as long.
"""

import asyncio
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from random import Random
from typing import Any, Final

from bench.rig import save, table
from headgate.analytics.graphs import GRAPHS
from headgate.analytics.usage import UsageService
from headgate.base.clock import NANOS_PER_SECOND, SystemClock
from headgate.ledger.record import Outcome, UsageRecord
from headgate.storage.alert_rows import AlertedRows
from headgate.storage.analytics.reader import SqlUsageReader
from headgate.storage.database import open_database
from headgate.storage.migrate import upgrade
from headgate.storage.stores import SqlTransactions
from headgate.tenancy import keys
from headgate.tenancy.administration import Administration
from headgate.tenancy.founding import found
from headgate.tenancy.moments import to_iso
from headgate.tenancy.principal import Principal
from headgate.tenancy.scopes import WORKSPACE_SCOPES
from headgate.tenancy.stores import Page

RECORDS: Final = 1_000_000
QUICK: Final = 50_000
DAYS: Final = 30
BATCH: Final = 5_000
KEYS: Final = 5_000
PER_TENANT: Final = 25
_MODELS: Final = ("gpt-5", "gpt-5-mini", "gpt-5-nano", "gpt-4o", "claude-opus", "claude-haiku", "gemini-pro", "llama")
TIERS: Final = ("starter", "professional", "enterprise")
_FEATURES: Final = ("chat", "search", "summary", "draft", "agent")
_CALLS: Final = 6
"""Of a session, on average, one a minute."""
_LIMIT_MS: Final = 500

Question = tuple[str, Callable[[], Awaitable[object]]]


class FixedClock(SystemClock):
    """The moment after the last record."""

    def __init__(self, at: int) -> None:
        self.now = lambda: at


@dataclass(slots=True)
class Session:
    """Somebody at work with one feature."""

    key: int
    feature: str
    model: str


def records(count: int, organization_id: str, end: int) -> Iterator[UsageRecord]:
    """In order of their start."""
    random = Random(20)
    step = DAYS * 86_400 * NANOS_PER_SECOND // count
    at_once = max(2, 60 * NANOS_PER_SECOND // step)
    sessions = [_session(random) for _ in range(at_once)]
    for number in range(count):
        place = random.randrange(at_once)
        if random.random() < 1 / _CALLS:
            sessions[place] = _session(random)
        yield _record(random, number, sessions[place], organization_id, end - (count - number) * step)


def _session(random: Random) -> Session:
    return Session(int(KEYS * random.random() ** 1.5), random.choice(_FEATURES), _model(random))


def _model(random: Random) -> str:
    return _MODELS[int(len(_MODELS) * random.random() ** 2)]


def _record(random: Random, number: int, session: Session, organization_id: str, started_at: int) -> UsageRecord:
    key = session.key
    tier = key // PER_TENANT % len(TIERS)
    model = session.model if random.random() < 0.9 else _model(random)
    status = 200 if random.random() < 0.97 else random.choice((400, 429, 500, 502))
    return UsageRecord(
        request_id=f"req_{number:032x}",
        trace_id=f"trace-{number}",
        organization_id=organization_id,
        workspace_id=f"ws_{tier:020d}",
        key_id=f"key_{key:020d}",
        tenant_id=f"ten_{key // PER_TENANT:020d}",
        integration_id="int_00000000000000000001",
        provider="openai-prod",
        provider_kind="openai",
        endpoint="/v1/chat/completions",
        model_asked=f"@openai-prod/{model}",
        model=model,
        stream=True,
        started_at=started_at,
        first_byte_after=312_000_000,
        ended_after=int(random.lognormvariate(21, 0.8)),
        outcome=Outcome.OK if status == 200 else Outcome.PROVIDER_ERROR,
        status=status,
        attempts=1 + (random.random() < 0.02),
        usage={"input": random.randrange(3_000), "output": random.randrange(900)},
        cost=random.randrange(10**8),
        price_id="gpt-4o@2024-10-02",
        metadata={
            "subscription_tier": TIERS[tier],
            "_user": f"user-{key}",
            "user_email": f"user-{key}@example.com",
            "feature": session.feature,
        },
    )


def questions(service: UsageService, root: Principal, end: int) -> Iterator[Question]:
    """All graphs and groups over the 30 days, and some with filters."""
    month = {"time_of_generation_min": to_iso(end - DAYS * 86_400 * NANOS_PER_SECOND)}
    page = Page(0, 50)
    customer = Principal(root.organization_id, "api_key:x", WORKSPACE_SCOPES, f"ws_{0:020d}")
    narrow: dict[str, dict[str, Any]] = {
        "a metadata value": {"metadata": '{"subscription_tier":"professional"}'},
        "a metadata value and a model": {"metadata": '{"subscription_tier":"professional"}', "ai_model": "gpt-5-mini"},
        "a customer": {"metadata": '{"user_email":"user-7@example.com"}'},
        "errors": {"status_code": "400,429,500,502"},
    }

    def group(name: str, who: Principal, asked: dict[str, Any]) -> Callable[[], Awaitable[object]]:
        return partial(service.group, who, name, asked, page, order_by="cost", ascending=False)

    for name in GRAPHS:
        yield f"graph {name}", partial(service.graph, root, name, month)
    for text, filters in narrow.items():
        for name in ("cost", "latency", "users"):
            yield f"graph {name} of {text}", partial(service.graph, root, name, month | filters)
    for name in ("users", "ai-models", "workspaces", "tenant", "api_key", "status_code", "provider"):
        yield f"group {name}", group(name, root, month)
    for key in ("subscription_tier", "user_email", "feature"):
        yield f"group metadata/{key}", group(f"metadata/{key}", root, month)
    for text, filters in narrow.items():
        yield f"group users of {text}", group("users", root, month | filters)
        yield f"group ai-models of {text}", group("ai-models", root, month | filters)
    yield "graph cost of a workspace's key", partial(service.graph, customer, "cost", month)
    yield "group api_key of a workspace's key", group("api_key", customer, month)
    yield "summary cache", partial(service.cache_summary, root, month)


async def measure(folder: Path, count: int) -> dict[str, Any]:
    """Write so many records, then ask."""
    clock = SystemClock()
    end = clock.now() // NANOS_PER_SECOND * NANOS_PER_SECOND
    database = await open_database(f"sqlite:///{folder}/headgate.db", synchronous="NORMAL")
    try:
        await upgrade(database)
        transactions = SqlTransactions(database)
        organization = await found(Administration(transactions, clock), keys.mint(b"p" * keys.PEPPER_BYTES))
        assert organization is not None
        rows, batch, begun = AlertedRows(clock), [], time.perf_counter()
        for record in records(count, organization.id, end):
            batch.append(record)
            if len(batch) == BATCH:
                await database.write(partial(rows.insert, records=batch))
                batch = []
        written_s = time.perf_counter() - begun
        service = UsageService(transactions, SqlUsageReader(database, FixedClock(end)), FixedClock(end))
        times = {}
        for name, ask in questions(service, Principal.operator(organization.id), end):
            runs = [await _timed(ask) for _ in range(2)]
            times[name] = {"ms": max(wall for wall, _ in runs), "cpu_ms": max(cpu for _, cpu in runs)}
        return {"records": count, "written_s": round(written_s, 1), "questions": times}
    finally:
        await database.close()


async def _timed(ask: Callable[[], Awaitable[object]]) -> tuple[float, float]:
    begun, used = time.perf_counter(), time.process_time()
    await ask()
    return round((time.perf_counter() - begun) * 1_000, 1), round((time.process_time() - used) * 1_000, 1)


def run(*, quick: bool = False) -> int:
    """1 where an answer takes more than it may."""
    with tempfile.TemporaryDirectory() as folder:
        result = asyncio.run(measure(Path(folder), QUICK if quick else RECORDS))
    times = result["questions"]
    table(
        f"Graphs and groups over {result['records']:,} usage records of {DAYS} days (SQLite)",
        [(name, f"{each['ms']:,.0f} ms", f"{each['cpu_ms']:,.0f} ms") for name, each in times.items()],
        ("question", "took", "CPU"),
    )
    slowest = max(times, key=lambda name: times[name]["cpu_ms"])
    most = times[slowest]["cpu_ms"]
    print(f"\n  most: {slowest}, {most:,.0f} ms of CPU; the records took {result['written_s']} s to write")
    if not quick:
        save("analytics", result)
    return int(most > _LIMIT_MS)
