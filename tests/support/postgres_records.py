"""Usage records of a PostgreSQL database, as tests of SQLite read them from its file."""

import json
from typing import Any

import asyncpg

JSON_COLUMNS = ("usage", "usage_flags", "cost_lines", "metadata")


async def usage_records_in(url: str) -> dict[str, dict[str, Any]]:
    """All of them by request id, their JSON decoded."""
    connection = await asyncpg.connect(url)
    try:
        rows = [dict(row) for row in await connection.fetch("SELECT * FROM usage_record")]
    finally:
        await connection.close()
    for row in rows:
        for column in JSON_COLUMNS:
            if isinstance(row[column], str):
                row[column] = json.loads(row[column])
    return {row["request_id"]: row for row in rows}
