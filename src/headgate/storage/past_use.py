"""What usage records say of an allowance's past, so that balances outlive the process that made them."""

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, func, select

from headgate.base.clock import NANOS_PER_SECOND
from headgate.ledger.allowance import Allowance, Resource, WindowKind
from headgate.ledger.period import period_of
from headgate.ledger.recovery import LONGEST_CALL_S
from headgate.ledger.sliding import GRAINS
from headgate.storage.kept_sums import kept_sums
from headgate.storage.policy_records import kept_from_its_start
from headgate.storage.record_sums import counted_in, record_sums, taken
from headgate.storage.tables import usage_record as table

Use = tuple[int, int]
"""(moment, amount), as `LocalLedger.restore` takes them."""


def past_use(
    connection: Connection, allowance: Allowance, now: int, longest_call_s: float = LONGEST_CALL_S
) -> list[Use]:
    """What counts at `now` (wall clock), oldest first. A call in flight in an earlier process is over.

    No call takes longer than `longest_call_s` from its hold to its end.
    """
    return past_uses(connection, [allowance], now, longest_call_s)[allowance.id]


def past_uses(
    connection: Connection, allowances: Sequence[Allowance], now: int, longest_call_s: float = LONGEST_CALL_S
) -> dict[str, list[Use]]:
    """The same for many at once, by id."""
    found: dict[str, list[Use]] = {}
    budgets = []
    for each in allowances:
        if each.resource is Resource.IN_FLIGHT:
            found[each.id] = []
        elif each.window.kind is WindowKind.SLIDING:
            found[each.id] = _in_window(connection, each, now, round(longest_call_s * NANOS_PER_SECOND))
        else:
            budgets.append(each)
    return found | _in_periods(connection, budgets, now)


def _in_periods(connection: Connection, budgets: Sequence[Allowance], now: int) -> dict[str, list[Use]]:
    """One sum for each: kept beside the records where its period has one, else taken over them."""
    windows = {window: period_of(window, now) for window in {each.window for each in budgets}}
    starts = {each.id: max(windows[each.window].start, 0) for each in budgets}
    sums = {allowance_id: kept for (allowance_id, _), kept in kept_sums(connection, list(starts.items())).items()}
    to_sum = [
        (each, max(starts[each.id], each.since), min(windows[each.window].end, 2**63 - 1))
        for each in budgets
        if each.id not in sums and not kept_from_its_start(each.scope, starts[each.id])
    ]
    sums |= record_sums(connection, to_sum)
    return {each.id: [(starts[each.id], amount)] if (amount := sums.get(each.id)) else [] for each in budgets}


def _in_window(connection: Connection, allowance: Allowance, now: int, longest: int) -> list[Use]:
    """One sum for each part of the window that the ledger tells apart.

    A request counts from its hold. Tokens count from the call's end: part of them may have been held as late as that.
    """
    length = allowance.window.seconds * NANOS_PER_SECOND
    grain, since = length // GRAINS, now - length
    begun: ColumnElement[int] = table.c.started_at
    counts_from = begun if allowance.resource is Resource.REQUESTS else begun + table.c.ended_after
    earliest = since if allowance.resource is Resource.REQUESTS else since - longest
    statement = (
        select(func.max(counts_from), taken(allowance))
        .where(counted_in(allowance.scope), begun > max(earliest, allowance.since), counts_from > since)
        .group_by((counts_from - since) // grain)
        .order_by(func.max(counts_from))
    )
    rows: Iterable[Any] = connection.execute(statement)
    return [(int(last), int(amount)) for last, amount in rows if amount]
