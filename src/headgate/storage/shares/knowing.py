"""Allowances that are shared are known before anything is decided on them: where they stand, the authority says; and
their past, where it does not know that, the usage records."""

from collections.abc import Mapping, Sequence
from functools import partial

from headgate.ledger.allowance import Allowance
from headgate.storage.past_use import Use
from headgate.storage.record_counts import takes
from headgate.storage.restoring import Restoring
from headgate.storage.shares.borrowing import Borrowing


class Knowing:
    """Of one process. In the place of `Restoring`, with which it looks into the past."""

    def __init__(self, restoring: Restoring) -> None:
        self._restoring = restoring
        self._ledger = restoring.ledger
        self.borrowing: Borrowing

    async def __call__(self, allowances: Sequence[Allowance]) -> None:
        """Once it returns the ledger knows them all. Raises `Unavailable`: then nobody may decide."""
        missing = [each for each in allowances if each.id not in self._ledger]
        if not missing:
            return
        await self._restoring.all_written()
        await self.borrowing.hear()
        for each in missing:
            if each.id not in self._ledger:  # somebody else may have asked for it at the same time
                self._ledger.restore(each, (), partial(takes, allowance=each))
        await self.borrowing.know(missing)

    async def past(self, allowances: Sequence[Allowance]) -> Mapping[str, Sequence[Use]]:
        """What the usage records say of these, by id. What a call uses that ends just now may be counted twice: once
        from its record, and once by its process."""
        await self._restoring.all_written()
        return await self._restoring.past(allowances)
