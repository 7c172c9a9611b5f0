"""A figure over time: drawn by a script, and a table where there is none."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from headgate.console.formats import at_iso

MOST_ROWS: Final = 100
"""Of the table: those that are not nothing, the latest."""


@dataclass(frozen=True, slots=True)
class Chart:
    """`data`: what the script draws, as JSON. `rows`: moment and figure, the latest first."""

    title: str
    unit: str
    data: str
    rows: Sequence[tuple[str, str]]


def chart_of(
    title: str, graph: Mapping[str, Any], figure: Callable[[Mapping[str, Any]], Decimal | int], unit: str, zone: str
) -> Chart:
    """From an answer of `analytics.usage`."""
    points = graph["data_points"]
    figures = [figure(each) for each in points]
    seconds = [int(datetime.fromisoformat(each["timestamp"]).timestamp()) for each in points]
    drawn = {"at": seconds, "figures": [str(each) for each in figures], "unit": unit, "title": title, "zone": zone}
    told = [
        (at_iso(each["timestamp"], zone), f"{unit}{found:,}")
        for each, found in zip(points, figures, strict=True)
        if found
    ]
    return Chart(title, unit, json.dumps(drawn), told[::-1][:MOST_ROWS])
