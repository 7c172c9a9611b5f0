"""What comes for many in one tick."""

import asyncio

from headgate.upstream.round import Round


async def test_all_is_handed_on_once_all_has_come_in_the_order_in_which_it_came() -> None:
    """In the same tick for all of them; what comes while it is handed on goes with the next."""
    done: list[str] = []
    shared = Round()

    def first() -> None:
        done.append("first")
        shared.add(lambda: done.append("late"))

    shared.add(first)
    shared.add(lambda: done.append("second"))
    assert done == []
    await asyncio.sleep(0)
    assert done == ["first", "second"]
    await asyncio.sleep(0)
    assert done == ["first", "second", "late"]
