"""What usage records say of an allowance's past, so that balances outlive the process that made them."""

from collections.abc import Iterable
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, and_, func, select

from headgate.base.clock import NANOS_PER_SECOND
from headgate.ledger.allowance import Allowance, Resource, Scope, WindowKind
from headgate.ledger.period import period_of
from headgate.ledger.sliding import GRAINS
from headgate.storage.alert_tables import allowance_use
from headgate.storage.policy_records import counts_in, kept_from_its_start
from headgate.storage.tables import usage_record as table
from headgate.tenancy.limit_policy import PolicyScope

Use = tuple[int, int]
"""(moment, amount), as `LocalLedger.restore` takes them."""

LONGEST_CALL_S: Final = 86_400
"""The longest that the settings let a call take."""

_OWNERS: Final = {
    "organization": table.c.organization_id,
    "workspace": table.c.workspace_id,
    "tenant": table.c.tenant_id,
    "api_key": table.c.key_id,
}
_TAKEN: Final[dict[Resource, ColumnElement[Any]]] = {
    Resource.REQUESTS: func.count(),
    Resource.TOKENS: func.sum(table.c.input_tokens + table.c.output_tokens),
    Resource.INPUT_TOKENS: func.sum(table.c.input_tokens),
    Resource.OUTPUT_TOKENS: func.sum(table.c.output_tokens),
    Resource.COST: func.sum(table.c.cost),
}


def past_use(
    connection: Connection, allowance: Allowance, now: int, longest_call_s: float = LONGEST_CALL_S
) -> list[Use]:
    """What counts at `now` (wall clock), oldest first. A call in flight in an earlier process is over.

    No call takes longer than `longest_call_s` from its hold to its end.
    """
    if allowance.resource is Resource.IN_FLIGHT:
        return []
    if allowance.window.kind is WindowKind.SLIDING:
        return _in_window(connection, allowance, now, round(longest_call_s * NANOS_PER_SECOND))
    return _in_period(connection, allowance, now)


def _in_period(connection: Connection, allowance: Allowance, now: int) -> list[Use]:
    """One sum: kept beside the records where the period has one, else taken over them."""
    period = period_of(allowance.window, now)
    start = max(period.start, 0)
    kept = select(allowance_use.c.settled).where(
        allowance_use.c.allowance_id == allowance.id, allowance_use.c.window_start == start
    )
    amount = connection.execute(kept).scalar()
    if amount is None and not kept_from_its_start(allowance.scope, start):
        since = max(start, allowance.since)
        summed = select(_TAKEN[allowance.resource]).where(
            _counts(allowance.scope), table.c.started_at >= since, table.c.started_at < min(period.end, 2**63 - 1)
        )
        amount = connection.execute(summed).scalar()
    return [(start, int(amount))] if amount else []


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
        select(func.max(counts_from), _TAKEN[allowance.resource])
        .where(_counts(allowance.scope), begun > max(earliest, allowance.since), counts_from > since)
        .group_by((counts_from - since) // grain)
        .order_by(func.max(counts_from))
    )
    rows: Iterable[Any] = connection.execute(statement)
    return [(int(last), int(amount)) for last, amount in rows if amount]


def _counts(scope: Scope) -> ColumnElement[bool]:
    """Which records count against what this scope owns."""
    if isinstance(scope, PolicyScope):
        return counts_in(scope)
    if scope.kind == "integration":
        integration_id, _, workspace_id = scope.id.partition(":")
        return and_(table.c.integration_id == integration_id, table.c.workspace_id == workspace_id)
    return _OWNERS[scope.kind] == scope.id
