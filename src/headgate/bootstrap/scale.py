"""Whether this process is one of several, and what that needs. Imports nothing that the extra `scale` brings."""

from importlib.util import find_spec
from typing import Final

from headgate.base.clock import NANOS_PER_SECOND, Clock
from headgate.ledger.share import LEASE
from headgate.settings import BadSetting, Settings
from headgate.storage.shares.address import RedisAddress
from headgate.storage.shares.server_clock import ServerClock

MARGIN_S: Final = 60
"""What a call may take besides its provider's answer, at the very most: a connection, a disk that is slow."""


def check_sharing(settings: Settings) -> None:
    """Raises `BadSetting` where allowances are to be shared and cannot be."""
    if settings.redis_url is None:
        return
    RedisAddress.parse(settings.redis_url)
    if settings.database_url is None:
        raise BadSetting(
            "redis_url: processes that share allowances share their records too: name a PostgreSQL database in "
            "database_url, or leave redis_url out and run one process.",
            param="redis_url",
        )
    if lost_after(settings) < LEASE + settings.database_lost_after_s * NANOS_PER_SECOND:
        raise BadSetting(
            "process_lost_after_s: a process without the database lets calls in for database_lost_after_s, "
            f"{settings.database_lost_after_s:g} s, and may use what it borrowed for {LEASE // NANOS_PER_SECOND} s "
            "more: it must not be given up sooner. Make this longer, or that shorter.",
            param="process_lost_after_s",
        )
    if find_spec("redis") is None:
        raise BadSetting("`redis_url` needs a client of Redis: install `headgate[scale]`.", param="redis_url")


def lost_after(settings: Settings) -> int:
    """Nanoseconds until a process that nobody saw is given up: once no call that it let in can be under way, where the
    settings do not say."""
    seconds = settings.process_lost_after_s
    if seconds is None:
        lets_in_s = max(LEASE / NANOS_PER_SECOND, settings.database_lost_after_s)
        seconds = lets_in_s + settings.total_timeout_s + MARGIN_S
    return round(seconds * NANOS_PER_SECOND)


def clock_of(settings: Settings, clock: Clock) -> Clock:
    """Where allowances are shared, the authority's clock is everybody's. Raises `BadSetting` where they cannot be."""
    check_sharing(settings)
    return clock if settings.redis_url is None else ServerClock(clock)
