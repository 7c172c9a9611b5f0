"""Answers that are given again: the cache of configs, and calls with an idempotency key."""

import hmac
from contextlib import AsyncExitStack
from typing import Final

from headgate.base.clock import Clock
from headgate.bootstrap.report import report
from headgate.bootstrap.scale import MARGIN_S
from headgate.dataplane.answer_cache import AnswerCache
from headgate.dataplane.once import Once
from headgate.dataplane.recall import Cache
from headgate.settings import Settings
from headgate.tenancy.idempotency import Idempotency
from headgate.tenancy.stores import Transactions
from headgate.tenancy.vault import Vault

_PURPOSE: Final = b"headgate answer cache"


def cache_of(settings: Settings, clock: Clock, pepper: bytes) -> Cache:
    """In memory. Its key is made of the installation's own secret, and of no use for anything else."""
    answers = AnswerCache(clock, settings.cache_max_bytes)
    return Cache(answers, hmac.digest(pepper, _PURPOSE, "sha256"), settings.cache_max_age_s)


async def open_once(
    settings: Settings, transactions: Transactions, vault: Vault, clock: Clock, closing: AsyncExitStack
) -> Once:
    """The books must be settled. What a crash left in a database that no other process uses is settled here."""
    longest_s = settings.body_timeout_s + settings.total_timeout_s + settings.read_after_hangup_s + MARGIN_S
    idempotency = Idempotency(transactions, vault, clock, longest_s)
    if settings.database_url is None:
        await idempotency.settle_abandoned()
    once = Once(idempotency, settings.idempotency_max_bytes, report)
    closing.push_async_callback(once.close)
    return once
