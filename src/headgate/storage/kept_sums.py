"""The sums that are kept of budgets by period, looked up for many at once."""

from collections.abc import Sequence
from typing import Final

import msgspec
from sqlalchemy import Connection

Key = tuple[str, int]
"""Allowance id and start of the period."""
# A list goes to the driver as one parameter, because five hundred of them would cost more than the look-up.
_KEPT: Final = {
    "sqlite": "SELECT allowance_id, window_start, settled FROM json_each(?) AS key JOIN allowance_use "
    "ON allowance_id = json_extract(key.value, '$[0]') AND window_start = json_extract(key.value, '$[1]')",
    "postgresql": "SELECT allowance_id, window_start, settled FROM unnest($1::text[], $2::bigint[]) AS key (id, start) "
    "JOIN allowance_use ON allowance_id = key.id AND window_start = key.start",
}
_encode: Final = msgspec.json.Encoder().encode


def kept_sums(connection: Connection, keys: Sequence[Key]) -> dict[Key, int]:
    """What is settled, for those that are kept."""
    parameters: tuple[object, ...]
    if connection.dialect.name == "sqlite":
        parameters = (_encode(keys).decode(),)
    else:
        parameters = ([key[0] for key in keys], [key[1] for key in keys])
    rows = connection.exec_driver_sql(_KEPT[connection.dialect.name], parameters)
    return {(row[0], row[1]): row[2] for row in rows}
