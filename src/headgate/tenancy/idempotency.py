"""Idempotency keys: a request that is sent again is carried out once, and answered as it was the first time.

That it was carried out is written down in the transaction of the change itself, so a process that dies anywhere leaves
no doubt: what was not carried out is free to be tried again, what was carried out is never done twice. A call to a
model has no such transaction; of a call whose end nobody saw, its usage record says whether it may have been charged.
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
ANSWERED_WITHIN_S: Final = 30
"""A change that is made is answered this long after its request came, or its answer is lost with its process."""
_KEY: Final = re.compile(r"[!-~]{1,255}")


class Idempotency:
    """Answers are sealed: one may show an API key for the only time. `longest_s` bounds how long a request may be under
    way."""

    def __init__(
        self, transactions: Transactions, vault: Vault, clock: Clock, longest_s: float = LONGEST_REQUEST_S
    ) -> None:
        self._transactions = transactions
        self._vault = vault
        self._clock = clock
        self._longest = int(longest_s * NANOS_PER_SECOND)

    async def claim(self, principal: Principal, key: str, request: bytes) -> tuple[KeptAnswer, bytes | None]:
        """The claim, and the body of the first answer where there is one: then nothing is to be done.

        Raises `InvalidRequest` for a key that is none, `Unprocessable` where it was used for another request, and
        `Conflict` while the first request is under way or where its answer was lost.
        """
        return await self._claimed(self._wanted(principal.organization_id, principal.actor, key, request))

    async def claim_call(
        self, organization_id: str, caller: str, key: str, request: bytes, request_id: str
    ) -> tuple[KeptAnswer, bytes | None]:
        """The same for a call to a model, which may be charged under this request id."""
        wanted = self._wanted(organization_id, f"call:{caller}", key, request)
        return await self._claimed(replace(wanted, request_id=request_id))

    async def keep(self, claim: KeptAnswer, status: int, body: bytes) -> None:
        """This is the answer, from now on."""
        sealed = self._vault.seal(body, claim.organization_id, claim.row)
        answered = replace(claim, carried_out=True, status=status, sealed_body=sealed)
        await self._transactions.write(lambda stores: stores.answers.update(answered))

    async def lose(self, claim: KeptAnswer, status: int | None) -> None:
        """It was carried out, and there is no answer to be kept; with a status: because it is too large."""
        lost = replace(claim, carried_out=True, status=status)
        await self._transactions.write(lambda stores: stores.answers.update(lost))

    async def release(self, claim: KeptAnswer) -> None:
        """It came to nothing: the same request may be tried again."""
        await self._transactions.write(lambda stores: stores.answers.release(claim))

    async def settle_abandoned(self) -> None:
        """Of the calls that a process which died left behind: those that were charged are over, the keys of the others
        are free. Only where no other process makes calls, and once the books are settled."""
        await self._transactions.write(_settle_abandoned)

    def _wanted(self, organization_id: str, actor: str, key: str, request: bytes) -> KeptAnswer:
        if not _KEY.fullmatch(key):
            raise InvalidRequest(f"`{HEADER}` must be 1 to 255 visible ASCII characters.", param=HEADER)
        now = self._clock.now()
        return KeptAnswer(
            organization_id=organization_id,
            actor=actor,
            key_hash=hashlib.sha256(key.encode()).digest(),
            fingerprint=hashlib.sha256(request).digest(),
            created_at=now,
            expires_at=now + KEEP_S * NANOS_PER_SECOND,
        )

    async def _claimed(self, wanted: KeptAnswer) -> tuple[KeptAnswer, bytes | None]:
        found = await self._transactions.write(lambda stores: _claim(stores, wanted, self._longest))
        if found.sealed_body is None:
            return found, None
        return found, self._vault.open(found.sealed_body, found.organization_id, found.row)


def _claim(stores: Stores, wanted: KeptAnswer, longest: int) -> KeptAnswer:
    stores.answers.prune(wanted.created_at)
    if stores.answers.claim(wanted):
        return wanted
    first = stores.answers.get(wanted.organization_id, wanted.actor, wanted.key_hash)
    if first is None:
        raise under_way()
    if first.fingerprint != wanted.fingerprint:
        raise Unprocessable(f"This `{HEADER}` was used for another request. Send a new one.", param=HEADER)
    if first.sealed_body is not None:
        return first
    if first.request_id is not None and (first.carried_out or stores.answers.charged(first.request_id)):
        raise _charged(first, first.request_id)
    if first.carried_out and wanted.created_at - first.created_at >= ANSWERED_WITHIN_S * NANOS_PER_SECOND:
        raise Conflict(
            f"The first request with this `{HEADER}` was carried out, and its answer was lost. Look for what it made; "
            "a new key makes another.",
            param=HEADER,
        )
    if wanted.created_at - first.created_at < longest or not stores.answers.claim_again(first, wanted):
        raise under_way()
    return wanted


def _settle_abandoned(stores: Stores) -> None:
    for claim in stores.answers.unanswered():
        if claim.request_id is not None and stores.answers.charged(claim.request_id):
            stores.answers.carried_out(claim)
        else:
            stores.answers.release(claim)


def _charged(first: KeptAnswer, request_id: str) -> Conflict:
    why = "it broke off" if first.status is None else "it is larger than what is kept"
    return Conflict(
        f"The first call with this `{HEADER}` was charged, and its answer cannot be given again: {why}. Its usage "
        f"record is `{request_id}`. A new key makes, and pays for, another call.",
        param=HEADER,
        code="answer_not_kept",
        details={"request_id": request_id},
    )


def under_way() -> Conflict:
    """The first request with this key has no answer yet."""
    return Conflict(
        f"A request with this `{HEADER}` is under way. Send it again in a moment.", param=HEADER, retry_after=1
    )
