"""Records as the lines of an export: JSON objects, or CSV with a head."""

import asyncio
import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import msgspec

from headgate.analytics.bodies import Bodies
from headgate.analytics.log_lines import COLUMNS
from headgate.ledger.record import UsageRecord
from headgate.tenancy.usage_export import ExportFormat

BODIES: Final = ("request", "response")
REQUESTABLE: Final = (*COLUMNS, *BODIES)
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")
"""A spreadsheet would take a text that begins so for a formula."""
_encode: Final = msgspec.json.Encoder(decimal_format="number").encode


class Lines:
    """Of one export; `bodies` opens those that are kept, and without it there are none."""

    def __init__(self, form: ExportFormat, columns: Sequence[str], bodies: Bodies | None) -> None:
        self._form = form
        self._columns = columns
        self._bodies = bodies if any(name in BODIES for name in columns) else None

    def head(self) -> bytes:
        """What stands before the first line."""
        return csv_lines([self._columns]) if self._form is ExportFormat.CSV else b""

    async def of(self, records: Sequence[UsageRecord]) -> bytes:
        """A line for each; they are of one organization."""
        kept: Mapping[str, Mapping[str, Any]] = {}
        if self._bodies is not None and records:
            ids = [record.request_id for record in records]
            kept = await self._bodies.all_of(records[0].organization_id, ids)
        return await asyncio.to_thread(self._written, records, kept)

    def _written(self, records: Sequence[UsageRecord], kept: Mapping[str, Mapping[str, Any]]) -> bytes:
        rows = [self._row(record, kept.get(record.request_id, {})) for record in records]
        if self._form is ExportFormat.CSV:
            return csv_lines([row.values() for row in rows])
        return b"".join([_encode(row) + b"\n" for row in rows])

    def _row(self, record: UsageRecord, bodies: Mapping[str, Any]) -> dict[str, Any]:
        return {name: bodies.get(name) if name in BODIES else COLUMNS[name](record) for name in self._columns}


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return "'" + value if value.startswith(_FORMULA) else value
    return _encode(value).decode()


def csv_lines(rows: Sequence[Iterable[Any]]) -> bytes:
    """As a spreadsheet reads them: no text is a formula there."""
    text = io.StringIO()
    csv.writer(text).writerows([[_cell(value) for value in row] for row in rows])
    return text.getvalue().encode()
