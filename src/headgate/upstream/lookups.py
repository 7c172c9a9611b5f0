"""Host names resolved, once for all who ask at the same moment."""

import asyncio
import socket
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeAlias

from headgate.base.tasks import Tasks

Resolve: TypeAlias = Callable[[str], Awaitable[Sequence[str]]]
"""All addresses of a host name, as text. Raises `OSError` if there are none."""


class Lookups:
    """A `Resolve`. Nothing is remembered: who asks after an answer asks anew.

    The system resolves names on four threads. Without this a crowd of new connections would queue there, and the calls
    to every other provider behind those to one whose name takes seconds.
    """

    def __init__(self, resolve: Resolve | None = None) -> None:
        self._resolve = resolve or _of_the_system
        self._tasks = Tasks(lambda name, error: None)  # those who asked are told
        self._under_way: dict[str, asyncio.Task[Sequence[str]]] = {}

    async def __call__(self, host: str) -> Sequence[str]:
        lookup = self._under_way.get(host)
        if lookup is None:
            lookup = self._under_way[host] = self._tasks.start(self._look_up(host), f"look up {host}")
        return await asyncio.shield(lookup)

    async def _look_up(self, host: str) -> Sequence[str]:
        try:
            return await self._resolve(host)
        finally:
            del self._under_way[host]


async def _of_the_system(host: str) -> Sequence[str]:
    infos = await asyncio.get_running_loop().getaddrinfo(host, None, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(info[4][0]) for info in infos))
