"""Group commit: one `fsync` in a thread answers for every call that waits when it starts."""

import asyncio
import os
from functools import partial
from pathlib import Path

from headgate.storage.segment import SegmentFile


class GroupSync:
    """Knows up to which byte the disk has what was written, over all segments.

    Once `fsync` failed it stays failed: the system may have dropped what it could not write, and would say nothing
    the next time.
    """

    def __init__(self, file: SegmentFile, directory: Path) -> None:
        self._directory = directory
        self._file = file
        self._before = 0  # bytes in the segments before this one, all on disk
        self._synced = 0
        self._running: asyncio.Future[None] | None = None
        self._failure: OSError | None = None
        self._sync_directory()

    def check(self) -> None:
        """Raises what `fsync` once raised."""
        if self._failure is not None:
            raise self._failure

    async def wait(self) -> None:
        """Once it returns, the disk has what was written before. Raises OSError."""
        written = self._before + self._file.size
        while self._synced < written:
            self.check()
            running = self._running or self._start()
            await asyncio.wait([running])
        self.check()

    def _start(self) -> asyncio.Future[None]:
        target = self._before + self._file.size
        descriptor = self._file.duplicate()  # the segment may be sealed and closed meanwhile
        self._running = asyncio.get_running_loop().run_in_executor(None, os.fsync, descriptor)
        self._running.add_done_callback(partial(self._finished, target, descriptor))
        return self._running

    def _finished(self, target: int, descriptor: int, running: asyncio.Future[None]) -> None:
        os.close(descriptor)
        self._running = None
        error = running.exception()
        if error is None:
            self._synced = max(self._synced, target)
        else:
            self._failure = error if isinstance(error, OSError) else OSError(str(error))

    def switch(self, file: SegmentFile) -> None:
        """Go on with the next segment: the one before is on disk first, or `check` will say why not."""
        try:
            self._file.sync()
            self._sync_directory()
        except OSError as error:
            self._failure = error
        self._before += self._file.size
        self._synced = self._before
        self._file = file

    def _sync_directory(self) -> None:
        descriptor = os.open(self._directory, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
