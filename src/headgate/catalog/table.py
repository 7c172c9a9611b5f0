"""The compiled table `data/prices.json`: its shape, and the objects the catalog serves from it.

`headgate prices build` writes it and people review it, so dates and hours are written as one reads them and every
model stands on one line. Rates are integers: nano-dollars per million units.
"""

from bisect import bisect_right
from collections.abc import Mapping
from datetime import date
from typing import Final

import msgspec

from headgate.catalog.model import ModelFacts
from headgate.catalog.price import Price, Rates

FORMAT: Final = 1
"""Raised when the shape changes; another format is refused."""

_NANOS_PER_DAY: Final = 86_400 * 1_000_000_000
_EPOCH: Final = date(1970, 1, 1).toordinal()


class _Entry(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    pass


class Source(_Entry, frozen=True):
    """Where the table's facts were read."""

    name: str
    version: str
    licence: str
    role: str


class Row(_Entry, frozen=True):
    """One price: from a date on, or, in `daily`, between two times of day (UTC)."""

    id: str
    rates: dict[str, int]
    tiers: tuple[tuple[int, dict[str, int]], ...] = ()
    since: str = ""
    """The date from which it applies; empty: always."""
    hours: tuple[str, str] | None = None
    """From `HH:MM` to before `HH:MM`, every day; over midnight where the first is the later."""


class Model(_Entry, frozen=True):
    """One model of a provider under its main id."""

    prices: tuple[Row, ...]
    """By date, ascending; the first applies always."""
    daily: tuple[Row, ...] = ()
    """What replaces the dated price for some hours of every day."""
    variants: dict[str, Row] = {}
    """Other terms of today's price: `priority`, `flex`, `batch`, `fast`."""
    aliases: tuple[str, ...] = ()
    dated: bool = False
    """Whether the source gives the same price to every dated snapshot of this model."""
    context: int | None = None
    output: int | None = None
    kind: str = "chat"
    can: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()
    """Meters with a price of their own that the pricing source does not have."""
    disputed: dict[str, int] = {}
    """Rates at which the second source differs."""


class Table(_Entry, frozen=True):
    """The whole file."""

    format: int
    as_of: str
    """The day on which the two sources were compared."""
    sources: tuple[Source, ...]
    providers: dict[str, dict[str, Model]]


class Timeline:
    """The prices of one model over time. Every answer is one of a few lasting objects."""

    __slots__ = ("_daily", "_prices", "_starts")

    def __init__(self, prices: tuple[Price, ...], daily: tuple[tuple[int, int, Price], ...] = ()) -> None:
        self._starts = [price.effective_from for price in prices]
        self._prices = prices
        self._daily = daily

    def at(self, at_ns: int) -> Price:
        """The price of a call that begins at this moment."""
        if self._daily:
            moment = at_ns % _NANOS_PER_DAY
            for start, end, price in self._daily:
                if start <= moment < end if start < end else moment >= start or moment < end:
                    return price
        if len(self._prices) == 1:
            return self._prices[0]
        return self._prices[max(0, bisect_right(self._starts, at_ns) - 1)]

    def all(self) -> tuple[Price, ...]:
        """Every price of the model, variants of the current one included."""
        standard = (*self._prices, *(price for _, _, price in self._daily))
        return (*standard, *self._prices[-1].variants.values())


def decode(raw: bytes) -> Table:
    """Raises `msgspec.ValidationError` or `ValueError` naming what is wrong."""
    table = msgspec.json.decode(raw, type=Table)
    if table.format != FORMAT:
        raise ValueError(f"`format` is {table.format}; this version of Headgate reads {FORMAT}")
    return table


def timeline(provider: str, name: str, model: Model, source: str) -> Timeline:
    """The model's rows as prices."""
    unknown = frozenset(model.unknown)

    def price(row: Row, variants: Mapping[str, Price]) -> Price:
        return Price(
            id=row.id,
            provider=provider,
            model=name,
            rates=Rates(row.rates, unknown),
            tiers=tuple((above, Rates(rates, unknown)) for above, rates in row.tiers),
            effective_from=start_ns(row.since),
            source=source,
            variants=variants,
            disputed=model.disputed,
        )

    variants = {name: price(row, {}) for name, row in model.variants.items()}
    *older, current = model.prices
    prices = (*(price(row, {}) for row in older), price(current, variants))
    return Timeline(prices, tuple((*_hours(row), price(row, {})) for row in model.daily))


def facts(provider: str, name: str, model: Model) -> ModelFacts:
    return ModelFacts(provider, name, model.context, model.output, model.kind, frozenset(model.can))


def start_ns(since: str) -> int:
    """Midnight UTC of the date; the epoch for an empty one. Raises `ValueError` for what is no date."""
    return (date.fromisoformat(since).toordinal() - _EPOCH) * _NANOS_PER_DAY if since else 0


def _hours(row: Row) -> tuple[int, int]:
    assert row.hours is not None, f"{row.id} is a daily price without hours"
    start, end = (_time_ns(text) for text in row.hours)
    return start, end


def _time_ns(text: str) -> int:
    hours, minutes = text.split(":")
    return (int(hours) * 60 + int(minutes)) * 60 * 1_000_000_000
