"""Admission: what becomes of a call that does not fit its limits, or whose cost cannot be bounded.

Organization, workspace and tenant each hold some of the rules; of each rule the one nearest to the caller counts.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from headgate.catalog.price import Price, Rates

Rules = Mapping[str, Any]
"""Those of `Admission`'s fields that one owner sets, as they are stored; a fallback price is its rates by meter."""

FIRST_HOLD: Final = 4_096


class Streams(StrEnum):
    """How much of a stream's output is held before it begins."""

    STRICT = "strict"
    """All that it may come to: it is never cut."""
    ADAPTIVE = "adaptive"
    """A first part. The hold grows while the stream runs; a stream whose hold cannot grow is ended."""


class Unpriced(StrEnum):
    """What becomes of a call with a cost that cannot be bounded, where a cost budget applies to it."""

    REFUSE = "refuse"
    ALLOW = "allow"
    """It passes, at what is known of its cost, and its usage record says so."""


@dataclass(frozen=True, slots=True)
class Admission:
    """The rules for one caller."""

    clamp_min_output: int | None = None
    """A call that does not fit gets a smaller output limit, down to so many tokens; None: never."""
    hold_wait_ms: int = 0
    """How long a call waits for others to give back what they hold."""
    streams: Streams = Streams.STRICT
    first_hold_tokens: int = FIRST_HOLD
    """The output an adaptive stream holds at first, and by which its hold grows."""
    unpriced: Unpriced | Price = Unpriced.REFUSE
    """A price: what a model without one of its own is billed at."""


BY_DEFAULT: Final = Admission()


def admission(*owners: Rules) -> Admission:
    """The rules of these owners taken together, the last one's counting most."""
    fields = {name: value for rules in owners for name, value in rules.items()}
    if "streams" in fields:
        fields["streams"] = Streams(fields["streams"])
    unpriced = fields.get("unpriced")
    if isinstance(unpriced, Mapping):
        fields["unpriced"] = fallback_price(unpriced)
    elif unpriced is not None:
        fields["unpriced"] = Unpriced(unpriced)
    return Admission(**fields)


FALLBACK: Final = "fallback"
"""The price id of calls that were billed at a fallback price; their records carry its rates."""


def fallback_price(rates: Mapping[str, int]) -> Price:
    """`rates` are nano-dollars per million units, by meter."""
    return Price(FALLBACK, provider="", model="", rates=Rates(dict(rates)), source="administrator")
