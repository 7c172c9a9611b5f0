"""The upstream client: one request to one origin, its answer, nothing else.

No redirects, no cookies, no proxies from the environment, no compression. A request is sent again by itself only where
no provider can have acted upon it: the resting connection was found closed, or it died before the request was whole.
Everything else is the caller's decision, because the provider may have billed.
"""

import asyncio
import ssl

from headgate.base.clock import Clock, SystemClock
from headgate.upstream.answer import Answer
from headgate.upstream.connection import Stale
from headgate.upstream.dial import Dialer
from headgate.upstream.failed import Failed
from headgate.upstream.guard import Guard
from headgate.upstream.pool import Limits, Pool
from headgate.upstream.request import Deadlines, Prepared, Request, prepare, render_head

__all__ = ["Answer", "Client", "Deadlines", "Failed", "Limits", "Prepared", "Request", "prepare"]


class Client:
    """Owns a pool of connections for every origin. Belongs to one event loop.

    `ssl_context` verifies certificates; the default trusts the system's authorities.
    """

    def __init__(
        self,
        *,
        guard: Guard,
        limits: Limits | None = None,
        ssl_context: ssl.SSLContext | None = None,
        clock: Clock | None = None,
    ) -> None:
        self._dialer = Dialer(guard, ssl_context)
        self._limits = limits or Limits()
        self._clock = clock or SystemClock()
        self._pools: dict[tuple[str, str, int], Pool] = {}

    async def send(self, request: Request, deadlines: Deadlines) -> Answer:
        """The answer with its head complete, whatever its status; close it when done. Raises `Failed`.

        Cancelling it closes the connection. The total deadline goes on over the reading of the body.
        """
        head = render_head(request)
        pool = self._pool(request)
        total_at = asyncio.get_running_loop().time() + deadlines.total_s
        connect_s = min(deadlines.connect_s, deadlines.total_s)
        connection = pool.rested() or await pool.acquire(connect_s)
        try:
            return await connection.exchange(head, request.body, deadlines, total_at)
        except Stale:
            pool.forget_idle()
        connection = await pool.acquire(connect_s)
        return await connection.exchange(head, request.body, deadlines, total_at)

    async def close(self) -> None:
        """Close every connection, those under exchanges too, and wait until they are closed."""
        for pool in self._pools.values():
            await pool.close()

    def _pool(self, request: Request) -> Pool:
        origin = request.origin
        key = (origin.scheme, origin.host, origin.port)
        pool = self._pools.get(key)
        if pool is None:
            pool = self._pools[key] = Pool(origin, self._dialer, self._limits, self._clock)
        return pool
