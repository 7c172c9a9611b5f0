"""What one usage record counts in, and for how much: what `record_sums` asks the database, said of a record at hand."""

from collections.abc import Iterable
from typing import Final

from headgate.base.clock import NANOS_PER_SECOND
from headgate.base.usage import INPUT_METERS, OUTPUT_METERS
from headgate.ledger.allowance import Allowance, Resource, Scope, WindowKind
from headgate.ledger.period import period_of
from headgate.ledger.record import UsageRecord
from headgate.storage.policy_records import facts_of_record
from headgate.tenancy.limit_policy import PolicyScope

_INPUT: Final = frozenset(INPUT_METERS)
_OUTPUT: Final = frozenset(OUTPUT_METERS)
_TOKENS: Final = _INPUT | _OUTPUT


def belongs(record: UsageRecord, scope: Scope) -> bool:
    """Whether it counts against what this scope owns."""
    if isinstance(scope, PolicyScope):
        return scope.policy.group_of(facts_of_record(record)) == scope.values
    match scope.kind:
        case "organization":
            owner: str | None = record.organization_id
        case "workspace":
            owner = record.workspace_id
        case "tenant":
            owner = record.tenant_id
        case "integration":
            owner = f"{record.integration_id}:{record.workspace_id}"
        case "provider":
            owner = f"{record.workspace_id}:{record.provider}"
        case _:
            owner = record.key_id
    return owner == scope.id


def takes(record: UsageRecord, allowance: Allowance) -> bool:
    """Whether its call holds something of it while it is under way."""
    if allowance.resource is Resource.REQUESTS and not amount(record, allowance):
        return False
    return belongs(record, allowance.scope)


def amount(record: UsageRecord, allowance: Allowance) -> int:
    """In the resource's unit."""
    match allowance.resource:
        case Resource.COST:
            return record.cost
        case Resource.REQUESTS:
            return 1 if allowance.scope.counts_attempts else record.requests
        case Resource.INPUT_TOKENS:
            return _tokens(record, _INPUT)
        case Resource.OUTPUT_TOKENS:
            return _tokens(record, _OUTPUT)
        case Resource.TOKENS:
            return _tokens(record, _TOKENS)
        case Resource.IN_FLIGHT:
            return 0


def uses(records: Iterable[UsageRecord], allowance: Allowance, now: int) -> list[tuple[int, int]]:
    """What these took of it: (moment, amount), of those that count at `now` (wall clock)."""
    return [
        (at, amount(record, allowance))
        for record in records
        if belongs(record, allowance.scope) and (at := counts_from(record, allowance, now)) is not None
    ]


def counts_from(record: UsageRecord, allowance: Allowance, now: int) -> int | None:
    """Since when it counts in the allowance's window at `now` (wall clock). None: it does not."""
    at = record.started_at
    if at < allowance.since:
        return None
    if allowance.window.kind is WindowKind.SLIDING:
        at += 0 if allowance.resource is Resource.REQUESTS else record.ended_after
        return at if at > now - allowance.window.seconds * NANOS_PER_SECOND else None
    period = period_of(allowance.window, now)
    return at if period.start <= at < period.end else None


def _tokens(record: UsageRecord, meters: frozenset[str]) -> int:
    return sum([count for meter, count in record.usage.items() if meter in meters])
