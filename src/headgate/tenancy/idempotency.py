"""Idempotency keys: a request that is sent again is carried out once, and answered as it was the first time.

That it was carried out is written down in the transaction of the change itself, so a process that dies anywhere leaves
no doubt: what was not carried out is free to be tried again, what was carried out is never done twice.
"""

import hashlib
import re
from dataclasses import replace
from typing import Final

from headgate.base.clock import NANOS_PER_SECOND, Clock
from headgate.base.errors import Conflict, InvalidRequest, Unprocessable
from headgate.tenancy.kept_answer import KeptAnswer
from headgate.tenancy.principal import Principal
from headgate.tenancy.stores import Stores, Transactions
from headgate.tenancy.vault import Vault

HEADER: Final = "Idempotency-Key"
KEEP_S: Final = 86_400
LONGEST_REQUEST_S: Final = 600
"""A request without an answer after this long is not under way any more: its process has died."""
_KEY: Final = re.compile(r"[!-~]{1,255}")


class Idempotency:
    """Answers are sealed: one may show an API key for the only time."""

    def __init__(self, transactions: Transactions, vault: Vault, clock: Clock) -> None:
        self._transactions = transactions
        self._vault = vault
        self._clock = clock

    async def claim(self, principal: Principal, key: str, request: bytes) -> tuple[KeptAnswer, bytes | None]:
        """The claim, and the body of the first answer where there is one: then nothing is to be done.

        Raises `InvalidRequest` for a key that is none, `Unprocessable` where it was used for another request, and
        `Conflict` while the first request is under way or where its answer was lost.
        """
        if not _KEY.fullmatch(key):
            raise InvalidRequest(f"`{HEADER}` must be 1 to 255 visible ASCII characters.", param=HEADER)
        now = self._clock.now()
        wanted = KeptAnswer(
            organization_id=principal.organization_id,
            actor=principal.actor,
            key_hash=hashlib.sha256(key.encode()).digest(),
            fingerprint=hashlib.sha256(request).digest(),
            created_at=now,
            expires_at=now + KEEP_S * NANOS_PER_SECOND,
        )
        found = await self._transactions.write(lambda stores: _claim(stores, wanted))
        if found.sealed_body is None:
            return found, None
        return found, self._vault.open(found.sealed_body, found.organization_id, found.row)

    async def keep(self, claim: KeptAnswer, status: int, body: bytes) -> None:
        """This is the answer, from now on."""
        sealed = self._vault.seal(body, claim.organization_id, claim.row)
        answered = replace(claim, carried_out=True, status=status, sealed_body=sealed)
        await self._transactions.write(lambda stores: stores.answers.update(answered))

    async def release(self, claim: KeptAnswer) -> None:
        """It came to nothing: the same request may be tried again."""
        await self._transactions.write(lambda stores: stores.answers.release(claim))


def _claim(stores: Stores, wanted: KeptAnswer) -> KeptAnswer:
    stores.answers.prune(wanted.created_at)
    if stores.answers.claim(wanted):
        return wanted
    first = stores.answers.get(wanted.organization_id, wanted.actor, wanted.key_hash)
    if first is None:
        raise _under_way()
    if first.fingerprint != wanted.fingerprint:
        raise Unprocessable(f"This `{HEADER}` was used for another request. Send a new one.", param=HEADER)
    if first.sealed_body is not None:
        return first
    if first.carried_out:
        raise Conflict(
            f"The first request with this `{HEADER}` was carried out, and its answer was lost. Look for what it made; "
            "a new key makes another.",
            param=HEADER,
        )
    if wanted.created_at - first.created_at < LONGEST_REQUEST_S * NANOS_PER_SECOND:
        raise _under_way()
    if not stores.answers.claim_again(first, wanted):
        raise _under_way()
    return wanted


def _under_way() -> Conflict:
    return Conflict(
        f"A request with this `{HEADER}` is under way. Send it again in a moment.", param=HEADER, retry_after=1
    )
