"""How an attempt is made, whatever the way: a sender never raises for what a receiver does."""

from typing import Protocol

from headgate.tenancy.outbox import Attempt, Due


class Sender(Protocol):
    async def send(self, due: Due) -> Attempt: ...
