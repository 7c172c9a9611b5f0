"""Usage records that are kept no longer. The sums over them stay: what a budget has spent does not come back, and
`verify` knows which part of a sum no record speaks for any more."""

from collections.abc import Iterator, Mapping
from typing import Final

from sqlalchemy import Connection, delete, select
from sqlalchemy.dialects import postgresql, sqlite

from headgate.ledger.allowance import Allowance, Resource, WindowKind
from headgate.ledger.period import NEVER, period_of
from headgate.storage import allowance_use
from headgate.storage.alert_tables import allowance_use as kept
from headgate.storage.every_allowance import every_allowance
from headgate.storage.kept_sums import Key, kept_sums
from headgate.storage.policy_records import fact_column, looked_at
from headgate.storage.record_sums import record_sums
from headgate.storage.repositories.limit_policies import every_limit_policy
from headgate.storage.tables import organization, usage_record
from headgate.storage.zones import zones

AT_ONCE: Final = 2_000
"""Records removed in one transaction: other writers wait no longer than that takes."""

Span = tuple[int, int | None]
Spans = Mapping[Key, tuple[Allowance, Span]]
"""The periods of budgets that records lie in."""


def taken_before(connection: Connection, until: int, now: int) -> tuple[Spans, dict[Key, int]]:
    """What the records that began earlier took, of every budget and period of which a sum is kept, or must be from now
    on because its period is not over."""
    spans = {
        (allowance.id, span[0]): (allowance, span)
        for allowance, span in _spans(connection, until, now)
        if max(span[0], allowance.since) < until
    }
    return spans, _sums(connection, spans, until)


def forget_before(connection: Connection, spans: Spans, taken: Mapping[Key, int]) -> None:
    """Write down what records took that are removed in the same transaction."""
    allowance_use.lock(connection)
    gone = {key: amount for key, amount in taken.items() if amount}
    known = kept_sums(connection, list(gone))
    missing = {key: spans[key] for key in gone if key not in known}
    whole = {**known, **_sums(connection, missing, NEVER)}
    rows = [
        {
            "allowance_id": key[0],
            "window_start": key[1],
            "window_end": spans[key][1][1],
            "settled": whole[key],
            "forgotten": amount,
        }
        for key, amount in gone.items()
    ]
    if rows:
        statement = (sqlite if connection.dialect.name == "sqlite" else postgresql).insert(kept)
        added = {"forgotten": kept.c.forgotten + statement.excluded.forgotten}
        keys = ["allowance_id", "window_start"]
        connection.execute(statement.on_conflict_do_update(index_elements=keys, set_=added), rows)


def remove_some(connection: Connection, before: int, now: int) -> int:
    """The oldest ones that began before that moment, some thousand at most; how many. None is left, once it is 0."""
    names = connection.execute(select(organization.c.id)).scalars().all()
    until = min((_next(connection, name, before) for name in names), default=before)
    forget_before(connection, *taken_before(connection, until, now))
    gone = 0
    for name in names:
        old = delete(usage_record).where(usage_record.c.organization_id == name, usage_record.c.started_at < until)
        gone += connection.execute(old).rowcount
    return gone


def _next(connection: Connection, organization_id: str, before: int) -> int:
    """Where some thousand of its oldest records end."""
    at = usage_record.c.started_at
    old = select(at).where(usage_record.c.organization_id == organization_id, at < before).order_by(at)
    last: int | None = connection.execute(old.offset(AT_ONCE - 1).limit(1)).scalar()
    return before if last is None else last + 1


def _spans(connection: Connection, until: int, now: int) -> Iterator[tuple[Allowance, Span]]:
    known: dict[str, list[Span]] = {}
    sums = select(kept.c.allowance_id, kept.c.window_start, kept.c.window_end).where(kept.c.window_start < until)
    for allowance_id, start, end in connection.execute(sums):
        known.setdefault(allowance_id, []).append((start, end))
    for allowance in (*every_allowance(connection), *_groups(connection, until)):
        if allowance.window.kind is WindowKind.SLIDING or allowance.resource is Resource.IN_FLIGHT:
            continue
        present = period_of(allowance.window, now)
        spans = {(max(present.start, 0), None if present.end >= NEVER else present.end)}
        for span in spans.union(known.get(allowance.id, ())):
            yield allowance, span


def _groups(connection: Connection, until: int) -> Iterator[Allowance]:
    """Of the groups of limit policies that the records fall into."""
    zone_of = zones(connection)
    for policy in every_limit_policy(connection):
        if not policy.usage_limits:
            continue
        facts = [fact_column(key).label(f"fact_{place}") for place, key in enumerate(policy.group_by)]
        calls = select(*facts) if facts else select(usage_record.c.organization_id)
        for row in connection.execute(calls.distinct().where(looked_at(policy), usage_record.c.started_at < until)):
            yield policy.allowance(tuple(row) if facts else (), zone_of[policy.organization_id])


def _sums(connection: Connection, spans: Spans, until: int) -> dict[Key, int]:
    """What records took that began before, by period; several periods of one budget one after another."""
    found: dict[Key, int] = {}
    left = list(spans.items())
    while left:
        asked: dict[str, tuple[Allowance, int, int]] = {}
        starts: dict[str, int] = {}
        later: list[tuple[Key, tuple[Allowance, Span]]] = []
        for (name, start), (allowance, (_, end)) in left:
            if name in asked:
                later.append(((name, start), (allowance, (start, end))))
                continue
            starts[name] = start
            asked[name] = allowance, max(start, allowance.since), min(NEVER if end is None else end, until, 2**63 - 1)
        sums = record_sums(connection, list(asked.values()))
        found.update({(name, start): sums.get(name, 0) for name, start in starts.items()})
        left = later
    return found
