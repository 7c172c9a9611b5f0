"""Rows as a file for spreadsheets, sent while they are read."""

import csv
import io
from collections.abc import AsyncIterator, Iterable, Sequence
from typing import Final

from starlette.responses import StreamingResponse

_FORMULAS: Final = ("=", "+", "-", "@", "\t", "\r")
"""What a spreadsheet takes for the beginning of a formula."""


def sheet(name: str, columns: Sequence[str], parts: AsyncIterator[Iterable[Sequence[str]]]) -> StreamingResponse:
    """`parts` are rows, some at a time. `name` is the file's, without its ending."""

    async def lines() -> AsyncIterator[str]:
        yield _written([columns])
        async for rows in parts:
            yield _written([[_cell(each) for each in row] for row in rows])

    headers = {"content-disposition": f'attachment; filename="{name}.csv"'}
    return StreamingResponse(lines(), media_type="text/csv", headers=headers)


def _cell(text: str) -> str:
    """No text of others' becomes a formula on somebody's desk."""
    return f"'{text}" if text.startswith(_FORMULAS) else text


def _written(rows: Iterable[Sequence[str]]) -> str:
    text = io.StringIO()
    csv.writer(text).writerows(rows)
    return text.getvalue()
