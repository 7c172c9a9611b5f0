"""What became of an attempt that brought the client nothing yet: its provider's refusal, or no answer at all."""

from collections.abc import Set
from dataclasses import dataclass
from typing import Final

from headgate.base.errors import HeadgateError, TimedOut
from headgate.dataplane.attempt import failure
from headgate.dataplane.call import Call
from headgate.ledger.record import EarlierAttempt
from headgate.routing.plan import Target
from headgate.upstream.client import Answer, Failed
from headgate.wire.retry_after import retry_after

TIMED_OUT: Final = frozenset({408, 504})
"""Both mean it in a config: what the gateway tells its client, and what gateways say to each other."""


@dataclass(frozen=True, slots=True)
class Heard:
    """An error answer that was read whole: as much of an `upstream.Answer` as it takes to tell it."""

    status: int
    headers: list[tuple[bytes, bytes]]
    body: bytes

    async def read(self, limit: int) -> bytes:
        """All of it; it is within every limit."""
        return self.body


@dataclass(frozen=True, slots=True)
class Failure:
    """Either was `heard`, or there is an `error`."""

    status: int
    heard: Heard | None = None
    error: HeadgateError | None = None
    wait_s: float | None = None
    """How long the provider asks to be left alone."""

    @property
    def codes(self) -> Set[int]:
        """Those of a config that mean it."""
        return TIMED_OUT if isinstance(self.error, TimedOut) else {self.status}

    def may_be_billed(self, call: Call) -> bool:
        """An error answer is not billed, nor is what was never sent."""
        return self.heard is None and call.sent

    def tokens(self, call: Call) -> int | None:
        """What the attempt took of its provider's capacity; None: it was never sent."""
        if self.heard is not None:
            return 0
        return call.bound.input_tokens + call.bound.output_tokens if call.sent else None

    def attempt(self, target: Target, took: int) -> EarlierAttempt:
        """For the records of those that come after it. `took` is nanoseconds."""
        error = "" if self.error is None else self.error.code or self.error.type
        status = 0 if self.heard is None else self.status
        return EarlierAttempt(target.provider.slug, target.model, status, took, error)


async def heard(answer: Answer, call: Call, limit: int, now: int) -> Failure:
    """An error answer, read whole. Raises what becomes of one that breaks off. `now` is the wall clock."""
    try:
        body = await answer.read(limit)
    except Failed as failed:
        raise failure(failed, call.target) from failed
    wait_s = retry_after(answer.headers, body, now)
    return Failure(answer.status, Heard(answer.status, answer.headers, body), wait_s=wait_s)
