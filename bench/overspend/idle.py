"""How long is a caller refused what another node has borrowed, and does not use?

One node is busy on a budget, so that it borrows ahead, and its callers stop all at once. At that moment the other node
gets one call that needs all that is left of the budget.
"""

import asyncio
import time
from dataclasses import dataclass
from typing import Final

from bench.overspend.play import PATH
from bench.overspend.scene import PRICES, Scene
from bench.overspend.shared import Nodes
from headgate.base.money import NANOS_PER_USD
from tests.support.mix import Request
from tests.support.swarm import Seen, send, swarm

ROUNDS: Final = 30
BOUND_S: Final = 0.3
CALLERS: Final = 8
BUSY_S: Final = 1.2
GIVE_UP_S: Final = 5.0
SMALL: Final = Scene("idle share", "priced", "Say 10 tokens, please.", max_tokens=20)


@dataclass(frozen=True, slots=True)
class Waited:
    """Seconds for which the call was refused, again and again, and until it was answered."""

    refused_s: float
    took_s: float


def measure(nodes: Nodes, rounds: int = ROUNDS) -> list[Waited]:
    """One for each round."""
    return [asyncio.run(_round(nodes, number)) for number in range(rounds)]


async def _round(nodes: Nodes, number: int) -> Waited:
    key = await asyncio.to_thread(nodes.new_key, SMALL)
    busy, other = (nodes.lives[(number + place) % 2].gateway.url for place in (0, 1))
    spent = await _busy(busy, key, nodes.model(SMALL.model))
    _, price = PRICES[SMALL.model]
    left = (round(SMALL.dollars * NANOS_PER_USD) - spent) // price
    body = {**SMALL.body(nodes.model(SMALL.model)), "max_tokens": left}
    begun = tried = time.monotonic()
    while (seen := await send(other, key, Request(PATH, body, left))).status != 200:
        if time.monotonic() - begun > GIVE_UP_S:
            raise TimeoutError(f"refused for {GIVE_UP_S} s: {seen.status} {seen.body!r}")
        tried = time.monotonic()
    return Waited(tried - begun, time.monotonic() - begun)


async def _busy(url: str, key: str, model: str) -> int:
    """What was spent, in nano-dollars."""
    end = time.monotonic() + BUSY_S
    request = Request(PATH, SMALL.body(model), SMALL.max_tokens)

    async def caller(number: int) -> list[Seen]:
        seen = []
        while time.monotonic() < end:
            seen.append(await send(url, key, request))
        return seen

    let_in = sum(each.status == 200 for each in await swarm(CALLERS, caller))
    _, price = PRICES[SMALL.model]
    return let_in * 10 * price
