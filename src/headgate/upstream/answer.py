"""A provider's answer as the pipeline reads it: the head is there, the body comes."""

import asyncio
from collections.abc import Callable
from typing import Final, Protocol

from headgate.upstream.failed import Failed
from headgate.upstream.reader import Reader
from headgate.upstream.round import Round

BUFFER: Final = 64 * 1024
"""Bytes of body that wait here before the provider is made to wait."""


Sink = Callable[[bytes], bool]
"""Takes a part of the body, at once. False: it has to see to something else before it takes more."""


class Line(Protocol):
    """The connection an answer comes over, as far as the answer needs it."""

    def resume(self) -> None:
        """There is room again."""
        ...

    def abort(self) -> None:
        """Nobody reads on: close, whatever is under way."""
        ...


class Answer:
    """Status, headers and body of one answer. Read by one task.

    Leaving it unread keeps the connection until the attempt's total deadline: `close` it, `read` it, or go on with
    `next` to the end. Cancelling a read closes the connection.
    """

    __slots__ = ("_failed", "_line", "_loop", "_reader", "_round", "_sink", "_sink_failed", "_waiter")

    def __init__(self, line: Line, reader: Reader, loop: asyncio.AbstractEventLoop, round_: Round) -> None:
        self._loop = loop
        self._round = round_
        self._line: Line | None = line
        self._reader = reader
        self._failed: Failed | None = None
        self._waiter: asyncio.Future[None] | None = None
        self._sink: Sink | None = None
        self._sink_failed: BaseException | None = None

    @property
    def status(self) -> int:
        return self._reader.status

    @property
    def headers(self) -> list[tuple[bytes, bytes]]:
        """Names in lower case, in the provider's order."""
        return self._reader.headers

    def header(self, name: bytes) -> bytes | None:
        """The first header of this (lower-case) name."""
        return self._reader.first.get(name)

    async def next(self) -> bytes:
        """Bytes of the body as they come, at most about `BUFFER` of them; b"" at the end.

        Raises `Failed` where the body ends early, after all that came before has been returned.
        """
        reader = self._reader
        while not reader.chunks:
            if reader.complete:
                return b""
            if self._failed is not None:
                raise self._failed
            await self.wait()
        return self._take()

    async def pour(self, sink: Sink) -> bool:
        """Hand the body to `sink` as it comes, in the tick in which it comes, in its `Round`: no task is woken for a
        part of it.

        True: the sink has stopped; pour again for the rest. False: that was the end. Raises what the sink raises, and
        `Failed` as `next` does.
        """
        reader = self._reader
        while True:
            while reader.chunks:
                if not sink(self._take()):
                    return True
            if reader.complete:
                return False
            if self._failed is not None:
                raise self._failed
            self._sink = sink
            try:
                await self.wait()
            finally:
                stopped, self._sink = self._sink is None, None
            if self._sink_failed is not None:
                failed, self._sink_failed = self._sink_failed, None
                raise failed
            if stopped:
                return True

    def interrupt(self) -> None:
        """Have a `pour` that waits for more return, as if its sink had stopped."""
        if self._sink is not None:
            self._sink = None
            self.wake()

    def _take(self) -> bytes:
        data = self._reader.take()
        if self._line is not None:
            self._line.resume()
        return data

    async def read(self, limit: int) -> bytes:
        """The whole body. Raises `Failed`, of kind `too_large` beyond `limit` bytes."""
        declared = self.header(b"content-length")
        if declared is not None and int(declared) > limit:
            raise self._too_large(limit)
        reader = self._reader
        if reader.complete and reader.size <= limit:  # as short answers are by the time their head is looked at
            return self._take()
        parts: list[bytes] = []
        size = 0
        while data := await self.next():
            size += len(data)
            if size > limit:
                raise self._too_large(limit)
            parts.append(data)
        return parts[0] if len(parts) == 1 else b"".join(parts)

    def close(self) -> None:
        """Done with it. Before the end of the body this closes the connection; after it, it changes nothing."""
        if self._line is not None:
            self._line.abort()

    def _too_large(self, limit: int) -> Failed:
        self.close()
        return Failed("too_large", f"a body of more than {limit} bytes", sent=True)

    # What the connection calls.

    async def head(self) -> None:
        """Wait for status and headers."""
        while self._reader.status == 0:
            if self._failed is not None:
                raise self._failed
            await self.wait()

    async def wait(self) -> None:
        self._waiter = self._loop.create_future()
        try:
            await self._waiter
        except asyncio.CancelledError:
            self.close()
            raise
        finally:
            self._waiter = None

    def came(self) -> None:
        """There is more of the body: to the sink with it, where there is one, else to whoever waits."""
        if self._sink is None:
            self.wake()
        else:
            self._round.add(self._hand)

    def _hand(self) -> None:
        sink = self._sink
        if sink is None or not self._reader.chunks:
            return
        try:
            if sink(self._take()):
                return
        except Exception as error:
            self._sink_failed = error
        self._sink = None
        self.wake()

    def wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    def finished(self) -> None:
        """The body is whole: the connection is no longer this answer's."""
        self._line = None
        self.wake()

    def fail(self, failed: Failed) -> None:
        self._line = None
        self._failed = failed
        self.wake()
