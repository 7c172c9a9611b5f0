"""Sums over usage records: what an allowance's owner took in a stretch of time."""

from collections.abc import Iterator, Sequence
from typing import Any, Final

import msgspec
from sqlalchemy import ColumnElement, Connection, and_, func, select

from headgate.ledger.allowance import Allowance, Resource, Scope
from headgate.storage.policy_records import counts_in
from headgate.storage.tables import usage_record as table
from headgate.tenancy.limit_policy import PolicyScope

Asked = tuple[Allowance, int, int]
"""An allowance, and from when up to, and without, when its owner's calls count: by the moment they began."""

_TAKEN: Final[dict[Resource, ColumnElement[Any]]] = {
    Resource.REQUESTS: func.sum(table.c.requests),
    Resource.TOKENS: func.sum(table.c.input_tokens + table.c.output_tokens),
    Resource.INPUT_TOKENS: func.sum(table.c.input_tokens),
    Resource.OUTPUT_TOKENS: func.sum(table.c.output_tokens),
    Resource.COST: func.sum(table.c.cost),
}
_OWNERS: Final = {
    "organization": table.c.organization_id,
    "workspace": table.c.workspace_id,
    "tenant": table.c.tenant_id,
    "api_key": table.c.key_id,
}
# A list goes to the driver as one parameter. The order of the join is the one that uses the index.
_SUMMED: Final = {
    "sqlite": "SELECT key.key, {taken} FROM json_each(?) AS key CROSS JOIN usage_record "
    "WHERE {owner} = json_extract(key.value, '$[0]') AND started_at >= json_extract(key.value, '$[1]') "
    "AND started_at < json_extract(key.value, '$[2]') GROUP BY key.key",
    "postgresql": "SELECT key.place - 1, {taken} "
    "FROM unnest($1::text[], $2::bigint[], $3::bigint[]) WITH ORDINALITY AS key (id, first, after, place) "
    "JOIN usage_record ON {owner} = key.id AND started_at >= key.first AND started_at < key.after GROUP BY key.place",
}
_encode: Final = msgspec.json.Encoder().encode


def record_sums(connection: Connection, asked: Sequence[Asked]) -> dict[str, int]:
    """By allowance id, in its resource's unit; without those of which there is no record."""
    together: dict[tuple[str, Resource], list[Asked]] = {}
    for each in asked:
        together.setdefault((each[0].scope.kind, each[0].resource), []).append(each)
    found: dict[str, int] = {}
    for (kind, resource), alike in together.items():
        found.update(_of_owners(connection, kind, resource, alike) if kind in _OWNERS else _each(connection, alike))
    return found


def taken(allowance: Allowance) -> ColumnElement[Any]:
    """The sum of what records took of it; None where there is none."""
    if allowance.resource is Resource.REQUESTS and allowance.scope.counts_attempts:
        return func.count()
    return _TAKEN[allowance.resource]


def counted_in(scope: Scope) -> ColumnElement[bool]:
    """Which records count against what this scope owns."""
    if isinstance(scope, PolicyScope):
        return counts_in(scope)
    if scope.kind == "integration":
        integration_id, _, workspace_id = scope.id.partition(":")
        return and_(table.c.integration_id == integration_id, table.c.workspace_id == workspace_id)
    if scope.kind == "provider":
        workspace_id, _, slug = scope.id.partition(":")
        return and_(table.c.provider == slug, table.c.workspace_id == workspace_id)
    return _OWNERS[scope.kind] == scope.id


def _of_owners(
    connection: Connection, kind: str, resource: Resource, asked: Sequence[Asked]
) -> Iterator[tuple[str, int]]:
    """One statement for all of them."""
    dialect = connection.dialect.name
    statement = _SUMMED[dialect].format(taken=_TAKEN[resource].compile(), owner=_OWNERS[kind].name)
    keys = [(allowance.scope.id, first, after) for allowance, first, after in asked]
    parameters = (_encode(keys).decode(),) if dialect == "sqlite" else tuple(map(list, zip(*keys, strict=True)))
    for place, amount in connection.exec_driver_sql(statement, parameters):
        yield asked[place][0].id, int(amount or 0)


def _each(connection: Connection, asked: Sequence[Asked]) -> Iterator[tuple[str, int]]:
    for allowance, first, after in asked:
        begun = table.c.started_at
        statement = select(taken(allowance)).where(counted_in(allowance.scope), begun >= first, begun < after)
        yield allowance.id, int(connection.execute(statement).scalar() or 0)
