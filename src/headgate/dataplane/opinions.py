"""What guardrails think of calls: given as feedback once a call is over, written off its path.

It is no book: what the database does not take is dropped and reported, and no call waits for it.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Final

from headgate.analytics.feedback import FeedbackService
from headgate.analytics.kept import Feedback
from headgate.base.tasks import Tasks
from headgate.dataplane.call import Call
from headgate.dataplane.exchange import Exchange

MOST_WAITING: Final = 10_000
AT_ONCE: Final = 500
LOOK_EVERY_S: Final = 0.5


class Opinions:
    """Belongs to one process. An observer of calls."""

    def __init__(self, feedback: FeedbackService, on_failure: Callable[[str, BaseException], None]) -> None:
        self._feedback = feedback
        self._on_failure = on_failure
        self._waiting: deque[Feedback] = deque(maxlen=MOST_WAITING)
        self._writing = asyncio.Lock()
        self._tasks = Tasks(on_failure)

    def ended(self, exchange: Exchange, call: Call) -> None:
        """Each guardrail says once what it thinks of request and answer: of those of the last attempt it saw."""
        if not call.judged:
            return
        last = {(guard.id, what): (guard, passed) for guard, what, passed in call.judged}
        for guard, passed in last.values():
            opinion = guard.on_success if passed else guard.on_fail
            if opinion is not None:
                self._waiting.append(
                    self._feedback.made(
                        call.policy.organization_id,
                        call.policy.workspace_id,
                        call.policy.tenant_id,
                        call.policy.key_id,
                        call.trace_id,
                        opinion,
                    )
                )

    def start(self) -> None:
        self._tasks.start(self._run(), "feedback of guardrails")

    async def close(self) -> None:
        """Write what waits, and stop."""
        await self._tasks.close()
        await self.write()

    async def write(self) -> None:
        """Returns when all that waits now is in the database. What cannot be written is dropped."""
        async with self._writing:
            while self._waiting:
                taken = [self._waiting.popleft() for _ in range(min(AT_ONCE, len(self._waiting)))]
                try:
                    await self._feedback.keep(taken)
                except Exception as error:  # the flags of the usage records say as much
                    self._on_failure(f"{len(taken)} opinions of guardrails are lost", error)

    async def _run(self) -> None:
        while True:
            await self.write()
            await asyncio.sleep(LOOK_EVERY_S)
