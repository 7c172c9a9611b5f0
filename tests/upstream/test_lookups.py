"""Host names, resolved once for all who ask at the same moment."""

import asyncio
from collections.abc import Sequence

import pytest

from headgate.upstream.lookups import Lookups


class Names:
    """Answers once it is let go on."""

    def __init__(self, failing: bool = False) -> None:
        self.asked: list[str] = []
        self.go_on = asyncio.Event()
        self._failing = failing

    async def __call__(self, host: str) -> Sequence[str]:
        self.asked.append(host)
        await self.go_on.wait()
        if self._failing:
            raise OSError("no such name")
        return [f"192.0.2.{len(self.asked)}"]


async def test_a_crowd_asks_once_and_each_host_by_itself() -> None:
    """A slow name holds up those who want it, and nobody else."""
    names = Names()
    lookups = Lookups(names)
    crowd = asyncio.gather(*(lookups("a.example") for _ in range(50)), lookups("b.example"))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert names.asked == ["a.example", "b.example"]
    names.go_on.set()
    assert await crowd == [["192.0.2.2"]] * 51


async def test_nothing_is_remembered() -> None:
    """A name that moved is found where it is now; and one that was checked is checked again."""
    names = Names()
    names.go_on.set()
    lookups = Lookups(names)
    assert [await lookups("a.example"), await lookups("a.example")] == [["192.0.2.1"], ["192.0.2.2"]]


async def test_who_gives_up_takes_nothing_from_the_others() -> None:
    """One asker's deadline is not the others'."""
    names = Names()
    lookups = Lookups(names)
    loop = asyncio.get_running_loop()
    first, second = (loop.create_task(lookups("a.example")) for _ in range(2))
    await asyncio.sleep(0)
    first.cancel()
    names.go_on.set()
    assert await second == ["192.0.2.1"]
    assert first.cancelled()


async def test_a_failure_is_told_to_all_who_asked() -> None:
    """And to nobody who asks later, who may find it mended."""
    names = Names(failing=True)
    names.go_on.set()
    lookups = Lookups(names)
    told = await asyncio.gather(*(lookups("a.example") for _ in range(3)), return_exceptions=True)
    assert [type(each) for each in told] == [OSError] * 3
    with pytest.raises(OSError, match="no such name"):
        await lookups("a.example")
    assert len(names.asked) == 2
