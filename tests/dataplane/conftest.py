"""What touches sockets here holds on uvloop and on plain asyncio."""

import asyncio
from collections.abc import Callable, Mapping

import pytest
import uvloop

ON_SOCKETS = ("test_asgi", "test_edge", "test_exchange", "test_server")


def pytest_asyncio_loop_factories(
    config: pytest.Config, item: pytest.Item
) -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    if item.path.stem in ON_SOCKETS:
        return {"asyncio": asyncio.new_event_loop, "uvloop": uvloop.new_event_loop}
    return {"asyncio": asyncio.new_event_loop}
