"""How an answer goes out: each function sends the frames down a `Line` to the caller in the way its name says."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, replace

from headgate.base import usage as meters
from headgate.simulator.dialects.base import Frame

MAX_STALL_S = 600.0


class CallerGone(Exception):
    """The caller has closed the connection."""


class HangUp(Exception):
    """Close the connection here, in the middle of the answer."""


@dataclass(frozen=True, slots=True)
class Pacing:
    """Seconds: before the first frame and between frames of every answer, between those of `sim-slow`, between
    the single bytes of `sim-trickle`; how long `sim-silence` says nothing.
    """

    first: float = 0.0
    between: float = 0.0
    slow: float = 0.05
    trickle: float = 0.001
    silence: float = 1.0


class Line:
    """One answer on its way to the caller; keeps count of what went out.

    `error_event` is how an error is told in a stream; a plain answer has no way to.
    `gone` is done when the caller has hung up: nothing else tells, sending into a closed connection does not fail.
    """

    def __init__(
        self,
        send: Callable[[bytes], Awaitable[None]],
        gone: asyncio.Task[None],
        pacing: Pacing,
        error_event: bytes | None,
    ) -> None:
        self._send = send
        self._gone = gone
        self.pacing = pacing
        self.error_event = error_event
        self.bytes_sent = 0
        self.delivered: Counter[str] = Counter()
        self.finished = False

    async def write(self, data: bytes) -> None:
        """Send bytes in a write of their own. Raises `CallerGone`."""
        await asyncio.sleep(0)
        if self._gone.done():
            raise CallerGone
        await self._send(data)
        self.bytes_sent += len(data)

    async def frame(self, frame: Frame) -> None:
        if self.pacing.between:
            await self.pause(self.pacing.between)
        await self.write(frame.data)
        self.delivered[frame.meter] += frame.tokens
        self.finished = self.finished or frame.last

    async def pause(self, seconds: float) -> None:
        """Raises `CallerGone` as soon as that happens."""
        await asyncio.wait((self._gone,), timeout=seconds)
        if self._gone.done():
            raise CallerGone


Frames = Iterable[Frame]
Delivery = Callable[[Frames, Line], Awaitable[None]]
Spoiling = Callable[[list[Frame]], list[Frame]]


async def steadily(frames: Frames, line: Line) -> None:
    for frame in frames:
        await line.frame(frame)


async def slowly(frames: Frames, line: Line) -> None:
    for frame in frames:
        await line.pause(line.pacing.slow)
        await line.frame(frame)


async def byte_by_byte(frames: Frames, line: Line) -> None:
    for frame in frames:
        for at in range(len(frame.data)):
            await line.pause(line.pacing.trickle)
            await line.write(frame.data[at : at + 1])
        await line.frame(replace(frame, data=b""))


async def stalling(frames: Frames, line: Line) -> None:
    """Half of the answer, then silence."""
    await steadily(halves(frames)[0], line)
    await line.pause(MAX_STALL_S)
    raise HangUp


async def cut_off(frames: Frames, line: Line) -> None:
    """Half of the answer, then the connection is closed."""
    await steadily(halves(frames)[0], line)
    raise HangUp


async def cut_after_one(frames: Frames, line: Line) -> None:
    """The first frame, then the connection is closed. A plain answer is cut in its middle."""
    for frame in halves(frames)[0][:1]:
        await line.frame(frame)
    raise HangUp


async def cut_in_line(frames: Frames, line: Line) -> None:
    """Closed in the middle of a frame's line, after half of the answer."""
    before, after = halves(frames)
    await steadily(before, line)
    await line.write(after[0].data[: len(after[0].data) // 2])
    raise HangUp


async def falling_silent(frames: Frames, line: Line) -> None:
    """The first frame, a long silence, then the rest."""
    for place, frame in enumerate(frames):
        if place == 1:
            await line.pause(line.pacing.silence)
        await line.frame(frame)


async def failing_at_once(frames: Frames, line: Line) -> None:
    """An error event and nothing else. A plain answer is cut off."""
    if line.error_event is None:
        await cut_off(frames, line)
    else:
        await line.write(line.error_event)


async def cut_in_character(frames: Frames, line: Line) -> None:
    """Closed between the two bytes of a character: in the first frame that has one, after half of the answer."""
    before, after = halves(frames)
    await steadily(before, line)
    for frame in after:
        start = next((at for at, byte in enumerate(frame.data) if byte >= 0xC0), None)
        if start is not None:
            await line.write(frame.data[: start + 1])
            raise HangUp
        await line.frame(frame)
    raise HangUp


async def failing(frames: Frames, line: Line) -> None:
    """Half of the answer, then an error event and a proper end of the HTTP answer. A plain answer is cut off."""
    await steadily(halves(frames)[0], line)
    if line.error_event is None:
        raise HangUp
    await line.write(line.error_event)


def halves(frames: Frames) -> tuple[list[Frame], list[Frame]]:
    """The frames before and after the middle. A single frame is cut in two; what it delivers stays with the second."""
    every = list(frames)
    if len(every) == 1:
        (only,) = every
        middle = len(only.data) // 2
        return [Frame(only.data[:middle], meters.OUTPUT)], [replace(only, data=only.data[middle:])]
    return every[: len(every) // 2], every[len(every) // 2 :]


def without_end(frames: list[Frame]) -> list[Frame]:
    """All but the frame that says the answer is whole; a plain answer stays as it is."""
    return [frame for frame in frames if not frame.last] or frames


def garbled(frames: list[Frame]) -> list[Frame]:
    """The JSON in the middle frame breaks off; the frame's own end stays, so that the next one can be told apart."""
    middle = len(frames) // 2
    data = frames[middle].data
    broken = data[: len(data) // 2] + (b"\n\n" if data.endswith(b"\n\n") else b"")
    return [*frames[:middle], replace(frames[middle], data=broken), *frames[middle + 1 :]]
