"""The books, added up again: every balance from the usage records, held against what is kept of it elsewhere.

The sums here are plain ones, over all records one by one, and share nothing with what they check: the sums that are
kept by period, the statements a start restores balances with, and the journal.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from msgspec.structs import replace
from sqlalchemy import Connection, func, select

from headgate.base.clock import NANOS_PER_SECOND
from headgate.base.money import usd
from headgate.base.usage import INPUT_METERS, OUTPUT_METERS
from headgate.ledger.allowance import Allowance, Amounts, Resource, WindowKind
from headgate.ledger.correction import CORRECTED
from headgate.ledger.journal import SettleEntry
from headgate.ledger.period import Period, period_of
from headgate.ledger.record import Outcome
from headgate.ledger.recovery import Replay
from headgate.storage.alert_tables import allowance_use
from headgate.storage.every_allowance import every_allowance
from headgate.storage.past_use import past_use
from headgate.storage.policy_records import facts_of_row
from headgate.storage.repositories.limit_policies import every_limit_policy
from headgate.storage.tables import usage_record as table
from headgate.storage.zones import zones
from headgate.tenancy.limit_policy import LimitPolicy, Values, groups_of

AT_ONCE: Final = 2_000
_NO_PERIOD: Final = Period(0, 0)


@dataclass(slots=True)
class Findings:
    """What was looked at, and every difference as a sentence: none, and the books are right."""

    records: int = 0
    of: int = 0
    """How many there were when it began."""
    allowances: int = 0
    balances: int = 0
    """Sums that are kept by period, of allowances that are in force."""
    journalled: int = 0
    """Settled calls of which the journal still has the entry."""
    waiting: int = 0
    """Of those, how many the database does not have yet."""
    unfinished: int = 0
    """Calls that were sent and have not ended: under way, or cut short by a crash."""
    differences: list[str] = field(default_factory=list)


class _Sum:
    """One allowance's use, in the window that counts now and, for a budget, in every period."""

    def __init__(self, allowance: Allowance, now: int) -> None:
        self.allowance = allowance
        self.now = 0
        self.by_period: dict[int, int] = {}
        self._sliding = allowance.window.kind is WindowKind.SLIDING
        self._after = now - allowance.window.seconds * NANOS_PER_SECOND if self._sliding else 0
        self._present = _NO_PERIOD if self._sliding else period_of(allowance.window, now)
        self._period = _NO_PERIOD

    def add(self, at: int, ended_at: int, amounts: Amounts) -> None:
        """A call that was held and ended then. In a sliding window a request counts from its hold, tokens from the end
        of their call."""
        allowance = self.allowance
        if at < allowance.since or allowance.resource is Resource.IN_FLIGHT:
            return
        amount = amounts.of(allowance.resource)
        if allowance.resource is Resource.REQUESTS and allowance.scope.counts_attempts:
            amount = 1
        if self._sliding:
            counts_from = at if allowance.resource is Resource.REQUESTS else ended_at
            self.now += amount if counts_from > self._after else 0
            return
        if not self._period.start <= at < self._period.end:
            self._period = period_of(allowance.window, at)
        start = max(self._period.start, 0)
        self.by_period[start] = self.by_period.get(start, 0) + amount
        if self._present.start <= at < self._present.end:
            self.now += amount

    def forget(self, start: int, amount: int) -> None:
        """Of this period, records that are kept no longer took so much."""
        self.by_period[start] = self.by_period.get(start, 0) + amount
        if not self._sliding and start == max(self._present.start, 0):
            self.now += amount


class _Groups:
    """The groups of limit policies, which follow from the records; `sums` by group."""

    def __init__(self, connection: Connection, now: int) -> None:
        self.sums: dict[tuple[str, Values], _Sum] = {}
        self._now = now
        self._policies = every_limit_policy(connection)
        self._zones = zones(connection)

    def of(self, row: Any) -> list[_Sum]:
        """Those that a record counts in."""
        if not self._policies:
            return []
        return [self._sum(policy, values) for policy, values in groups_of(self._policies, facts_of_row(row))]

    def _sum(self, policy: LimitPolicy, values: Values) -> _Sum:
        if (known := self.sums.get((policy.id, values))) is None:
            allowance = policy.allowance(values, self._zones[policy.organization_id])
            known = self.sums[(policy.id, values)] = _Sum(allowance, self._now)
        return known


