"""Between a usage record and its row.

Rows go through the driver's own `executemany`, as plain values in the order of the table's columns: SQLAlchemy's
handling of parameters would cost more than all the rest of a call's bookkeeping.
"""

from collections.abc import Mapping, Sequence
from functools import cache, lru_cache
from operator import attrgetter
from typing import Any, Final

import msgspec
from sqlalchemy import Connection, Dialect
from sqlalchemy.dialects import postgresql, sqlite

from headgate.base.usage import INPUT_METERS, OUTPUT_METERS
from headgate.ledger.record import UsageRecord
from headgate.storage.tables import usage_record as table

_FIELDS: Final = UsageRecord.__struct_fields__
_encode: Final = msgspec.json.Encoder().encode


def clean(text: str) -> str:
    """The text with a replacement character for what a database cannot keep: NUL, and halves of surrogate pairs."""
    if text.isascii():
        return text.replace("\0", "\ufffd") if "\0" in text else text
    return text.replace("\0", "\ufffd").encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _document(value: object) -> str:
    return _encode(value).decode()


def _list(value: tuple[object, ...]) -> str:
    return _document(value) if value else "[]"


def _metadata(value: Mapping[str, str]) -> str:
    return _document({clean(key): clean(text) for key, text in value.items()}) if value else "{}"


_NAMES: Final = tuple(column.name for column in table.columns)
_INPUT: Final = frozenset(INPUT_METERS)
_OUTPUT: Final = frozenset(OUTPUT_METERS)
_known: Final = lru_cache(maxsize=4_096)(clean)
"""For names that come again with many calls."""


def values_of(record: UsageRecord) -> tuple[object, ...]:
    """The row, in the order of the table's columns. Written out: a table of writers costs twice the time."""
    usage = record.usage
    into = out = 0
    for meter, count in usage.items():
        if meter in _INPUT:
            into += count
        elif meter in _OUTPUT:
            out += count
    return (
        record.request_id,
        clean(record.trace_id),
        record.organization_id,
        record.workspace_id,
        record.key_id,
        record.tenant_id,
        record.integration_id,
        _known(record.provider),
        record.provider_kind,
        record.endpoint,
        _known(record.model_asked),
        _known(record.model),
        record.stream,
        record.started_at,
        record.first_byte_after,
        record.ended_after,
        str(record.outcome),
        record.status,
        record.attempts,
        record.requests,
        _document(usage),
        str(record.usage_source),  # of the plain type, for which the driver has a short way
        _list(record.usage_flags),
        clean(record.usage_raw),
        into,
        out,
        record.cost,
        _list(record.cost_lines),
        _known(record.price_id),
        _metadata(record.metadata),
        clean(record.error),
        _list(record.earlier_attempts),
        record.cache_status,
        _known(record.config),
        _known(record.prompt),
        record.span_id,
        record.held_after,
        _list(record.held),
    )


def record_of(row: Mapping[Any, Any]) -> UsageRecord:
    """The record as it was written."""
    return msgspec.convert({name: row[name] for name in _FIELDS}, UsageRecord)


def insert(connection: Connection, records: Sequence[UsageRecord]) -> None:
    """Write them all; those that are there already stay as they are."""
    insert_new(connection, records)


def insert_new(
    connection: Connection, records: Sequence[UsageRecord]
) -> tuple[list[UsageRecord], list[tuple[object, ...]]]:
    """Write those that are not there yet, each once, also where another process writes the same ones: these, and their
    rows. In one order, in which COPY reaches the partitions too: two that write the same wait for one another, and not
    each for the other."""
    wanted: dict[str, UsageRecord] = {}
    for record in records:
        wanted.setdefault(record.request_id, record)
    rows = {each.request_id: values_of(each) for each in sorted(wanted.values(), key=_order)}
    write = _write_on_sqlite if connection.dialect.name == "sqlite" else _write_on_postgresql
    new = write(connection, rows)
    return [wanted[name] for name in new], [rows[name] for name in new]


def update(connection: Connection, record: UsageRecord) -> None:
    """Its figures are these from now on: what it used and cost. It is there."""
    found = dict(zip(_NAMES, values_of(record), strict=True))
    documents = {name: getattr(record, name) for name in ("usage", "usage_flags", "cost_lines")}
    changed = {name: found[name] for name in _FIGURES} | documents
    where = table.c.request_id == record.request_id, table.c.started_at == record.started_at
    connection.execute(table.update().where(*where).values(changed))


_FIGURES: Final = ("usage_source", "usage_raw", "input_tokens", "output_tokens", "cost", "price_id")
_Rows = dict[str, tuple[object, ...]]
_order: Final = attrgetter("started_at", "request_id")


def _write_on_sqlite(connection: Connection, rows: _Rows) -> Sequence[str]:
    """Nobody else writes until the transaction ends."""
    there = connection.exec_driver_sql(
        "SELECT request_id FROM usage_record WHERE request_id IN (SELECT value FROM json_each(?))",
        (_document(list(rows)),),
    )
    known = {row[0] for row in there}
    new = [name for name in rows if name not in known]
    if new:
        connection.exec_driver_sql(_statement(connection.dialect), [rows[name] for name in new])
    return new


def _write_on_postgresql(connection: Connection, rows: _Rows) -> Sequence[str]:
    """As if all were new, which they are but after a crash, or where the database's answer was lost."""
    from headgate.storage.usage_copy import copy_rows

    if copy_rows(connection, table.name, _NAMES, list(rows.values())):
        return list(rows)
    keys = list(rows), [row[_STARTED_AT] for row in rows.values()]
    known = {row[0] for row in connection.exec_driver_sql(_THERE, keys)}
    statement = _statement(connection.dialect)
    missing = [name for name in rows if name not in known]
    return [name for name in missing if connection.exec_driver_sql(statement, rows[name]).rowcount == 1]


_STARTED_AT: Final = _NAMES.index("started_at")
# With the time, so that one partition is looked into for each.
_THERE: Final = (
    "SELECT request_id FROM unnest($1::text[], $2::bigint[]) AS key (id, at) "
    "JOIN usage_record ON request_id = key.id AND started_at = key.at"
)


@cache
def _statement(dialect: Dialect) -> str:
    """The INSERT in the driver's own words; its parameters are the table's columns, in their order."""
    engine = sqlite if dialect.name == "sqlite" else postgresql
    statement = engine.insert(table).on_conflict_do_nothing()
    compiled = statement.compile(dialect=dialect, column_keys=list(_NAMES))
    return str(compiled)
