"""One connection to a provider: one exchange at a time, and after each either clean for the next or closed."""

import asyncio
import select
import sys
from typing import Final, Protocol

from headgate.upstream.answer import BUFFER, Answer
from headgate.upstream.failed import Failed, Kind
from headgate.upstream.reader import Malformed, Reader
from headgate.upstream.request import Deadlines
from headgate.upstream.round import Round
from headgate.upstream.watch import Watch

WRITE_SIZE: Final = 256 * 1024
"""Up to here a request is handed to the transport in one piece; beyond it, piece by piece as the provider takes it."""


class Owner(Protocol):
    """The pool a connection belongs to."""

    def freed(self, connection: "Connection") -> None:
        """The exchange is over and the connection is clean."""
        ...

    def lost(self, connection: "Connection") -> None:
        """The connection is closed."""
        ...


class Stale(Failed):
    """A connection that had served before died before the request was whole: no provider can have acted upon it."""


class Connection(asyncio.Protocol):
    """Sends a request and reads its answer. An exchange that ends in any way but a whole answer closes it."""

    def __init__(self, loop: asyncio.AbstractEventLoop, owner: Owner, round_: Round) -> None:
        self._loop = loop
        self._owner = owner
        self._round = round_
        self._transport: asyncio.Transport | None = None
        self._fd = -1
        self._answer: Answer | None = None
        self._reader: Reader | None = None
        self._watch = Watch(loop, self._expired)
        self._idle_s = 0.0
        self._whole = False
        self._reading_paused = False
        self._writing_paused = False
        self._writer: asyncio.Future[None] | None = None
        self._exchanges = 0

    def usable(self) -> bool:
        """Whether a request may be sent now.

        Anything to read on a connection at rest is either its end or bytes nobody asked for. The socket is asked,
        because the event loop may not have come round to telling.
        """
        assert self._transport is not None
        return not self._transport.is_closing() and not _has_news(self._fd)

    async def exchange(self, head: bytes, body: bytes, deadlines: Deadlines, total_at: float) -> Answer:
        """The answer, its head complete. Raises `Failed`; that and a cancellation close the connection."""
        assert self._transport is not None
        assert self._answer is None
        if self._transport.is_closing():
            raise Failed("reset", "the provider closed the connection", sent=False)
        self._reader = reader = Reader()
        self._answer = answer = Answer(self, reader, self._loop, self._round)
        watch = self._watch
        watch.begin(total_at)
        self._idle_s = deadlines.idle_s
        self._exchanges += 1
        try:
            if len(body) <= WRITE_SIZE:
                self._whole = True
                self._transport.write(head + body)
            else:
                self._whole = False
                watch.expect("timeout_idle", deadlines.idle_s)
                await self._write(head, body)
            if self._answer is answer and reader.status == 0:
                watch.expect("timeout_first_byte", deadlines.first_byte_s)
            await answer.head()
        except BaseException:
            self.abort()
            raise
        return answer

    async def _write(self, head: bytes, body: bytes) -> None:
        """Stops early when the provider answers early: then it does not want the rest."""
        transport, reader, answer = self._transport, self._reader, self._answer
        assert transport is not None
        assert reader is not None
        transport.write(head)
        rest = memoryview(body)
        while rest:
            while self._writing_paused and self._answer is answer and reader.status == 0:
                self._writer = self._loop.create_future()
                await self._writer
            if self._answer is not answer or reader.status:
                return
            self._watch.progress()
            transport.write(rest[:WRITE_SIZE])
            rest = rest[WRITE_SIZE:]
        self._whole = True

    # What the answer calls.

    def resume(self) -> None:
        if self._reading_paused and self._transport is not None and not self._transport.is_closing():
            self._reading_paused = False
            self._watch.suspended = False
            self._watch.progress()
            self._transport.resume_reading()

    def abort(self) -> None:
        """Close at once, whatever is under way."""
        self._fail("reset", "closed by the gateway")
        if self._transport is not None:
            self._transport.abort()

    # What the event loop calls.

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        self._transport = transport
        self._fd = transport.get_extra_info("socket").fileno()

    def data_received(self, data: bytes) -> None:
        answer, reader = self._answer, self._reader
        if answer is None or reader is None:
            self.abort()
            return
        headless = reader.status == 0
        try:
            reader.feed(data)
        except Malformed as error:
            self._fail("protocol", str(error))
            self.abort()
            return
        if reader.complete:
            self._complete(answer)
            return
        if reader.status:
            if headless:
                self._watch.expect("timeout_idle", self._idle_s)
                self._wake_writer()
            else:
                self._watch.progress()
            if reader.size > BUFFER and not self._reading_paused:
                self._pause()
            if headless or not reader.chunks:
                answer.wake()
            else:
                answer.came()

    def _pause(self) -> None:
        assert self._transport is not None
        self._reading_paused = self._watch.suspended = True
        self._transport.pause_reading()

    def _complete(self, answer: Answer) -> None:
        assert self._reader is not None
        clean = self._reader.keep_alive and self._whole
        self._release()
        self.resume()
        if clean:
            self._owner.freed(self)
        else:
            self.abort()
        answer.finished()

    def connection_lost(self, exc: Exception | None) -> None:
        answer, reader = self._answer, self._reader
        if answer is not None and reader is not None:
            if exc is None and reader.end():
                self._release()
                answer.finished()
            else:
                self._fail("reset", "the provider closed the connection" if exc is None else str(exc) or repr(exc))
        self._watch.close()
        self._owner.lost(self)

    def pause_writing(self) -> None:
        self._writing_paused = True

    def resume_writing(self) -> None:
        self._writing_paused = False
        self._wake_writer()

    # How an exchange ends.

    def _release(self) -> None:
        """From here on nothing that arrives belongs to the exchange that was."""
        self._watch.rest()
        self._answer = self._reader = None
        self._wake_writer()

    def _wake_writer(self) -> None:
        if self._writer is not None and not self._writer.done():
            self._writer.set_result(None)

    def _expired(self, kind: Kind) -> None:
        self._fail(kind, "the provider did not keep its time")
        self.abort()

    def _fail(self, kind: Kind, text: str) -> None:
        answer, reader = self._answer, self._reader
        if answer is None or reader is None:
            return
        self._release()
        reused = self._exchanges > 1
        stale = kind == "reset" and reused and not self._whole and reader.status == 0
        answer.fail((Stale if stale else Failed)(kind, text, sent=True, reused=reused))


if sys.platform == "win32":

    def _has_news(fd: int) -> bool:
        return bool(select.select([fd], [], [], 0)[0])

else:

    def _has_news(fd: int) -> bool:
        poll = select.poll()
        poll.register(fd, select.POLLIN)
        return bool(poll.poll(0))
