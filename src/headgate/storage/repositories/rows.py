"""Between a noun and its row. A field and its column have the same name; only the fields below change their shape."""

from collections.abc import Callable, Mapping
from dataclasses import fields
from functools import cache
from typing import Any, Final, TypeVar

from sqlalchemy import ColumnElement, Connection, RowMapping, Select, Table, func, insert, or_, select, update

from headgate.tenancy.api_key import KeyLevel, KeyOwner
from headgate.tenancy.capacity import Capacity
from headgate.tenancy.limit_policy import Condition, LimitKind
from headgate.tenancy.limits import RateLimit, UsageLimit
from headgate.tenancy.rotation import RotationPolicy
from headgate.tenancy.stores import Page
from headgate.tenancy.tenant_policy import Downgrade

T = TypeVar("T")
Noun = Any
"""One of the frozen dataclasses of `tenancy`."""


def _documents(limits: Any) -> list[dict[str, Any]]:
    return [limit.document() for limit in limits]


_DUMP: Final[Mapping[str, Callable[[Any], Any]]] = {
    "usage_limits": _documents,
    "rate_limits": _documents,
    "scopes": sorted,
    "alert_emails": list,
    "header_names": list,
    "admission": dict,
    "routing": dict,
    "metadata": dict,
    "portal": dict,
    "portal_origins": list,
    "conditions": _documents,
    "group_by": list,
    "recovery_hashes": list,
    "group_resets": lambda resets: [list(each) for each in resets],
    "limit_kind": str,
    "document": dict,
    "checks": lambda checks: [dict(each) for each in checks],
    "actions": dict,
    "input_guardrails": list,
    "output_guardrails": list,
    "rates": lambda rates: None if rates is None else dict(rates),
    "downgrade": lambda downgrade: None if downgrade is None else downgrade.document(),
    "multipliers": dict,
    "capacity": lambda capacity: None if capacity is None else capacity.document(),
    "rotation_policy": lambda policy: None if policy is None else policy.document(),
    "allowed_models": lambda names: None if names is None else list(names),
}
_LOAD: Final[Mapping[str, Callable[[Any], Any]]] = {
    "usage_limits": lambda documents: tuple(map(UsageLimit.stored, documents)),
    "rate_limits": lambda documents: tuple(map(RateLimit.stored, documents)),
    "admission": lambda document: document or {},
    "routing": lambda document: document or {},
    "portal": lambda document: document or {},
    "portal_origins": lambda origins: tuple(origins or ()),
    "scopes": frozenset,
    "alert_emails": tuple,
    "header_names": lambda names: tuple(names or ()),
    "multipliers": lambda document: document or {},
    "capacity": lambda document: None if document is None else Capacity.stored(document),
    "allowed_models": lambda names: None if names is None else tuple(names),
    "rotation_policy": lambda document: None if document is None else RotationPolicy.stored(document),
    "conditions": lambda documents: tuple(map(Condition.stored, documents)),
    "group_by": tuple,
    "recovery_hashes": tuple,
    "group_resets": lambda resets: tuple((group, at) for group, at in resets or ()),
    "limit_kind": LimitKind,
    "checks": tuple,
    "input_guardrails": lambda ids: tuple(ids or ()),
    "output_guardrails": lambda ids: tuple(ids or ()),
    "allow_config_override": lambda allowed: allowed is not False,
    "downgrade": lambda document: None if document is None else Downgrade.stored(document),
    "level": KeyLevel,
    "owner": KeyOwner,
}


def row_of(noun: Noun) -> dict[str, Any]:
    """Column name to value."""
    row = {field.name: getattr(noun, field.name) for field in fields(noun)}
    return {name: _DUMP[name](value) if name in _DUMP else value for name, value in row.items()}


def noun_of(kind: type[T], row: Mapping[Any, Any]) -> T:
    """The noun from a row that has a column for each of its fields."""
    names = _fields(kind)  # type: ignore[arg-type]
    return kind(**{name: row[name] if load is None else load(row[name]) for name, load in names})


@cache
def _fields(kind: Any) -> tuple[tuple[str, Callable[[Any], Any] | None], ...]:
    return tuple((field.name, _LOAD.get(field.name)) for field in fields(kind))


def add(connection: Connection, table: Table, row: Mapping[str, Any]) -> None:
    connection.execute(insert(table).values(**row))


def replace(connection: Connection, table: Table, row: Mapping[str, Any]) -> None:
    """Write the whole row over the one with the same id."""
    connection.execute(update(table).where(table.c.id == row["id"]).values(**row))


def by_reference(
    connection: Connection, table: Table, organization_id: str, reference: str
) -> Mapping[Any, Any] | None:
    """By id or slug; an id wins over the slug that looks like it."""
    if "\0" in reference:
        return None
    statement = select(table).where(
        table.c.organization_id == organization_id, or_(table.c.id == reference, table.c.slug == reference)
    )
    rows = connection.execute(statement).mappings().all()
    return min(rows, key=lambda row: row["id"] != reference, default=None)


def one(connection: Connection, table: Table, *conditions: ColumnElement[bool]) -> Mapping[Any, Any] | None:
    return connection.execute(select(table).where(*conditions)).mappings().first()


def page_of(
    connection: Connection, statement: Select[Any], page: Page, *order: ColumnElement[Any]
) -> tuple[list[RowMapping], int]:
    """The rows of the page, and how many there are without it."""
    total = connection.execute(select(func.count()).select_from(statement.subquery())).scalar_one()
    paged = statement.order_by(*order).offset(page.offset).limit(page.limit)
    return list(connection.execute(paged).mappings()), total


def listed(
    connection: Connection, statement: Select[Any], page: Page, kind: type[T], *order: ColumnElement[Any]
) -> tuple[list[T], int]:
    """The page as nouns, and how many there are without it."""
    found, total = page_of(connection, statement, page, *order)
    return [noun_of(kind, row) for row in found], total
