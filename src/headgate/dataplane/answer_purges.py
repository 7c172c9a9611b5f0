"""Answers that other processes were told to forget."""

from headgate.base.clock import NANOS_PER_SECOND, Clock
from headgate.dataplane.answer_cache import AnswerCache
from headgate.tenancy.answer_purge import KEPT_S
from headgate.tenancy.stores import Transactions


class AnswerPurges:
    """Of one process. What it purged itself is purged once more: too much may go, and never too little."""

    def __init__(self, answers: AnswerCache, transactions: Transactions, clock: Clock) -> None:
        self._answers = answers
        self._transactions = transactions
        self._clock = clock
        self._known: int | None = None
        self._at = 0

    async def follow(self, version: int) -> None:
        """A `tenancy.following.Follower`. Once it returns, no answer from before a purge is given again."""
        known, now = self._known, self._clock.monotonic()
        if known is None or now - self._at > KEPT_S * NANOS_PER_SECOND:
            self._answers.clear()
        else:
            for each in await self._transactions.read(lambda stores: stores.answer_purges.after(known)):
                self._answers.forget(each.organization_id, each.workspace_id, each.tenant_id)
        self._known, self._at = version, now
