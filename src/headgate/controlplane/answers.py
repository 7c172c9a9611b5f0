"""Answers: always 200 with a JSON object, because the contract's SDK fails on anything else."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Any, Final

import msgspec
from starlette.responses import Response

_encode: Final = msgspec.json.Encoder(decimal_format="number").encode


class Answer(Response):
    """JSON. A `Decimal` is written as the number it is, to its last digit."""

    media_type = "application/json"

    def render(self, content: Any) -> bytes:
        return _encode(content)


def done() -> Answer:
    """Of what changed there is nothing more to say."""
    return Answer({})


async def long_listing(shown: Callable[[], Sequence[Any]], total: int) -> Answer:
    """The same for thousands of items: they are put together beside the event loop, which goes on to serve calls."""
    return await asyncio.to_thread(lambda: listing(shown(), total))


def listing(items: Sequence[Any], total: int) -> Answer:
    """`total` counts all there are, not only those on this page."""
    return Answer({"object": "list", "total": total, "data": items})
