"""What every answer is made of."""

from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, WithJsonSchema

Moment = Annotated[str, WithJsonSchema({"type": "string", "format": "date-time"})]
Number = Annotated[Any, WithJsonSchema({"type": "number"})]
"""Exact, however many digits it has."""
Document = dict[str, Any]
Metadata = dict[str, str]


class Shape(BaseModel):
    """An object. What has a default may be absent, what may be null says so."""

    model_config = ConfigDict(json_schema_serialization_defaults_required=False)


class Done(Shape):
    """Nothing more to say."""


@dataclass(frozen=True, slots=True)
class Listed:
    """A list of them: `{"object": "list", "total": …, "data": […]}`."""

    of: type[Shape]


class Page(Shape):
    """`total` counts all there are, not only those on this page."""

    object: Literal["list"]
    total: int
    data: list[Any]


class Budget(Shape):
    """What was set, and where it stands. Amounts of type `cost` are US dollars."""

    type: Literal["cost", "tokens", "requests"]
    credit_limit: Number
    alert_threshold: Number | None
    alert_thresholds: list[int] | None
    periodic_reset: Literal["daily", "weekly", "monthly"] | None
    periodic_reset_days: int | None
    current_usage: Number
    held: Number
    remaining: Number
    status: Literal["active", "exhausted"]
    last_reset_at: Moment | None
    next_usage_reset_at: Moment | None


class BudgetLimit(Shape):
    """What was set, for budgets to come."""

    type: Literal["cost", "tokens", "requests"]
    credit_limit: Number
    alert_threshold: Number | None
    alert_thresholds: list[int] | None
    periodic_reset: Literal["daily", "weekly", "monthly"] | None
    periodic_reset_days: int | None
    next_usage_reset_at: Moment | None


class Rate(Shape):
    type: Literal["requests", "tokens", "input_tokens", "output_tokens", "in_flight"]
    unit: Literal["rps", "rpm", "rph", "rpd", "rpw"] | None
    value: int
