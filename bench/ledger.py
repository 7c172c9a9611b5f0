"""What a call costs in the ledger: hold, dispatch and settle over eight allowances, on a journal; a replay, and a start
after a kill.

A dispatch writes what was decided before it, the settlements of other calls included. CPU time of the process, the
system's included, the best of several rounds: on a shared machine the others are its neighbours.
"""

import asyncio
import tempfile
import time
from collections.abc import Iterator
from itertools import count
from pathlib import Path

from bench.rig import save, table
from headgate.base.clock import SystemClock
from headgate.bootstrap import JOURNAL_DIRECTORY, open_gateway
from headgate.ledger.allowance import LIFETIME, Allowance, Amounts, Resource, Scope, Window, WindowKind
from headgate.ledger.borrowed import BorrowedShares
from headgate.ledger.journal import Entry
from headgate.ledger.ledger import LocalLedger
from headgate.ledger.period import NEVER
from headgate.ledger.record import Outcome, UsageRecord
from headgate.settings import Settings
from headgate.storage.journal import FileJournal
from headgate.tenancy.vault import MasterKey, Vault

CALLS = 500
ROUNDS = 40
ENTRIES = 100_000
MONTH, DAY = (Window(WindowKind.CALENDAR, unit=unit) for unit in ("month", "day"))
MINUTE, WEEK = (Window(WindowKind.SLIDING, seconds=seconds) for seconds in (60, 604_800))
EIGHT = [
    Allowance(f"api_key:0123456789abcdefghjk:{resource}:{number}", Scope("api_key", "key"), resource, window, 10**15)
    for number, (resource, window) in enumerate(
        (
            (Resource.REQUESTS, MINUTE),
            (Resource.TOKENS, MINUTE),
            (Resource.REQUESTS, WEEK),
            (Resource.TOKENS, DAY),
            (Resource.COST, DAY),
            (Resource.COST, MONTH),
            (Resource.COST, LIFETIME),
            (Resource.IN_FLIGHT, LIFETIME),
        )
    )
]
BOUND = Amounts(1, 1_200, 4_096, 45_000_000)
ACTUAL = Amounts(1, 900, 310, 5_350_000)


class Nowhere:
    """A journal that keeps nothing: what the decisions cost by themselves."""

    def admit(self) -> None: ...

    def append(self, entry: Entry) -> None: ...

    def flush(self) -> None: ...


def ledger() -> None:
    """The table of `python -m bench ledger`."""
    with tempfile.TemporaryDirectory() as folder:
        journal, _ = FileJournal.open(Path(folder) / "calls")
        decisions = best(LocalLedger(SystemClock(), Nowhere()), None)
        borrowed = best(on_borrowed_shares(), None)
        journalled = best(LocalLedger(SystemClock(), journal), journal)
        journal.close()
        replay = replay_seconds(Path(folder) / "replay")
        (Path(folder) / "empty").mkdir()
        start = asyncio.run(start_seconds(Path(folder) / "empty"))
        write_calls(Path(folder) / "killed" / JOURNAL_DIRECTORY)
        repair = asyncio.run(start_seconds(Path(folder) / "killed")) - start
    rows = [
        ("hold and settle, eight allowances, no journal", f"{decisions:.1f} µs"),
        ("the same on borrowed shares that are large enough", f"{borrowed:.1f} µs"),
        ("hold and settle, eight allowances, journalled", f"{journalled:.1f} µs"),
        (f"replay of {ENTRIES:,} entries", f"{replay:.2f} s"),
        ("the start with it, every call's record in SQLite, beyond one without", f"{repair:.2f} s"),
    ]
    table("The ledger: CPU per call", rows, ("what", "cost"))
    save(
        "ledger",
        {
            "decisions_us": decisions,
            "borrowed_us": borrowed,
            "journalled_us": journalled,
            "replay_100k_s": replay,
            "repair_100k_s": repair,
        },
    )


def on_borrowed_shares() -> LocalLedger:
    """A ledger that never lacks anything: what deciding costs, without telling the authority of it."""
    shares = BorrowedShares()
    made = LocalLedger(SystemClock(), Nowhere(), shares=shares)
    for each in EIGHT:
        made.open(each)
        share = shares.share(each)
        share.entitled, share.lease_until = each.cap, NEVER
    return made


def best(ledger_: LocalLedger, journal: FileJournal | None) -> float:
    """Microseconds a call, in the best round."""
    names = (f"req_{number:026d}" for number in count())
    return min(one_round(ledger_, journal, names) for _ in range(ROUNDS))


def one_round(ledger_: LocalLedger, journal: FileJournal | None, names: Iterator[str]) -> float:
    ids = [next(names) for _ in range(CALLS)]
    record = a_record(ids[0])
    begun = time.process_time_ns()
    for name in ids:
        ledger_.hold(name, EIGHT, BOUND)
        ledger_.dispatch(name, record)
        ledger_.settle(name, ACTUAL, record)
    spent = time.process_time_ns() - begun
    if journal is not None:
        journal.checkpoint(ids)
    return spent / CALLS / 1_000


def write_calls(folder: Path) -> None:
    """A journal of so many entries, as a kill leaves it: one call in twenty is unfinished."""
    journal, _ = FileJournal.open(folder)
    ledger_ = LocalLedger(SystemClock(), journal)
    for number in range(ENTRIES * 20 // 59 + 1):  # 59 entries for 20 calls
        name = f"req_{number:026d}"
        ledger_.hold(name, EIGHT, BOUND)
        ledger_.dispatch(name, a_record(name))
        if number % 20:
            ledger_.settle(name, ACTUAL, a_record(name))
    journal.close()


def replay_seconds(folder: Path) -> float:
    """Seconds to read a journal after a crash: opened, replayed, and every call turned into its record."""
    write_calls(folder)
    begun = time.perf_counter()
    journal, replay = FileJournal.open(folder)
    replay.records(time.time_ns())
    seconds = time.perf_counter() - begun
    journal.close()
    return seconds


async def start_seconds(data_dir: Path) -> float:
    """Seconds until a gateway on this directory would take calls."""
    vault = Vault([MasterKey.generate()])
    begun = time.perf_counter()
    gateway = await open_gateway(Settings(data_dir=data_dir), vault)
    seconds = time.perf_counter() - begun
    await gateway.close()
    return seconds


def a_record(name: str) -> UsageRecord:
    return UsageRecord(
        request_id=name,
        trace_id=name,
        organization_id="org_0123456789abcdefghjk",
        workspace_id="ws_0123456789abcdefghjk",
        key_id="key_0123456789abcdefghjk",
        tenant_id="ten_0123456789abcdefghjk",
        integration_id="int_0123456789abcdefghjk",
        provider="openai-prod",
        provider_kind="openai",
        endpoint="/v1/chat/completions",
        model_asked="@openai-prod/gpt-4o",
        model="gpt-4o",
        stream=True,
        started_at=1_767_268_800_000_000_000,
        first_byte_after=312_000_000,
        ended_after=4_123_456_789,
        outcome=Outcome.OK,
        status=200,
        usage={"input": 800, "cache_read": 100, "output": 310},
        usage_raw='{"prompt_tokens":900,"completion_tokens":310,"prompt_tokens_details":{"cached_tokens":100}}',
        cost=5_350_000,
        cost_lines=(
            ("input", 800, 2_500_000_000, 2_000_000),
            ("cache_read", 100, 1_250_000_000, 125_000),
            ("output", 310, 10_000_000_000, 3_100_000),
        ),
        price_id="gpt-4o@2024-10-02",
        metadata={"user_email": "somebody@example.com", "subscription_tier": "pro"},
    )