def verify(connection: Connection, replay: Replay, now: int, found: Findings | None = None) -> Findings:
    """All in one transaction, after `replay` was read: what was settled in between is in the database then. In `found`
    can be seen how far it is."""
    found = found or Findings()
    found.unfinished = sum(call.unheard is not None for call in replay.unfinished.values())
    found.of = connection.execute(select(func.count()).select_from(table)).scalar_one()
    sums = [_Sum(allowance, now) for allowance in every_allowance(connection)]
    by_owner: dict[tuple[str, str], list[_Sum]] = {}
    for each in sums:
        by_owner.setdefault((each.allowance.scope.kind, each.allowance.scope.id), []).append(each)
    groups = _Groups(connection, now)
    journalled = dict(replay.settled)
    for row in _records(connection):
        found.records += 1
        amounts = _check_record(row, found)
        if (entry := journalled.pop(row["request_id"], None)) is not None:
            found.journalled += 1
            _check_entry(entry, row, amounts, found)
        of_row = [each for owner in _owners(row) for each in by_owner.get(owner, ())] + groups.of(row)
        for each in of_row:
            each.add(row["started_at"], row["started_at"] + row["ended_after"], amounts)
    found.waiting = len(journalled)
    found.journalled += found.waiting
    _check_balances(connection, [*sums, *groups.sums.values()], now, found)
    return found


def _records(connection: Connection) -> Iterator[Any]:
    """All of them, in the order of their ids, a few thousand at a time."""
    last = ""
    while True:
        statement = select(table).where(table.c.request_id > last).order_by(table.c.request_id).limit(AT_ONCE)
        rows = connection.execute(statement).mappings().all()
        yield from rows
        if len(rows) < AT_ONCE:
            return
        last = rows[-1]["request_id"]


def _owners(row: Any) -> Sequence[tuple[str, str]]:
    return (
        ("organization", row["organization_id"]),
        ("workspace", row["workspace_id"]),
        ("tenant", row["tenant_id"] or ""),
        ("api_key", row["key_id"]),
        ("integration", f"{row['integration_id']}:{row['workspace_id']}"),
        ("provider", f"{row['workspace_id']}:{row['provider']}"),
    )


def _check_record(row: Any, found: Findings) -> Amounts:
    """What it took, where its own figures agree."""
    usage, cost = row["usage"], row["cost"]
    told = [sum(usage.get(meter, 0) for meter in group) for group in (INPUT_METERS, OUTPUT_METERS)]
    if told != [row["input_tokens"], row["output_tokens"]]:
        found.differences.append(
            f"record {row['request_id']}: its usage is {told[0]} tokens in and {told[1]} out, "
            f"its sums say {row['input_tokens']} and {row['output_tokens']}"
        )
    lines = sum(line[3] for line in row["cost_lines"])
    if lines != cost and row["outcome"] != Outcome.RECOVERED:
        found.differences.append(f"record {row['request_id']}: it cost ${usd(cost, 9)}, its lines ${usd(lines, 9)}")
    return Amounts(row["requests"], row["input_tokens"], row["output_tokens"], cost)


def _check_entry(entry: SettleEntry, row: Any, amounts: Amounts, found: Findings) -> None:
    if CORRECTED in row["usage_flags"]:  # it was settled at what it held
        amounts = Amounts(amounts.requests, *row["held"])
    actual = replace(entry.actual, requests=amounts.requests)  # how many of its callers' it was, only its record says
    if row["outcome"] != Outcome.RECOVERED and actual != amounts:
        found.differences.append(
            f"record {row['request_id']}: the journal settled {_shown(entry.actual)}, "
            f"the database has {_shown(amounts)}"
        )


def _shown(amounts: Amounts) -> str:
    return f"${usd(amounts.cost, 9)} for {amounts.input_tokens} tokens in and {amounts.output_tokens} out"


def _check_balances(connection: Connection, sums: Sequence[_Sum], now: int, found: Findings) -> None:
    by_id = {each.allowance.id: each for each in sums}
    found.allowances = len(by_id)
    kept = allowance_use.c
    for allowance_id, start, settled, forgotten in connection.execute(
        select(kept.allowance_id, kept.window_start, kept.settled, kept.forgotten)
    ):
        if (summed := by_id.get(allowance_id)) is not None:
            found.balances += 1
            summed.forget(start, forgotten)
            _compare(f"kept for {allowance_id} from {start}", settled, summed.by_period.get(start, 0), summed, found)
    longest_call_s = now / NANOS_PER_SECOND  # nobody is in a hurry: all of them are looked at
    for each in sums:
        restored = sum(amount for _, amount in past_use(connection, each.allowance, now, longest_call_s))
        _compare(f"a start would restore for {each.allowance.id}", restored, each.now, each, found)


def _compare(what: str, kept: int, summed: int, of: _Sum, found: Findings) -> None:
    if kept != summed:
        unit = of.allowance.resource
        shown = [f"${usd(value, 9)}" if unit is Resource.COST else f"{value} {unit}" for value in (kept, summed)]
        found.differences.append(f"{what}: {shown[0]}, the usage records say {shown[1]}")
