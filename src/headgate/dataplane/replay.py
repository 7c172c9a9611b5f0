"""An answer that is given again: as it went out the first time, in the same shape."""

from collections.abc import Sequence

from headgate.dataplane.exchange import Exchange
from headgate.dataplane.headers import JSON, STREAM_HEADERS, Header


async def replay(
    exchange: Exchange, status: int, headers: Sequence[Header], body: bytes, lines: bytes, *, stream: bool
) -> None:
    """A stream as a stream, whatever else as a whole. Raises `ClientGone`."""
    if not stream:
        await exchange.respond(status, [JSON, *headers], body, lines)
        return
    await exchange.start(status, [*STREAM_HEADERS, *headers], lines)
    await exchange.write(body)
    await exchange.end()
