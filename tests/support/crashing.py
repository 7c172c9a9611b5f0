"""`headgate`, set to die by SIGKILL at a named point: `python -m tests.support.crashing POINT COUNT serve ...`.

It dies when it comes to that point for the COUNTth time, and says at whose call. What it runs is the real command; only
what `bootstrap` wires together is wrapped here, so that the gateway itself has no such points.
"""

import os
import signal
import sys
from collections.abc import Callable, Iterable, Sequence
from enum import StrEnum
from typing import Any, cast
from unittest import mock

from headgate.bootstrap import books, gateway
from headgate.cli.app import main as headgate
from headgate.ledger.allowance import Allowance, Amounts
from headgate.ledger.correction import Correction
from headgate.ledger.hold import Denied, Held
from headgate.ledger.ledger import LocalLedger
from headgate.ledger.record import UsageRecord
from headgate.storage.books import Books
from headgate.storage.corrections import SqlCorrections
from headgate.storage.usage_writer import UsageWriter
from headgate.tenancy.open_batch import OpenBatch
from headgate.upstream.client import Answer, Client, Deadlines, Request

SAYS = r"died at (\S+) in (\S*)"


class Point(StrEnum):
    """Where a gateway may die."""

    AFTER_HOLD = "after_hold"
    """The hold is on disk, the intent to send is not."""
    BEFORE_SEND = "before_send"
    """Both are, and nothing has been sent."""
    AFTER_FIRST_BYTE = "after_first_byte"
    BEFORE_SETTLE = "before_settle"
    """The whole answer is here, its usage known."""
    AFTER_SETTLE = "after_settle"
    """Settled in memory, not on disk."""
    IN_BATCH = "in_batch"
    """Half of a batch of usage records is written, nothing committed."""
    AFTER_BATCH = "after_batch"
    """The batch is committed, and the journal does not know."""


class BatchPoint(StrEnum):
    """Where it may die over a batch that has ended."""

    BEFORE_CORRECTION = "before_correction"
    """Its results are read, nothing is written."""
    AFTER_CORRECTION = "after_correction"
    """Its record is corrected, and the counters are not."""


class Doom:
    """Counts how often each point is come to."""

    def __init__(self, point: Point | BatchPoint, count: int) -> None:
        self._point = point
        self._left = count

    def at(self, point: Point | BatchPoint, request_id: str, last_act: Callable[[], object] | None = None) -> None:
        if point is not self._point:
            return
        self._left -= 1
        if self._left == 0:
            if last_act is not None:
                last_act()
            os.write(1, f"\ndied at {point} in {request_id}\n".encode())
            os.kill(os.getpid(), signal.SIGKILL)


def main(arguments: Sequence[str]) -> None:
    """Runs `headgate` with what follows the point and the count."""
    points: dict[str, Point | BatchPoint] = {each.value: each for each in (*Point, *BatchPoint)}
    doom = Doom(points[arguments[0]], int(arguments[1]))
    sys.argv = ["headgate", *arguments[2:]]
    with (
        mock.patch.multiple(
            books,
            Books=_books(doom),
            UsageWriter=_writer(doom),
            SqlCorrections=_corrections(doom),
            LocalLedger=_ledger(doom),
        ),
        mock.patch.object(gateway, "Client", _client(doom)),
    ):
        headgate()


def _books(doom: Doom) -> type[Books]:
    class Doomed(Books):
        def __init__(self, *parts: Any, **named: Any) -> None:
            super().__init__(*parts, **named)
            self._journal = parts[1]

        def hold(self, request_id: str, allowances: Sequence[Allowance], amounts: Amounts) -> Held | Denied:
            result = super().hold(request_id, allowances, amounts)
            if isinstance(result, Held):
                doom.at(Point.AFTER_HOLD, request_id, self._journal.flush)
            return result

        def settle(self, request_id: str, actual: Amounts, record: UsageRecord) -> None:
            doom.at(Point.BEFORE_SETTLE, request_id)
            super().settle(request_id, actual, record)
            doom.at(Point.AFTER_SETTLE, request_id)

    return Doomed


def _corrections(doom: Doom) -> type[SqlCorrections]:
    class Doomed(SqlCorrections):
        async def correct(self, batch: OpenBatch, correction: Correction) -> bool:
            doom.at(BatchPoint.BEFORE_CORRECTION, batch.request_id)
            return await super().correct(batch, correction)

    return Doomed


def _ledger(doom: Doom) -> type[LocalLedger]:
    class Doomed(LocalLedger):
        def correct(self, allowance_ids: Iterable[str], at: int, settled: Amounts, actual: Amounts) -> None:
            doom.at(BatchPoint.AFTER_CORRECTION, "")
            super().correct(allowance_ids, at, settled, actual)

    return Doomed


class _Watched:
    """An answer, and what happens when the first of it has come."""

    def __init__(self, answer: Answer, first: Callable[[], None]) -> None:
        self._answer = answer
        self._first = first

    def __getattr__(self, name: str) -> Any:
        return getattr(self._answer, name)

    async def pour(self, sink: Callable[[bytes], bool]) -> bool:
        def watched(data: bytes) -> bool:
            go_on = sink(data)
            self._first()
            return go_on

        return await self._answer.pour(watched)

    async def read(self, limit: int) -> bytes:
        data = await self._answer.read(limit)
        self._first()
        return data


def _client(doom: Doom) -> type[Client]:
    class Doomed(Client):
        async def send(self, request: Request, deadlines: Deadlines) -> Answer:
            request_id = dict(request.all_headers).get(b"x-headgate-request-id", b"").decode()
            doom.at(Point.BEFORE_SEND, request_id)
            answer = await super().send(request, deadlines)
            return cast(Answer, _Watched(answer, lambda: doom.at(Point.AFTER_FIRST_BYTE, request_id)))

    return Doomed


def _writer(doom: Doom) -> type[UsageWriter]:
    class Doomed(UsageWriter):
        def __init__(self, *parts: Any, insert: Any, on_written: Any, **named: Any) -> None:
            def half(connection: Any, records: Sequence[UsageRecord]) -> None:
                middle = len(records) // 2
                doom.at(Point.IN_BATCH, records[-1].request_id, lambda: insert(connection, records[:middle]))
                insert(connection, records)

            def written(request_ids: Sequence[str]) -> None:
                doom.at(Point.AFTER_BATCH, request_ids[-1])
                on_written(request_ids)

            super().__init__(*parts, insert=half, on_written=written, **named)

    return Doomed


if __name__ == "__main__":
    main(sys.argv[1:])
