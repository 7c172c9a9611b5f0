"""Answers that are given again: the cache of configs, and calls with an idempotency key."""

import hmac
from typing import Final

from headgate.base.clock import Clock
from headgate.dataplane.answer_cache import AnswerCache
from headgate.dataplane.recall import Cache
from headgate.settings import Settings

_PURPOSE: Final = b"headgate answer cache"


def cache_of(settings: Settings, clock: Clock, pepper: bytes) -> Cache:
    """In memory. Its key is made of the installation's own secret, and of no use for anything else."""
    answers = AnswerCache(clock, settings.cache_max_bytes)
    return Cache(answers, hmac.digest(pepper, _PURPOSE, "sha256"), settings.cache_max_age_s)
