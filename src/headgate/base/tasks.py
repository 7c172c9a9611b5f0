"""Background tasks that are kept and whose failures are seen."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any


class Tasks:
    """Owns tasks: the event loop alone keeps only weak references, so a task nobody holds may vanish half-way.

    `on_failure` gets every exception that is not a cancellation. `close` cancels what is left and waits for it.
    """

    def __init__(self, on_failure: Callable[[str, BaseException], None]) -> None:
        self._on_failure = on_failure
        self._running: set[asyncio.Task[Any]] = set()

    def __len__(self) -> int:
        return len(self._running)

    def start(self, coroutine: Coroutine[Any, Any, Any], name: str) -> asyncio.Task[Any]:
        task = asyncio.get_running_loop().create_task(coroutine, name=name)
        self._running.add(task)
        task.add_done_callback(self._finished)
        return task

    def _finished(self, task: asyncio.Task[Any]) -> None:
        self._running.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self._on_failure(task.get_name(), error)

    async def wait(self, timeout_s: float | None = None) -> bool:
        """Wait for all that run now. True if none is left."""
        if self._running:
            await asyncio.wait(self._running, timeout=timeout_s)
        return not self._running

    async def close(self) -> None:
        for task in list(self._running):
            task.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)
