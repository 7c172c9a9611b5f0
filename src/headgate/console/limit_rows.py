"""Budgets and rate limits as rows of a form, and back to what the services take."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final, Protocol

from headgate.base.errors import InvalidRequest
from headgate.console.form import EMPTY, Form
from headgate.console.formats import UNIT_WORDS, resource_words
from headgate.controlplane.limit_views import dollars
from headgate.ledger.allowance import Resource
from headgate.tenancy.limits import RESETS, RateLimit, UsageLimit

BUDGET_TYPES: Final = ("cost", "tokens", "requests")
RATE_TYPES: Final = ("requests", "tokens", "input_tokens", "output_tokens", "in_flight")
PERIODS: Final = ("", *RESETS.values())
UNITS: Final = tuple(UNIT_WORDS)
PERIOD_WORDS: Final = {"": "never"}
TYPE_WORDS: Final = {each: resource_words(each) for each in RATE_TYPES}
_DAYS: Final = "days:"
_IN_THOUSANDS: Final = re.compile(r"\d{1,3}(,\d{3})+(\.\d*)?")


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the form: a kind, an amount as it is typed, and a period or unit."""

    type: str
    amount: str = ""
    over: str = ""


_NO_BUDGET: Final = Row("cost", over="monthly")
_NO_RATE: Final = Row("requests", over="rpm")


class Limited(Protocol):
    """Whatever has limits of its own."""

    @property
    def usage_limits(self) -> tuple[UsageLimit, ...]: ...
    @property
    def rate_limits(self) -> tuple[RateLimit, ...]: ...


@dataclass(frozen=True, slots=True)
class LimitRows:
    """Both kinds, as a form shows them: those there are, and an empty one of each."""

    budgets: Sequence[Row]
    rates: Sequence[Row]


def limit_rows(owner: Limited | None, form: Form = EMPTY) -> LimitRows:
    """What was typed, if anything was, else what is."""
    if form.fields:
        budgets, rates = (_typed_or_none(form, name) for name in ("budget", "rate"))
        return LimitRows([*budgets, _NO_BUDGET], [*rates, _NO_RATE])
    return LimitRows(budget_rows(owner.usage_limits if owner else ()), rate_rows(owner.rate_limits if owner else ()))


def limits_asked(form: Form, before: Limited | None = None) -> dict[str, Any]:
    """The contract's `usage_limits` and `rate_limits` as they were typed, for an owner that had others before."""
    return {
        "usage_limits": budgets(typed_rows(form, "budget"), before.usage_limits if before else ()),
        "rate_limits": rates(typed_rows(form, "rate")),
    }


def budget_rows(limits: Sequence[UsageLimit]) -> list[Row]:
    """Those there are, and an empty one."""
    return [*(Row(each.resource, _amount(each), _period(each)) for each in limits), _NO_BUDGET]


def rate_rows(limits: Sequence[RateLimit]) -> list[Row]:
    """The same for rate limits."""
    return [*(Row(each.resource, str(each.value), each.unit or "") for each in limits), _NO_RATE]


def typed_rows(form: Form, name: str) -> list[Row]:
    """As they were sent; a row without an amount is none."""
    columns = [form.all(f"{name}_{part}") for part in ("type", "amount", "over")]
    if len({len(each) for each in columns}) > 1:
        raise InvalidRequest("This is no form that the console sent.")
    return [Row(*each) for each in zip(*columns, strict=True) if each[1]]


def budgets(rows: Sequence[Row], before: Sequence[UsageLimit] = ()) -> list[dict[str, Any]]:
    """The contract's `usage_limits`. What the form does not show of a budget that was there before stays with it."""
    alerts = {(str(each.resource), _period(each)): each for each in before}
    return [_budget(row, alerts.get((row.type, row.over))) for row in rows]


def rates(rows: Sequence[Row]) -> list[dict[str, Any]]:
    """The contract's `rate_limits`."""
    return [
        {"type": row.type, "value": _number(row.amount)}
        | ({} if row.type == Resource.IN_FLIGHT else {"unit": row.over})
        for row in rows
    ]


def _typed_or_none(form: Form, name: str) -> list[Row]:
    try:
        return typed_rows(form, name)
    except InvalidRequest:
        return []


def _budget(row: Row, before: UsageLimit | None) -> dict[str, Any]:
    found: dict[str, Any] = {"type": row.type, "credit_limit": _number(row.amount)}
    if row.over.startswith(_DAYS):
        found["periodic_reset_days"] = row.over.removeprefix(_DAYS)
    elif row.over:
        found["periodic_reset"] = row.over
    if before is not None:
        found["alert_thresholds"] = None if before.alert_percents is None else list(before.alert_percents)
        if (threshold := before.alert_threshold) is not None and _within(threshold, before, row):
            found["alert_threshold"] = dollars(threshold) if before.resource is Resource.COST else threshold
    return found


def _within(threshold: int, before: UsageLimit, row: Row) -> bool:
    """An alert above a cap that was lowered would never come, and is refused."""
    told = dollars(threshold) if before.resource is Resource.COST else threshold
    try:
        return Decimal(told or 0) <= Decimal(_number(row.amount))
    except ArithmeticError:
        return False


def _number(text: str) -> str:
    """Commas separate thousands. Any other may be meant as a decimal point: it stays, and is refused."""
    return text.replace(",", "") if _IN_THOUSANDS.fullmatch(text) else text


def _amount(limit: UsageLimit) -> str:
    return str(dollars(limit.cap) if limit.resource is Resource.COST else limit.cap)


def _period(limit: UsageLimit) -> str:
    if limit.reset_days is not None:
        return f"{_DAYS}{limit.reset_days}"
    return RESETS[limit.reset] if limit.reset else ""
