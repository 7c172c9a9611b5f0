"""All rows of one database into another, and whether they are the same there.

Written from the tables' own definitions: a table that is added later is copied without a line here. Rows are compared
by what they mean, so that a document may have its keys in another order, and a number its zeros.
"""

import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, Row, Table, Text, delete, exists, func, insert, select, text
from sqlalchemy.exc import DBAPIError

from headgate.base.errors import Conflict
from headgate.storage.partitions import make_months, month_of
from headgate.storage.schema import metadata
from headgate.storage.tables import counter, usage_record

AT_ONCE: Final = 1_000
TOLD_EVERY: Final = 50_000
_MADE_WITH_THE_SCHEMA: Final = (counter,)
"""Tables that have rows before anybody has written one."""
Told = Callable[[str, int], None]
"""Gets a table's name, and how many of its rows are done."""


@dataclass(frozen=True, slots=True)
class Copied:
    """One table, the same in both. `digest`: SHA-256 over its rows in the order of their keys."""

    table: str
    rows: int
    digest: str


def require_empty(target: Connection) -> None:
    """Nothing is written over. Raises `Conflict`, naming a table that has rows."""
    for table in metadata.sorted_tables:
        if table not in _MADE_WITH_THE_SCHEMA and target.execute(select(exists(select(table)))).scalar_one():
            raise Conflict(
                f"The database to move to is not empty: there are rows in `{table.name}`. Name another one.",
                param="database_url",
            )


def copy(source: Connection, target: Connection, told: Told) -> None:
    """Every row of every table, those first that others refer to. Raises `Conflict` for a row that cannot be there."""
    for table in _MADE_WITH_THE_SCHEMA:
        target.execute(delete(table))
    _make_months(source, target)
    for table in metadata.sorted_tables:
        done = 0
        for rows in _batches(source, table):
            _insert(target, table, [dict(row._mapping) for row in rows])
            done += len(rows)
            if done % TOLD_EVERY == 0:
                told(table.name, done)
        _go_on_counting(target, table)
        told(table.name, done)


def compare(source: Connection, target: Connection) -> list[Copied]:
    """Row by row, all tables. Raises `Conflict`, naming the first row that is not the same in both."""
    return [_same(source, target, table) for table in metadata.sorted_tables]


def _batches(connection: Connection, table: Table) -> Iterator[Sequence[Row[Any]]]:
    """In the order of the key, which is the same for both engines: texts by their bytes."""
    statement = select(table).order_by(*(_by_bytes(connection, column) for column in table.primary_key))
    return connection.execute(statement, execution_options={"yield_per": AT_ONCE}).partitions()


def _by_bytes(connection: Connection, column: ColumnElement[Any]) -> ColumnElement[Any]:
    if connection.dialect.name == "postgresql" and isinstance(column.type, Text):
        return column.collate("C")
    return column


def _make_months(source: Connection, target: Connection) -> None:
    """The partitions of all usage records, so that none has to move once more."""
    started, after = usage_record.c.started_at, -1
    first = select(func.min(started))
    while (oldest := source.execute(first.where(started > after)).scalar_one()) is not None:
        make_months(target, oldest)
        after = month_of(oldest).end - 1


def _insert(target: Connection, table: Table, rows: list[dict[str, Any]]) -> None:
    try:
        with target.begin_nested():
            target.execute(insert(table), rows)
    except DBAPIError as error:
        if error.connection_invalidated:
            raise
        raise _refused(target, table, rows) from error


def _refused(target: Connection, table: Table, rows: list[dict[str, Any]]) -> Exception:
    """The row it is about, found by trying one after another."""
    for row in rows:
        try:
            with target.begin_nested():
                target.execute(insert(table), row)
        except DBAPIError as error:
            key = ", ".join(str(row[column.name]) for column in table.primary_key)
            return Conflict(
                f"The row {key} of `{table.name}` cannot be in the database to move to: {error.orig}. Nothing was "
                "moved. Change it with the server on its old database, and move again."
            )
    return Conflict(f"Rows of `{table.name}` cannot be in the database to move to. Nothing was moved.")


def _go_on_counting(target: Connection, table: Table) -> None:
    """The next number that PostgreSQL gives is above those that came along."""
    column = table.autoincrement_column
    if column is None or target.dialect.name != "postgresql":
        return
    highest = target.execute(select(func.max(column))).scalar_one()
    if highest is not None:
        target.execute(
            text("SELECT setval(pg_get_serial_sequence(:table, :column), :highest)"),
            {"table": table.name, "column": column.name, "highest": highest},
        )


def _same(source: Connection, target: Connection, table: Table) -> Copied:
    digest, rows = hashlib.sha256(), 0
    theirs = (row for part in _batches(target, table) for row in part)
    for row in (row for part in _batches(source, table) for row in part):
        content = _content(row)
        copied = next(theirs, None)
        if copied is None or _content(copied) != content:
            raise _differs(table, row)
        digest.update(content)
        rows += 1
    if (extra := next(theirs, None)) is not None:
        raise _differs(table, extra)
    return Copied(table.name, rows, digest.hexdigest())


def _differs(table: Table, row: Row[Any]) -> Conflict:
    key = ", ".join(str(row._mapping[column.name]) for column in table.primary_key)
    return Conflict(f"The row {key} of `{table.name}` is not the same in both databases. Nothing was moved.")


def _content(row: Row[Any]) -> bytes:
    return json.dumps([_plain(value) for value in row], sort_keys=True, default=bytes.hex).encode() + b"\n"


def _plain(value: object) -> object:
    """A number is the same with and without zeros behind its point."""
    if isinstance(value, dict):
        return {key: _plain(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_plain(each) for each in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value
