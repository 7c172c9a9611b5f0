"""All that is asked about usage, as one."""

from dataclasses import dataclass

from headgate.analytics.usage import UsageService


@dataclass(frozen=True, slots=True, kw_only=True)
class Analytics:
    """One of each."""

    usage: UsageService
