"""A moment that moves."""

import asyncio
from typing import Any

from headgate.base.deadline import Deadline


class CountingLoop(asyncio.SelectorEventLoop):
    """Counts the timers that are set."""

    timers = 0

    def call_at(self, *given: Any, **more: Any) -> asyncio.TimerHandle:  # type: ignore[override]
        self.timers += 1
        return super().call_at(*given, **more)


async def test_it_passes_once_and_not_before_its_time() -> None:
    """However often it was put off, and it may be set again from where it passed."""
    loop = asyncio.get_running_loop()
    passed: list[float] = []
    twice = asyncio.Event()

    def pass_by() -> None:
        passed.append(loop.time())
        if len(passed) == 2:
            twice.set()
        else:
            deadline.set(loop.time() + 0.02)

    deadline = Deadline(loop, pass_by)
    for tenth in range(5):
        deadline.set(last := loop.time() + tenth / 50)
    await twice.wait()
    assert passed[0] >= last
    assert passed[1] >= passed[0] + 0.02


async def test_it_can_be_set_to_an_earlier_moment() -> None:
    """The timer that waits for a later one does not keep it."""
    loop = asyncio.get_running_loop()
    passed = asyncio.Event()
    deadline = Deadline(loop, passed.set)
    deadline.set(loop.time() + 1000)
    deadline.set(loop.time() + 0.01)
    await passed.wait()


async def test_cleared_or_closed_it_does_not_pass() -> None:
    """Closed it never does again; cleared, when it is set anew."""
    loop = asyncio.get_running_loop()
    passed: list[str] = []
    later = asyncio.Event()
    cleared = Deadline(loop, lambda: passed.append("cleared"))
    cleared.set(loop.time() + 0.01)
    cleared.clear()
    closed = Deadline(loop, lambda: passed.append("closed"))
    closed.set(loop.time() + 0.01)
    closed.close()
    closed.set(loop.time() + 0.01)
    after = Deadline(loop, later.set)
    after.set(loop.time() + 0.05)
    await later.wait()
    assert passed == []
    again = asyncio.Event()
    renewed = Deadline(loop, again.set)
    renewed.clear()
    renewed.set(loop.time())
    await again.wait()


def test_moving_it_on_takes_no_timer() -> None:
    """A thousand requests of a connection cost a thousand comparisons."""
    loop = CountingLoop()
    deadline = Deadline(loop, lambda: None)
    for second in range(1000):
        deadline.clear()
        deadline.set(loop.time() + 60 + second)
    deadline.close()
    loop.close()
    assert loop.timers == 1
