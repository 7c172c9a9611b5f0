"""How many connections the system's limit of open files leaves room for."""

import contextlib
import resource
from dataclasses import replace
from typing import Final

import structlog

from headgate.settings import Settings

log = structlog.get_logger("headgate.process")

RESERVE: Final = 128
"""For everything but calls: databases, journal, Redis, webhooks, the log."""
_EACH: Final = 2
"""A call takes its client's connection, and one to a provider."""


def fitted(settings: Settings) -> Settings:
    """With no more `max_connections` than this process can have files open for.

    Its limit is raised first, as far as the system lets it. So a client too many is told so, where otherwise its
    connection would be reset, and calls that were let in would not reach their providers.
    """
    allowed = _raised(_EACH * settings.max_connections + RESERVE)
    most = max((allowed - RESERVE) // _EACH, 1)
    if most >= settings.max_connections:
        return settings
    log.info("fewer connections than `max_connections`", connections=most, open_files=allowed)
    return replace(settings, max_connections=most)


def _raised(wanted: int) -> int:
    """The limit of this process, at most what is wanted."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY or soft >= wanted:
        return wanted
    most = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    with contextlib.suppress(OSError, ValueError):  # some systems let it be less than they say
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
        return most
    return soft
