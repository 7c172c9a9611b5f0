"""Batches of a gateway in the test's own loop: made, seen, and what they were charged."""

import asyncio
import json
import time
from typing import Any

from sqlalchemy import text

from headgate.ledger.record import UsageRecord
from headgate.ledger.recovery import Replay
from headgate.storage.verification import verify
from tests.support.asgi import Reply
from tests.support.stand import Stand

PATIENCE_S = 20.0


def line(number: int, **more: object) -> bytes:
    """One of a batch's input file."""
    body = {"model": "sim-fast", "max_tokens": 10, "messages": [{"role": "user", "content": "hello"}], **more}
    return json.dumps(
        {"custom_id": f"r{number}", "method": "POST", "url": "/v1/chat/completions", "body": body}
    ).encode()


async def batch(stand: Stand, key: str, *lines: bytes, ends: str = "") -> Reply:
    """A batch of these; `ends` is the simulator's word for how it does."""
    sent = await stand.form(
        key, "/files", {"purpose": "batch", "file": b"\n".join(lines)}, x_portkey_provider="@openai"
    )
    body = {"input_file_id": sent.json["id"], "endpoint": "/v1/chat/completions", "completion_window": "24h"}
    return await stand.call(key, "/batches", {**body, "metadata": {"sim": ends}})


async def seen(stand: Stand, key: str, made: Reply) -> Any:
    """What its owner is shown of it."""
    return (await stand.call(key, f"/batches/{made.json['id']}", method="GET")).json


async def corrected(stand: Stand, made: Reply, flag: str = "corrected") -> UsageRecord:
    """Its record, once that has the flag."""
    until = time.monotonic() + PATIENCE_S
    while flag not in (record := await stand.record(made)).usage_flags:
        assert time.monotonic() < until, record
        await asyncio.sleep(0.02)  # why: it is read in the background
    return record


async def left(stand: Stand, key: str) -> list[Any]:
    """What is left of each of the key's limits."""
    return [each["left"] for each in (await stand.call(key, "/limits", method="GET")).json["data"]]


async def books_agree(stand: Stand) -> None:
    """All that is kept of sums is what the records say."""
    await stand.gateway.usage.flush()
    now = stand.gateway.administration.clock.now()
    found = await stand.gateway.database.read(lambda connection: verify(connection, Replay(), now))
    assert found.differences == []
    columns = "sum(input_tokens), sum(output_tokens), sum(cost)"
    of_cells = text(f"SELECT {columns} FROM usage_cell GROUP BY kind")
    of_records = text(f"SELECT {columns} FROM usage_record")
    kept, [true] = await stand.gateway.database.read(
        lambda connection: ({tuple(row) for row in connection.execute(of_cells)}, connection.execute(of_records).all())
    )
    assert kept == {tuple(true)}
