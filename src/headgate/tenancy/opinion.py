"""What is thought of a call: a value and its weight, given by a person, by a program, or by a guardrail."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from headgate.base.errors import InvalidRequest
from headgate.tenancy import rules

LARGEST: Final = 10
WHOLE: Final = 1_000_000
"""A weight of one."""


@dataclass(frozen=True, slots=True)
class Opinion:
    """`value` is from -10 to 10, `weight` in millionths up to one."""

    value: int
    weight: int = WHOLE
    metadata: Mapping[str, str] = field(default_factory=dict)


def opinion(fields: Mapping[str, Any], at: str = "") -> Opinion:
    """Read from a request: `value`, `weight` (1 where absent), `metadata`. `at` is where they stand in it.

    Raises `InvalidRequest` naming the field.
    """
    prefix = f"{at}." if at else ""
    return Opinion(
        value_of(fields.get("value"), f"{prefix}value"),
        weight_of(fields.get("weight"), f"{prefix}weight"),
        rules.metadata(fields.get("metadata") or None, f"{prefix}metadata"),
    )


def value_of(value: object, param: str) -> int:
    """Raises `InvalidRequest`."""
    if not isinstance(value, int) or isinstance(value, bool) or not -LARGEST <= value <= LARGEST:
        raise InvalidRequest(f"`{param}` must be a whole number from -10 to 10.", param=param)
    return value


def weight_of(value: object, param: str) -> int:
    """Raises `InvalidRequest`."""
    if value is None:
        return WHOLE
    try:
        found = int(Decimal(str(value)) * WHOLE)
    except (InvalidOperation, OverflowError, ValueError):
        found = -1
    if not 0 <= found <= WHOLE:
        raise InvalidRequest(f"`{param}` must be a number from 0 to 1.", param=param)
    return found
