"""Figures over time: drawn by a script, and a table where there is none."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from headgate.base.clock import NANOS_PER_SECOND
from headgate.console.formats import at, measured

MOST_ROWS: Final = 100
"""Of the table: those that are not nothing, the latest."""
Figures = Sequence[Decimal | int]


@dataclass(frozen=True, slots=True)
class Chart:
    """`data`: what the script draws, as JSON. `rows`: a moment and the figures of `names`, the latest first."""

    title: str
    names: Sequence[str]
    data: str
    rows: Sequence[tuple[str, Sequence[str]]]


def chart(title: str, starts: Sequence[int], series: Mapping[str, Figures], unit: str, zone: str) -> Chart:
    """`starts` are nanoseconds; `unit` is `$`, `ms`, `%`, or empty for a count. Each of the series has a figure for
    each start."""
    drawn = {
        "at": [start // NANOS_PER_SECOND for start in starts],
        "series": [{"name": name, "figures": [str(each) for each in figures]} for name, figures in series.items()],
        "unit": unit,
        "zone": zone,
    }
    rows = [
        (at(start, zone), [measured(each, unit) for each in figures])
        for start, *figures in zip(starts, *series.values(), strict=True)
        if any(figures)
    ]
    return Chart(title, list(series), json.dumps(drawn), rows[::-1][:MOST_ROWS])


def chart_of(
    title: str, graph: Mapping[str, Any], figure: Callable[[Mapping[str, Any]], Decimal | int], unit: str, zone: str
) -> Chart:
    """From an answer of `analytics.usage`."""
    points = graph["data_points"]
    seconds = [int(datetime.fromisoformat(each["timestamp"]).timestamp()) for each in points]
    figures = [figure(each) for each in points]
    return chart(title, [second * NANOS_PER_SECOND for second in seconds], {title: figures}, unit, zone)
