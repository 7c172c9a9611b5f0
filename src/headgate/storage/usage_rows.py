"""Between a usage record and its row.

Rows go through the driver's own `executemany`, as plain values in the order of the table's columns: SQLAlchemy's
handling of parameters would cost more than all the rest of a call's bookkeeping.
"""

from collections.abc import Mapping, Sequence
from functools import cache, lru_cache
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
    )


def record_of(row: Mapping[Any, Any]) -> UsageRecord:
    """The record as it was written."""
    return msgspec.convert({name: row[name] for name in _FIELDS}, UsageRecord)


def insert(connection: Connection, records: Sequence[UsageRecord]) -> None:
    """Write them all; those that are there already stay as they are."""
    insert_rows(connection, [values_of(record) for record in records])


def insert_rows(connection: Connection, rows: Sequence[tuple[object, ...]]) -> None:
    """The same, of rows as `values_of` makes them."""
    if rows:
        connection.exec_driver_sql(_statement(connection.dialect), rows)


@cache
def _statement(dialect: Dialect) -> str:
    """The INSERT in the driver's own words; its parameters are the table's columns, in their order."""
    engine = sqlite if dialect.name == "sqlite" else postgresql
    statement = engine.insert(table).on_conflict_do_nothing(index_elements=["request_id"])
    compiled = statement.compile(dialect=dialect, column_keys=list(_NAMES))
    return str(compiled)
