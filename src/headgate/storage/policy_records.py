"""Which usage records a limit policy's group counts: `LimitPolicy.group_of` in the words of the database."""

from collections.abc import Mapping
from typing import Any, Final

from sqlalchemy import ColumnElement, and_, false, func, literal, not_, or_, true

from headgate.base.clock import NANOS_PER_SECOND
from headgate.ledger.allowance import Scope
from headgate.ledger.record import UsageRecord
from headgate.storage.tables import usage_record as table
from headgate.tenancy.limit_policy import ANY, FACTS, METADATA, Condition, Facts, LimitPolicy, PolicyScope, facts_of

_COLUMNS: Final[Mapping[str, ColumnElement[Any]]] = {
    "api_key": table.c.key_id,
    "provider": table.c.provider,
    "virtual_key": table.c.provider,
    "model": literal("@") + table.c.provider + "/" + table.c.model,
    "endpoint_type": func.replace(table.c.endpoint, "/v1/", ""),
    "config": func.nullif(table.c.config, ""),
    "prompt": func.nullif(table.c.prompt, ""),
    "workspace_id": table.c.workspace_id,
    "organisation_id": table.c.organization_id,
    "tenant_id": table.c.tenant_id,
}


_CLOCKS_APART: Final = 86_400 * NANOS_PER_SECOND
"""More than the clocks of two processes differ."""


def kept_from_its_start(scope: Scope, start: int) -> bool:
    """Whether the sum of the period that begins then was kept from its first record on, so that no sum is none: a
    policy's groups are many, and looking through all records for each new one would take its time."""
    return isinstance(scope, PolicyScope) and scope.policy.updated_at + _CLOCKS_APART < start


def facts_of_record(record: UsageRecord) -> Facts:
    return facts_of(**{name: getattr(record, name) for name in FACTS})


def facts_of_row(row: Mapping[Any, Any]) -> Facts:
    return facts_of(**{name: row[name] for name in FACTS})


def counts_in(scope: PolicyScope) -> ColumnElement[bool]:
    """The group's records."""
    conditions = [looked_at(scope.policy)]
    for key, value in zip(scope.policy.group_by, scope.values, strict=True):
        conditions.append(fact_column(key).is_(None) if value is None else fact_column(key) == value)
    return and_(*conditions)


def looked_at(policy: LimitPolicy) -> ColumnElement[bool]:
    """The records that the policy applies to, in whatever group."""
    conditions = [table.c.organization_id == policy.organization_id]
    if policy.workspace_id is not None:
        conditions.append(table.c.workspace_id == policy.workspace_id)
    return and_(*conditions, *map(_met, policy.conditions))


def fact_column(key: str) -> ColumnElement[Any]:
    if key.startswith(METADATA):
        found: ColumnElement[Any] = table.c.metadata[key[len(METADATA) :]].as_string()
        return found
    return _COLUMNS[key]


def _met(condition: Condition) -> ColumnElement[bool]:
    fact = fact_column(condition.key)
    # A call without the fact matches no value, where SQL would say that it is unknown.
    found: ColumnElement[bool] = func.coalesce(or_(*(_matches(fact, value) for value in condition.values)), false())
    return not_(found) if condition.excludes else found


def _matches(fact: ColumnElement[Any], value: str) -> ColumnElement[bool]:
    if value == ANY:
        return true()
    if value.endswith(ANY):  # not LIKE: SQLite's does not tell capitals from small letters
        return func.substr(fact, 1, len(value) - 1) == value[:-1]
    return fact == value
