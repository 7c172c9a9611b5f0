"""Calls from within the process, for somebody who has signed in: without a socket and without a key.

They go through the same pipeline as any other, with the policy of whoever makes them: the same holds, limits, checks
and records.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Final

from headgate.base.tasks import Tasks
from headgate.dataplane.app import DataPlane
from headgate.dataplane.asgi import AsgiExchange, Receive, Scope, Send
from headgate.dataplane.authenticate import require_admitted
from headgate.dataplane.call import Call
from headgate.dataplane.endpoints import endpoint_for
from headgate.dataplane.socketless import Answer, Turn
from headgate.ledger.record import UsageRecord
from headgate.tenancy.policy import Policy

NO_HEADERS: Final[Mapping[str, str]] = {}


class InsideCall:
    """`answer` is there once its status is; `record` once all of it is over."""

    def __init__(self, answer: Answer, over: "asyncio.Task[Call]") -> None:
        self.answer = answer
        self._over = over

    async def record(self) -> UsageRecord | None:
        """What it used and cost, once that is settled; None where nothing was. Read the whole answer before."""
        return (await self._over).record


class Inside:
    """`report` gets what broke."""

    def __init__(self, data_plane: DataPlane, report: Callable[[str, BaseException], None]) -> None:
        self._data_plane = data_plane
        self._tasks = Tasks(report)

    @asynccontextmanager
    async def call(
        self, policy: Policy, method: str, path: str, body: object = None, headers: Mapping[str, str] = NO_HEADERS
    ) -> AsyncIterator[InsideCall]:
        """`body` becomes JSON. A query may follow the path. Whoever leaves the block early has hung up, and the call is
        settled as for any client that does. Raises `Forbidden` where the policy does not allow the endpoint."""
        endpoint = endpoint_for(path.partition("?")[0])
        assert endpoint is not None, "no path of the data plane"
        require_admitted(policy, endpoint.scopes)
        turn = Turn(method, path, body, headers)
        over = self._tasks.start(self._run(turn, policy), f"{method} {path}")
        try:
            yield InsideCall(await turn.answer(), over)
        finally:
            turn.leave()

    async def _run(self, turn: Turn, policy: Policy) -> Call:
        made: list[Call] = []

        async def app(scope: Scope, receive: Receive, send: Send) -> None:
            exchange = AsgiExchange(scope, receive, send)
            call = self._data_plane.begin(exchange)
            call.known = policy
            made.append(call)
            try:
                await self._data_plane.answer(exchange, call)
            finally:
                exchange.close()

        await turn.run(app)
        return made[0]

    async def close(self) -> None:
        await self._tasks.close()
