"""Budgets and rate limits as an administrator writes them, and the allowances that follow.

A usage limit is a budget with a calendar, every-N-days or lifetime window; a rate limit is a sliding window.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Final, TypeVar

from headgate.ledger.allowance import LIFETIME, Allowance, Resource, Scope, Window, WindowKind

RATE_UNITS: Final = {"rps": 1, "rpm": 60, "rph": 3_600, "rpd": 86_400, "rpw": 604_800}
"""Seconds of the sliding window."""
RESETS: Final = {"day": "daily", "week": "weekly", "month": "monthly"}
"""Calendar units in the contract's words."""


@dataclass(frozen=True, slots=True)
class Zone:
    """The time zone in which days, weeks and months begin. `set_at`: when it took the place of another one
    (nanoseconds since the epoch); 0: it was the first."""

    name: str = "UTC"
    set_at: int = 0


UTC: Final = Zone()


@dataclass(frozen=True, slots=True)
class UsageLimit:
    """A budget. `cap` and `alert_threshold` are in the resource's unit: nano-dollars, tokens or requests.

    At most one of `reset` and `reset_days` is set; with neither the limit holds for good.
    """

    resource: Resource
    cap: int
    alert_threshold: int | None = None
    reset: str | None = None
    """`day`, `week` or `month`."""
    reset_days: int | None = None
    anchor: int = 0
    """Nanoseconds since the epoch from which `reset_days` counts."""
    set_at: int = 0
    """When it was set, on an owner that was there before; 0: it was made with its owner. See `newly_set`."""
    alert_percents: tuple[int, ...] | None = None
    """Shares of the cap that are worth an alert; None: those of the workspace, or of the organization."""

    @property
    def period(self) -> str:
        """Names the window; two limits of one owner with the same resource and period are the same counter."""
        if self.reset_days is not None:
            return f"every-{self.reset_days}-days-from-{self.anchor}"
        return self.reset or "lifetime"

    def window(self, zone: Zone) -> Window:
        if self.reset_days is not None:
            return Window(WindowKind.EVERY_DAYS, days=self.reset_days, anchor=self.anchor, time_zone=zone.name)
        if self.reset is not None:
            return Window(WindowKind.CALENDAR, unit=self.reset, time_zone=zone.name)
        return LIFETIME

    def document(self) -> dict[str, Any]:
        """For storage; `UsageLimit.stored` reads it back."""
        return asdict(self)

    @classmethod
    def stored(cls, document: Mapping[str, Any]) -> "UsageLimit":
        percents = document.get("alert_percents")
        found = {**document, "resource": Resource(document["resource"])}
        return cls(**found | {"alert_percents": None if percents is None else tuple(percents)})


@dataclass(frozen=True, slots=True)
class RateLimit:
    """At most `value` of the resource in any interval of the unit; for `in_flight` at any moment, without a unit."""

    resource: Resource
    unit: str | None
    value: int
    set_at: int = 0
    """As of `UsageLimit`."""

    @property
    def period(self) -> str:
        """Names the window, as of `UsageLimit`."""
        return self.unit or "now"

    def window(self) -> Window:
        return LIFETIME if self.unit is None else Window(WindowKind.SLIDING, seconds=RATE_UNITS[self.unit])

    def document(self) -> dict[str, Any]:
        """For storage; `RateLimit.stored` reads it back."""
        return asdict(self)

    @classmethod
    def stored(cls, document: Mapping[str, Any]) -> "RateLimit":
        return cls(**{**document, "resource": Resource(document["resource"])})


L = TypeVar("L", UsageLimit, RateLimit)


def newly_set(limits: Sequence[L], before: Sequence[L], now: int) -> tuple[L, ...]:
    """The limits that take the place of those `before`. One that was not among them begins now, with a counter of its
    own: where it was set and taken away before, that counter missed the calls in between."""
    known = {(limit.resource, limit.period): limit.set_at for limit in before}
    return tuple(replace(limit, set_at=known.get((limit.resource, limit.period), now)) for limit in limits)


def allowances(
    scope: Scope,
    usage_limits: Sequence[UsageLimit],
    rate_limits: Sequence[RateLimit],
    *,
    zone: Zone = UTC,
    usage_reset_at: int | None = None,
    rates_reset_at: int | None = None,
) -> tuple[Allowance, ...]:
    """The allowances of one owner.

    Ids are stable (`api_key:k1:cost:month`): a raised cap keeps its counter. An administrator's reset names a new
    counter, which starts at zero; another time zone, though it be one of before, a new one as its periods begin
    elsewhere; a limit that is set once more one that starts at what the records of its period say.
    """
    owner = f"{scope.kind}:{scope.id}"
    budgets = [
        Allowance(
            f"{owner}:{limit.resource}:{limit.period}{_zone(limit, zone)}{_begun(limit)}{_era(usage_reset_at)}",
            scope,
            limit.resource,
            limit.window(zone),
            limit.cap,
            usage_reset_at or 0,
        )
        for limit in usage_limits
    ]
    rates = [
        Allowance(
            f"{owner}:{limit.resource}:{limit.period}{_begun(limit)}{_era(rates_reset_at)}",
            scope,
            limit.resource,
            limit.window(),
            limit.value,
            rates_reset_at or 0,
        )
        for limit in rate_limits
    ]
    return (*budgets, *rates)


def _zone(limit: UsageLimit, zone: Zone) -> str:
    if zone == UTC or limit.window(zone) is LIFETIME:
        return ""
    return f"~{zone.name}^{zone.set_at}" if zone.set_at else f"~{zone.name}"


def _era(reset_at: int | None) -> str:
    return "" if reset_at is None else f"@{reset_at}"


def _begun(limit: UsageLimit | RateLimit) -> str:
    return f"^{limit.set_at}" if limit.set_at else ""
