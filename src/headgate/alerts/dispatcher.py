"""Takes what is in the outbox to its receivers. Each receiver has a lane of its own, and all letters have one together.

At least once: whoever dies between an attempt and writing down how it went has it tried again, under the same id.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Final, Protocol

from headgate.alerts import retries
from headgate.alerts.outbox import Outbox
from headgate.alerts.retries import Random
from headgate.alerts.sender import Sender
from headgate.base.clock import NANOS_PER_SECOND, Clock
from headgate.base.tasks import Tasks
from headgate.tenancy.outbox import EMAIL, Due
from headgate.tenancy.webhook import Webhook

LOOK_EVERY_S: Final = 1.0
LEASE_S: Final = 300
"""More than any attempt can take."""
AT_ONCE: Final = 20
PRUNE_EVERY: Final = 3_600 * NANOS_PER_SECOND


class Source(Protocol):
    """Where events come from that no settlement brings about: `storage.refusals`, `storage.due_rotations`."""

    async def tell(self) -> None:
        """Put into the outbox what is worth it. Raises `Unavailable`."""
        ...


Disable = Callable[[Webhook, str], Awaitable[None]]
Failure = Callable[[str, BaseException], None]


class Dispatcher:
    """One per process. Several may share an outbox: a delivery is attempted by one of them at a time."""

    def __init__(
        self,
        outbox: Outbox,
        sources: Sequence[Source],
        webhooks: Sender,
        letters: Sender | None,
        disable: Disable,
        clock: Clock,
        random: Random,
        on_failure: Failure,
    ) -> None:
        self._outbox = outbox
        self._sources = sources
        self._webhooks = webhooks
        self._letters = letters
        self._disable = disable
        self._clock = clock
        self._random = random
        self._on_failure = on_failure
        self._busy: set[str] = set()
        self._tasks = Tasks(on_failure)
        self._prune_at = 0

    def start(self) -> None:
        self._tasks.start(self._watch(), "alerts")

    async def close(self) -> None:
        """Attempts under way are broken off, and made again by whoever comes next."""
        await self._tasks.close()

    async def turn(self) -> None:
        """Address what is new, and set every lane going in which something is due. Raises `Unavailable`."""
        for source in self._sources:
            await source.tell()
        now = self._clock.now()
        while await self._outbox.address(now):
            pass
        for lane in await self._outbox.lanes(now):
            if lane not in self._busy and (lane != EMAIL or self._letters is not None):
                self._busy.add(lane)
                self._tasks.start(self._serve(lane), f"alerts to {lane}")
        if now >= self._prune_at:
            self._prune_at = now + PRUNE_EVERY
            await self._outbox.prune(now)

    async def settled(self) -> None:
        """Returns when no lane has anything due. For whoever called `turn`, not for a dispatcher that was started."""
        await self._tasks.wait()

    async def _watch(self) -> None:
        while True:
            try:
                await self.turn()
            except Exception as error:  # one bad turn must not be the last one
                self._on_failure("alerts wait", error)
            await asyncio.sleep(LOOK_EVERY_S)

    async def _serve(self, lane: str) -> None:
        try:
            while due := await self._outbox.due(lane, self._clock.now(), AT_ONCE):
                for each in due:
                    await self._attempt(each)
        finally:
            self._busy.discard(lane)

    async def _attempt(self, due: Due) -> None:
        sender = self._letters if due.webhook is None else self._webhooks
        assert sender is not None
        if not await self._outbox.claim(due.delivery, self._clock.now() + LEASE_S * NANOS_PER_SECOND):
            return
        attempt = await sender.send(due)
        if not attempt.error:
            await self._outbox.delivered(due, attempt)
            return
        delivery, now = due.delivery, self._clock.now()
        next_at = retries.next_attempt_at(delivery.attempts + 1, delivery.started_at, now, self._random)
        await self._outbox.failed(due, attempt, next_at)
        if due.webhook is not None:
            since = due.webhook.failing_since or attempt.at
            if (why := retries.is_dead(attempt.status, since, now)) is not None:
                await self._disable(due.webhook, why)
