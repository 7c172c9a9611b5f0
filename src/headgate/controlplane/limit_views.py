"""Budgets as the contract shows them: what was set, and where it stands."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from headgate.base.money import NANOS_PER_USD, usd_decimal
from headgate.ledger.allowance import Resource
from headgate.tenancy.limits import RESETS
from headgate.tenancy.moments import to_iso
from headgate.tenancy.standing import Budget


def budget(found: Budget) -> dict[str, Any]:
    """Amounts of type `cost` are US dollars. `current_usage` is settled, `held` is what calls under way may come to,
    and `remaining` what neither is."""
    limit, balance = found.limit, found.balance
    amount = dollars if limit.resource is Resource.COST else _same
    return {
        "type": limit.resource,
        "credit_limit": amount(limit.cap),
        "alert_threshold": amount(limit.alert_threshold),
        "alert_thresholds": None if limit.alert_percents is None else list(limit.alert_percents),
        "periodic_reset": RESETS[limit.reset] if limit.reset else None,
        "periodic_reset_days": limit.reset_days,
        "current_usage": amount(balance.used),
        "held": amount(balance.held),
        "remaining": amount(balance.left),
        "status": "exhausted" if found.exhausted else "active",
        "last_reset_at": None if found.last_reset_at is None else to_iso(found.last_reset_at),
        "next_usage_reset_at": None if balance.resets_at is None else to_iso(balance.resets_at),
    }


def dollars(nanos: int | None) -> Decimal | int | None:
    """Exact, and without trailing zeros."""
    if nanos is None:
        return None
    whole, rest = divmod(nanos, NANOS_PER_USD)
    return usd_decimal(nanos).normalize() if rest else whole


def _same(amount: int | None) -> int | None:
    return amount


def budgets(found: Sequence[Budget]) -> list[dict[str, Any]]:
    return [budget(each) for each in found]
