"""Calls that wait for others to give back what they hold: first come, first served, for each allowance.

Nobody polls: who settles a call serves those who wait for one of its allowances, there and then. A call that fits at
once is never made to wait behind one that does not.
"""

import asyncio
import itertools
from bisect import insort
from collections.abc import Callable, Sequence
from operator import attrgetter
from typing import Final

from headgate.dataplane.exchange import ClientGone, Exchange
from headgate.ledger.allowance import Allowance
from headgate.ledger.hold import Denied

MOST_WAITING: Final = 256
"""Calls that wait for one allowance; the next one is refused at once."""

Attempt = Callable[[], Denied | None]
"""Tries to hold, synchronously. None: it holds."""


class _Waiter:
    """`turn` comes true when it holds, or when waiting has no point any more; `denied` tells which."""

    __slots__ = ("arrival", "attempt", "denied", "queue", "turn")

    def __init__(self, arrival: int, attempt: Attempt) -> None:
        self.arrival = arrival
        self.attempt = attempt
        self.denied: Denied | None = None
        self.queue = ""  # the id of the allowance it waits for
        self.turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def end(self, error: Exception | None = None) -> None:
        """The first end counts."""
        if self.turn.done():
            return
        if error is None:
            self.turn.set_result(None)
        else:
            self.turn.set_exception(error)


class Waiting:
    """The queues, by allowance id. True while anybody waits."""

    def __init__(self) -> None:
        self._queues: dict[str, list[_Waiter]] = {}
        self._arrivals = itertools.count()

    def __bool__(self) -> bool:
        return bool(self._queues)

    async def wait(self, exchange: Exchange, denied: Denied, within_s: float, attempt: Attempt) -> Denied | None:
        """Wait until `attempt` succeeds (None), or for so long at most: then the denial that stood in the way last.

        Ends at once where waiting does not help or too many wait, and with `ClientGone` when the client leaves.
        """
        waiter = _Waiter(next(self._arrivals), attempt)
        self._join(waiter, denied)
        exchange.on_gone(lambda: waiter.end(ClientGone("the client has hung up")))
        try:
            async with asyncio.timeout(within_s):
                await waiter.turn
        except TimeoutError:
            pass  # it may hold all the same, if its turn came in this very moment
        finally:
            self._leave(waiter)
        return waiter.denied

    def freed(self, allowances: Sequence[Allowance]) -> None:
        """Room came back on these allowances."""
        for allowance in allowances:
            if allowance.id in self._queues:
                self._serve(allowance.id)

    def _join(self, waiter: _Waiter, denied: Denied) -> None:
        waiter.denied = denied
        queue = self._queues.get(denied.allowance.id, [])
        if not denied.by_calls or len(queue) >= MOST_WAITING:
            waiter.end()
            return
        insort(queue, waiter, key=attrgetter("arrival"))
        self._queues[denied.allowance.id], waiter.queue = queue, denied.allowance.id

    def _leave(self, waiter: _Waiter) -> None:
        queue = self._queues.get(waiter.queue, [])
        if waiter not in queue:
            return
        first = queue[0] is waiter
        queue.remove(waiter)
        if first:  # whoever stood behind it may fit where it did not
            self._serve(waiter.queue)

    def _serve(self, allowance_id: str) -> None:
        queue = self._queues[allowance_id]
        while queue:
            if self._is_stuck(queue[0], allowance_id):
                return
            queue.pop(0)
        del self._queues[allowance_id]

    def _is_stuck(self, waiter: _Waiter, allowance_id: str) -> bool:
        """Whether it waits on, for this allowance."""
        if waiter.turn.done():
            return False
        try:
            denied = waiter.attempt()
        except Exception as error:  # its own failure, not that of the call that made room
            waiter.end(error)
            return False
        waiter.denied = denied
        if denied is None:
            waiter.end()
        elif denied.by_calls and denied.allowance.id == allowance_id:
            return True
        else:
            self._join(waiter, denied)
        return False
