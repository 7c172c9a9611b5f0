"""Bodies of calls, kept where an organization wants that: copied as they go by, sealed and written off their path.

They are no books: what the database does not take in time is dropped and counted, and no call waits for it.
"""

import asyncio
from collections.abc import Callable, Sequence
from typing import Any, Final, cast

from headgate.analytics.bodies import LONGEST, Bodies
from headgate.analytics.kept import KeptBody
from headgate.base.clock import Clock
from headgate.base.tasks import Tasks
from headgate.dataplane.backlog import Backlog
from headgate.dataplane.call import Call
from headgate.dataplane.exchange import Exchange

DEBUG: Final = b"x-portkey-debug"
"""`false`: this call's bodies are not kept."""
MOST_WAITING: Final = 500
AT_ONCE: Final = 50
FORGET_EVERY_S: Final = 3_600
"""So often what was kept long enough is removed."""

Copy = Callable[[Exchange, Call], Exchange]
"""Has a call's bodies kept: gives the exchange to go on with."""
Body = tuple[str, str, int, bytes, bytes]
"""Request id, organization, moment, request, answer."""


def copy_nothing(exchange: Exchange, call: Call) -> Exchange:
    """Where nobody keeps bodies."""
    return exchange


class BodyLog(Backlog[Body]):
    """Belongs to one process. An observer of calls: at its end a call's bodies are taken over."""

    def __init__(self, bodies: Bodies, clock: Clock, on_failure: Callable[[str, BaseException], None]) -> None:
        super().__init__("bodies of calls", self._seal_and_keep, on_failure, most=MOST_WAITING, at_once=AT_ONCE)
        self._bodies = bodies
        self._clock = clock
        self._under_way: dict[Call, _Copying] = {}
        self._forgetting = Tasks(on_failure)

    def copy(self, exchange: Exchange, call: Call) -> Exchange:
        if exchange.header(DEBUG) == b"false":
            return exchange
        copying = self._under_way[call] = _Copying(exchange)
        return cast(Exchange, copying)  # all that it does not do itself is the inner one's

    def ended(self, exchange: Exchange, call: Call) -> None:
        if not self._under_way:
            return
        copying = self._under_way.pop(call, None)
        if copying is not None and call.sent:
            answer = b"".join(copying.parts)
            body = call.document.body[: LONGEST + 1]
            self.add((call.request_id, call.policy.organization_id, call.started_at, body, answer))

    def start(self) -> None:
        super().start()
        self._forgetting.start(self._forget_in_time(), "bodies of calls that were kept long enough")

    async def close(self) -> None:
        await self._forgetting.close()
        await super().close()

    async def _seal_and_keep(self, taken: list[Body]) -> None:
        await self._bodies.keep(await asyncio.to_thread(self._seal, taken))

    def _seal(self, taken: Sequence[Body]) -> list[KeptBody]:
        return [self._bodies.sealed(*body) for body in taken]

    async def _forget_in_time(self) -> None:
        while True:
            await self._forget()
            await asyncio.sleep(FORGET_EVERY_S)

    async def _forget(self) -> None:
        try:
            while await self._bodies.forget(self._clock.now()):
                pass
        except Exception as error:  # it is tried again in an hour
            self._on_failure("bodies of calls are kept longer than they should be", error)


class _Copying:
    """An exchange that keeps the beginning of what is sent through it."""

    def __init__(self, inner: Exchange) -> None:
        self._inner = inner
        self._room = LONGEST + 1
        self.parts: list[bytes] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    def _keep(self, data: bytes) -> None:
        if self._room > 0:
            self.parts.append(data[: self._room])
            self._room -= len(data)

    async def write(self, data: bytes) -> None:
        self._keep(data)
        await self._inner.write(data)

    def push(self, data: bytes) -> bool:
        pushed = self._inner.push(data)
        if pushed:
            self._keep(data)
        return pushed

    async def respond(
        self, status: int, headers: Sequence[tuple[bytes, bytes]], body: bytes, lines: bytes = b""
    ) -> None:
        self._keep(body)
        await self._inner.respond(status, headers, body, lines)
