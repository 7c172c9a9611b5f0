"""Between a usage record and its row.

Rows go through the driver's own `executemany`, as plain values in the order of the table's columns: SQLAlchemy's
handling of parameters would cost more than all the rest of a call's bookkeeping.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import cache
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


_WRITERS: Final[Mapping[str, Callable[[Any], object]]] = {
    "outcome": str,
    "usage": _document,
    "usage_flags": _list,
    "cost_lines": _list,
    "earlier_attempts": _list,
    "metadata": _metadata,
    # What a client or a provider wrote:
    "trace_id": clean,
    "model_asked": clean,
    "model": clean,
    "usage_raw": clean,
    "error": clean,
    "provider": clean,
    "price_id": clean,
}
_SUMS: Final = {"input_tokens": frozenset(INPUT_METERS), "output_tokens": frozenset(OUTPUT_METERS)}
_NAMES: Final = tuple(column.name for column in table.columns)
_read: Final = attrgetter(*("usage" if name in _SUMS else name for name in _NAMES))
_CHANGED: Final = tuple((index, _WRITERS[name]) for index, name in enumerate(_NAMES) if name in _WRITERS)
_SUMMED: Final = tuple((index, _SUMS[name]) for index, name in enumerate(_NAMES) if name in _SUMS)


def values_of(record: UsageRecord) -> list[object]:
    """The row, in the order of the table's columns."""
    values: list[Any] = list(_read(record))
    for index, write in _CHANGED:
        values[index] = write(values[index])
    for index, meters in _SUMMED:
        values[index] = sum([count for meter, count in values[index].items() if meter in meters])
    return values


def record_of(row: Mapping[Any, Any]) -> UsageRecord:
    """The record as it was written."""
    return msgspec.convert({name: row[name] for name in _FIELDS}, UsageRecord)


def insert(connection: Connection, records: Sequence[UsageRecord]) -> None:
    """Write them all; those that are there already stay as they are."""
    insert_rows(connection, [tuple(values_of(record)) for record in records])


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
