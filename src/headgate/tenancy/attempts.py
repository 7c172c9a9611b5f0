"""Failed attempts to sign in, counted so that nobody can try passwords for long."""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from hashlib import sha256
from typing import Final

from headgate.base.clock import NANOS_PER_SECOND
from headgate.base.errors import RateLimited, Unavailable
from headgate.base.ids import RandomBytes
from headgate.tenancy.administration import Administration
from headgate.tenancy.stores import Stores

WINDOW_S: Final = 900
OF_A_NAME: Final = 10
"""Failures within the window, for one user or key."""
OF_AN_ADDRESS: Final = 100
"""From one client address: several people may sit behind it."""


class Attempts:
    """In the database, so that it does not matter which process is tried. `what` is tried is counted apart."""

    def __init__(
        self,
        administration: Administration,
        what: str,
        of_a_name: int = OF_A_NAME,
        random_bytes: RandomBytes = os.urandom,
    ) -> None:
        self._transactions = administration.transactions
        self._clock = administration.clock
        self._what = what
        self._of_a_name = of_a_name
        self._random_bytes = random_bytes

    @asynccontextmanager
    async def trying(self, name: str = "", address: str = "") -> AsyncIterator[None]:
        """One attempt. It has failed from the beginning, so that many at once are no way round, until it ends without
        an error; where Headgate could not tell, it was none. Raises as `count` does."""
        attempt = await self.count(name, address)
        try:
            yield
        except Unavailable:
            with suppress(Unavailable):
                await self._transactions.write(lambda stores: stores.attempts.take_back(attempt))
            raise

        def succeeded(stores: Stores) -> None:
            stores.attempts.take_back(attempt)
            if name:
                stores.attempts.forgive(self._subject("name", name))

        await self._transactions.write(succeeded)

    async def count(self, name: str = "", address: str = "") -> str:
        """One more failure of both, and its id. What is empty does not count. Raises `RateLimited` where one of them
        has failed too often, and counts nothing then; and `Unavailable`."""
        now, attempt = self._clock.now(), self._random_bytes(16).hex()
        since = now - WINDOW_S * NANOS_PER_SECOND
        most = {
            self._subject(kind, text): limit
            for kind, text, limit in (("name", name, self._of_a_name), ("address", address, OF_AN_ADDRESS))
            if text
        }

        def work(stores: Stores) -> None:
            for subject, failures in stores.attempts.recent(list(most), since).items():
                if len(failures) >= most[subject]:
                    raise _too_many((failures[0] - since) / NANOS_PER_SECOND)
            stores.attempts.add(attempt, list(most), now)
            stores.attempts.prune(since)

        await self._transactions.write(work)
        return attempt

    def _subject(self, kind: str, text: str) -> str:
        """What was typed may be anything, a password too: its digest is kept."""
        return sha256(f"{self._what}\n{kind}\n{text}".encode(errors="replace")).hexdigest()


def _too_many(wait: float) -> RateLimited:
    return RateLimited(
        f"Too many attempts to sign in failed. Try again in {int(wait // 60) + 1} minutes.",
        code="too_many_attempts",
        retry_after=wait,
    )
