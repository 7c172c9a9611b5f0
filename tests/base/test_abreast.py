"""Tasks that keep step with each other."""

import asyncio

from headgate.base.abreast import abreast


async def test_each_step_is_taken_by_all_before_the_next_by_any() -> None:
    """Whoever came at the same moment."""
    taken: list[tuple[int, str]] = []

    async def call(name: str) -> None:
        for step in range(3):
            taken.append((step, name))
            await abreast()

    await asyncio.gather(*map(call, "abc"))
    assert taken == [(step, name) for step in range(3) for name in "abc"]
