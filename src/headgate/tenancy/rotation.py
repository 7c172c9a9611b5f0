"""When an API key's secret is to be replaced, and how long the one before stays good beside it."""

import calendar
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any, Final

from headgate.base.clock import NANOS_PER_SECOND
from headgate.base.errors import InvalidRequest
from headgate.tenancy import moments
from headgate.tenancy.limit_rules import choice, whole

LEAST_TRANSITION_MS: Final = 1_800_000
"""Half an hour: what clients need to get a new secret round; also the default."""
LONGEST_TRANSITION_MS: Final = 365 * 86_400_000
NANOS_PER_MS: Final = 1_000_000
_DAY: Final = 86_400 * NANOS_PER_SECOND
_PERIODS: Final = {"weekly": "weekly", "monthly": "monthly"}


@dataclass(frozen=True, slots=True, kw_only=True)
class RotationPolicy:
    """At most one of `period` and `days` is set; with neither the key is due once, or never."""

    period: str | None = None
    """`weekly` or `monthly`."""
    days: int | None = None
    transition_ms: int = LEAST_TRANSITION_MS

    def next_after(self, moment: int) -> int | None:
        """When the secret is due that was made at `moment`; both nanoseconds since the epoch."""
        if self.days is not None:
            return moment + self.days * _DAY
        match self.period:
            case "weekly":
                return moment + 7 * _DAY
            case "monthly":
                return _month_after(moment)
        return None

    def document(self) -> dict[str, Any]:
        """For storage; `RotationPolicy.stored` reads it back."""
        return asdict(self)

    @classmethod
    def stored(cls, document: Mapping[str, Any]) -> "RotationPolicy":
        return cls(**document)


def rotation_policy(value: object, now: int, due_before: int | None = None) -> tuple[RotationPolicy | None, int | None]:
    """The contract's `rotation_policy`, and when the next rotation is due, as it was before or in the future. Raises
    `InvalidRequest` naming the field."""
    if value is None:
        return None, None
    if not isinstance(value, Mapping):
        raise InvalidRequest("`rotation_policy` must be an object.", param="rotation_policy")
    at = "rotation_policy"
    period, days = value.get("rotation_period"), value.get("rotation_period_days")
    if period is not None and days is not None:
        raise InvalidRequest(
            f"Send `{at}.rotation_period` or `{at}.rotation_period_days`, not both.", param=f"{at}.rotation_period_days"
        )
    if period is not None:
        period = choice(period, _PERIODS, f"{at}.rotation_period")
    if days is not None:
        days = whole(days, f"{at}.rotation_period_days", low=1, high=365)
    transition = value.get("key_transition_period_ms")
    policy = RotationPolicy(
        period=period, days=days, transition_ms=_transition(transition, at, low=LEAST_TRANSITION_MS)
    )
    due = value.get("next_rotation_at")
    if due is None:
        return policy, policy.next_after(now)
    return policy, moments.in_future(due, f"{at}.next_rotation_at", now, due_before)


def transition_ms(value: object, policy: RotationPolicy | None) -> int:
    """How long the old secret stays good when a key is rotated by hand: what was asked for, else what its policy says,
    else half an hour. 0 ends it at once, for a secret that got into wrong hands."""
    if value is None and policy is not None:
        return policy.transition_ms
    return 0 if value == 0 and value is not False else _transition(value, "", low=LEAST_TRANSITION_MS)


def _transition(value: object, at: str, *, low: int) -> int:
    param = f"{at}.key_transition_period_ms" if at else "key_transition_period_ms"
    return low if value is None else whole(value, param, low=low, high=LONGEST_TRANSITION_MS)


def _month_after(moment: int) -> int:
    """The same time of day on the same day of the next month, or on its last day."""
    then = moments.moment(moment)
    year, month = (then.year + 1, 1) if then.month == 12 else (then.year, then.month + 1)
    day = min(then.day, calendar.monthrange(year, month)[1])
    days = (datetime(year, month, day, tzinfo=UTC) - datetime(then.year, then.month, then.day, tzinfo=UTC)).days
    return moment + days * _DAY
