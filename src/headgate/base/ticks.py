"""What is done again and again in the background."""

import asyncio
from collections.abc import Awaitable, Callable

from headgate.base.errors import HeadgateError


async def every(seconds: float, do: Callable[[], Awaitable[None]], told: Callable[[HeadgateError], None]) -> None:
    """Until cancelled. A failure is told when it begins, and not again while it lasts."""
    failing = False
    while True:
        await asyncio.sleep(seconds)
        try:
            await do()
        except HeadgateError as error:
            if not failing:
                told(error)
            failing = True
        else:
            failing = False
