"""Writes the files of exports, in the background: some records at a time, each part sealed as it is written.

How far it is stands in the database with each part. So whoever comes after a crash goes on where it ended, and of
several processes one at a time works on an export.
"""

import asyncio
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import Final

from headgate.analytics.bodies import Bodies
from headgate.analytics.calls import Calls
from headgate.analytics.export_lines import BODIES, Lines
from headgate.analytics.stores import ExportFiles, ExportPart, LogReader, Place
from headgate.base.clock import NANOS_PER_SECOND, Clock
from headgate.base.errors import HeadgateError, Unavailable
from headgate.base.tasks import Tasks
from headgate.ledger.record import UsageRecord
from headgate.tenancy.usage_export import KEEP_S, UsageExport

AT_ONCE: Final = 1_000
"""Records of one part, and in memory at a time."""
WITH_BODIES: Final = 50
"""The same, where each may have 128 KiB of bodies."""
LOOK_EVERY_S: Final = 1.0
LEASE_S: Final = 60
"""More than any part takes: whoever has added none by then has died."""
FORGET_EVERY: Final = 3_600
"""So many looks, an hour, lie between two that remove files whose time is over."""

CallsOf = Callable[[UsageExport], Awaitable[Calls]]
"""Which calls an export holds."""


class Exporter:
    """One per process; several may share a database."""

    def __init__(self, files: ExportFiles, reader: LogReader, bodies: Bodies, calls_of: CallsOf, clock: Clock) -> None:
        self._files = files
        self._reader = reader
        self._bodies = bodies
        self._calls_of = calls_of
        self._clock = clock

    def run(self, on_failure: Callable[[str, BaseException], None]) -> Tasks:
        """From now on, until what is given is closed."""
        tasks = Tasks(on_failure)
        tasks.start(self._run(on_failure), "exports")
        return tasks

    async def turn(self) -> None:
        """Write all that is to be written now. Raises `Unavailable`; then it goes on where it was."""
        for export in await self._files.unfinished(self._clock.now()):
            try:
                await self._write(export)
            except Unavailable:
                raise
            except Exception as error:
                why = error.message if isinstance(error, HeadgateError) else type(error).__name__
                await self._files.finish(export.id, self._clock.now(), f"It could not be written: {why}")

    async def read(self, export: UsageExport) -> AsyncIterator[bytes]:
        """The file. It ends early where the export is stopped meanwhile."""
        number = 0
        while (sealed := await self._files.part(export.id, number)) is not None:
            yield await asyncio.to_thread(self._opened, export, number, sealed)
            number += 1

    async def _write(self, export: UsageExport) -> None:
        progress = await self._files.lease(export.id, self._clock.now(), self._until())
        if progress is None:
            return
        calls, lines = await self._calls_of(export), Lines(export.format, export.requested_data, self._bodies)
        at_once = WITH_BODIES if any(name in BODIES for name in export.requested_data) else AT_ONCE
        place, number = progress
        while True:
            records = await self._reader.after(calls, place, at_once)
            if number and not records:
                break
            content = (b"" if number else lines.head()) + await lines.of(records)
            sealed = await asyncio.to_thread(self._sealed, export, number, content)
            place = _place(records) if records else None
            if not await self._files.add(ExportPart(export.id, number, len(records), sealed), place, self._until()):
                return
            number += 1
            if len(records) < at_once:
                break
        await self._files.finish(export.id, self._clock.now())

    def _sealed(self, export: UsageExport, number: int, content: bytes) -> bytes:
        return self._bodies.seal(zlib.compress(content, 6), export.organization_id, _row(export, number))

    def _opened(self, export: UsageExport, number: int, sealed: bytes) -> bytes:
        return zlib.decompress(self._bodies.open(sealed, export.organization_id, _row(export, number)))

    def _until(self) -> int:
        return self._clock.now() + LEASE_S * NANOS_PER_SECOND

    async def _run(self, on_failure: Callable[[str, BaseException], None]) -> None:
        looks = 0
        while True:
            try:
                await self.turn()
                if looks % FORGET_EVERY == 0:
                    while await self._files.forget(self._clock.now() - KEEP_S * NANOS_PER_SECOND):
                        pass
            except Exception as error:  # one bad turn must not be the last one
                on_failure("exports wait", error)
            looks += 1
            await asyncio.sleep(LOOK_EVERY_S)


def _place(records: Sequence[UsageRecord]) -> Place:
    return records[-1].started_at, records[-1].request_id


def _row(export: UsageExport, number: int) -> str:
    return f"export_part/{export.id}/{number}"
