"""Answers that this process and others are told to forget."""

from typing import Final

from headgate.base.clock import NANOS_PER_SECOND, Clock
from headgate.dataplane.answer_cache import AnswerCache
from headgate.tenancy.answer_purge import KEPT_S, AnswerPurge
from headgate.tenancy.stores import Transactions

MOST_KNOWN: Final = 1_000


class AnswerPurges:
    """Of one process. Each is carried out once, by whoever hears of it first: what is kept from then on stays."""

    def __init__(self, answers: AnswerCache, transactions: Transactions, clock: Clock) -> None:
        self._answers = answers
        self._transactions = transactions
        self._clock = clock
        self._known: int | None = None
        self._at = 0
        self._gone: dict[str, int] = {}
        """How many answers went, by the purge's id; of the latest."""

    def carry_out(self, purge: AnswerPurge) -> int:
        """Once it returns, no answer from before is given again. How many went here."""
        gone = self._gone.get(purge.id)
        if gone is None:
            gone = self._answers.forget(purge.organization_id, purge.workspace_id, purge.tenant_id)
            self._gone[purge.id] = gone
            if len(self._gone) > MOST_KNOWN:
                del self._gone[next(iter(self._gone))]
        return gone

    async def follow(self, version: int) -> None:
        """A `tenancy.following.Follower`. Once it returns, no answer from before a purge is given again."""
        known, now = self._known, self._clock.monotonic()
        if known is None or now - self._at > KEPT_S * NANOS_PER_SECOND:
            self._answers.clear()
        else:
            for each in await self._transactions.read(lambda stores: stores.answer_purges.after(known)):
                self.carry_out(each)
        self._known, self._at = version, now
