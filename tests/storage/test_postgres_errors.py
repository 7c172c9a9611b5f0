"""What an error of a driver's means to the rest of the house."""

import asyncio

import pytest
import uvloop

from headgate.base.errors import Unavailable
from headgate.storage.postgres_errors import meaning_of


async def written_to_a_closed_transport() -> None:
    """As a connection that broke a moment ago is written to before anybody was told."""
    server = await asyncio.start_server(lambda reader, writer: writer.close(), "127.0.0.1", 0)
    async with server:
        _, writer = await asyncio.open_connection(*server.sockets[0].getsockname()[:2])
        writer.transport.abort()
        await asyncio.sleep(0)
        writer.transport.writelines([b"x"])


def test_a_transport_that_was_closed_a_moment_ago_is_a_lost_connection() -> None:
    """uvloop says so in a way of its own. It is not the statement that is wrong: a usage record is tried again."""
    with pytest.raises(RuntimeError) as found:
        uvloop.run(written_to_a_closed_transport())
    assert isinstance(meaning_of(found.value), Unavailable)
    assert meaning_of(RuntimeError("something else")) is None
