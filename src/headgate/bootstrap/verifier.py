"""Having the books added up while the process goes on taking calls: by another process, beside it."""

import asyncio
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from typing import Any, Final

import msgspec

from headgate.base.clock import Clock
from headgate.base.tasks import Tasks
from headgate.settings import Settings
from headgate.tenancy.system import Verification

BESIDE: Final = "headgate.process.verifying"
"""What is run. It stands above this floor, and nothing of it is imported here."""
LONGEST_LINE: Final = 1 << 20


class Verifier:
    """One at a time. `last` is how far it is, or what it found."""

    def __init__(self, settings: Settings, clock: Clock, report: Callable[[str, BaseException], None]) -> None:
        self._settings = settings
        self._clock = clock
        self._tasks = Tasks(report)
        self.last: Verification | None = None

    def begin(self) -> Verification:
        """Unless one runs already."""
        if self.last is None or not self.last.running:
            self.last = Verification(self._clock.now())
            self._tasks.start(self._run(), "verify")
        return self.last

    async def close(self) -> None:
        """One that runs is given up."""
        await self._tasks.close()

    async def _run(self) -> None:
        try:
            beside = await asyncio.create_subprocess_exec(
                sys.executable, "-m", BESIDE, stdin=PIPE, stdout=PIPE, stderr=DEVNULL, limit=LONGEST_LINE
            )
            try:
                await self._listen(beside)
            finally:
                if beside.returncode is None:
                    with suppress(ProcessLookupError):
                        beside.kill()
                    await beside.wait()
        finally:
            if self.last is not None and self.last.running:
                self._heard({"failure": "The process that added up ended before it was done."})

    async def _listen(self, beside: Process) -> None:
        assert beside.stdin is not None
        assert beside.stdout is not None
        settings = self._settings
        asked = {
            "data_dir": str(settings.data_dir.absolute()),
            "database_url": settings.database_url,
            "database_pooler": settings.database_pooler,
        }
        beside.stdin.write(msgspec.json.encode(asked))
        beside.stdin.close()
        async for line in beside.stdout:
            self._heard(msgspec.json.decode(line))
        await beside.wait()

    def _heard(self, told: dict[str, Any]) -> None:
        assert self.last is not None
        ended = told.pop("ended", False) or "failure" in told
        if "differences" in told:
            told["differences"] = tuple(told["differences"])
        self.last = replace(self.last, **told, ended_at=self._clock.now() if ended else None)
