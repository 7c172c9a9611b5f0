"""Between a usage record and its row."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec
from sqlalchemy import Connection
from sqlalchemy.dialects import postgresql, sqlite

from headgate.base.usage import Usage
from headgate.ledger.record import UsageRecord
from headgate.storage.tables import usage_record as table

_FIELDS: Final = UsageRecord.__struct_fields__
_TEXTS: Final = ("trace_id", "model_asked", "model", "usage_raw", "error", "provider", "price_id")
"""Fields that may hold what a client or a provider wrote."""


def row_of(record: UsageRecord) -> dict[str, Any]:
    """Column name to value."""
    row = {name: getattr(record, name) for name in _FIELDS}
    usage = Usage(record.usage)
    row["input_tokens"], row["output_tokens"] = usage.input_tokens, usage.output_tokens
    row["outcome"] = str(record.outcome)
    for name in _TEXTS:
        row[name] = clean(row[name])
    row["metadata"] = {clean(key): clean(value) for key, value in record.metadata.items()}
    return row


def record_of(row: Mapping[Any, Any]) -> UsageRecord:
    """The record as it was written."""
    return msgspec.convert({name: row[name] for name in _FIELDS}, UsageRecord)


def insert(connection: Connection, records: Sequence[UsageRecord]) -> None:
    """Write them all; those that are there already stay as they are."""
    dialect = sqlite if connection.dialect.name == "sqlite" else postgresql
    statement = dialect.insert(table).on_conflict_do_nothing(index_elements=["request_id"])
    connection.execute(statement, [row_of(record) for record in records])


def clean(text: str) -> str:
    """The text with a replacement character for what a database cannot keep: NUL, and halves of surrogate pairs."""
    if text.isascii():
        return text.replace("\0", "\ufffd") if "\0" in text else text
    return text.replace("\0", "\ufffd").encode("utf-16", "surrogatepass").decode("utf-16", "replace")
