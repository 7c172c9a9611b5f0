"""Figures of calls: any measure, by anything they have in common, as a graph, a table and CSV."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from starlette.responses import Response

from headgate.analytics.breakdown import LABELS, MEASURES, Breakdown, Row
from headgate.analytics.calls import METADATA, Sums
from headgate.analytics.export_lines import csv_lines
from headgate.analytics.figures import cents, milliseconds, ratio
from headgate.base.errors import HeadgateError, InvalidRequest, NotFound
from headgate.console.call_filters import CHOICES, FILTERS, asked_by, calls_with, typed_filters
from headgate.console.chart import chart
from headgate.console.pager import Pager
from headgate.console.time_range import typed
from headgate.console.visit import Visit
from headgate.ledger.record import Outcome
from headgate.tenancy.moments import to_iso
from headgate.tenancy.stores import Page

MOST_LINES: Final = 100_000
"""Of a CSV file."""
MEASURE_WORDS: Final = {
    "requests": "Requests",
    "cost": "Spend",
    "tokens": "Tokens",
    "input_tokens": "Input tokens",
    "output_tokens": "Output tokens",
    "errors": "Errors",
    "error_rate": "Error rate",
    "latency": "Mean latency",
    **{f"latency_p{each}": f"Latency, p{each}" for each in (50, 90, 99)},
    **{f"first_byte_p{each}": f"First token, p{each}" for each in (50, 90, 99)},
}
BY_WORDS: Final = {"": "time", "api_key": "key", "status_code": "status", "cache_status": "cache status"}
COLUMNS: Final = ("requests", "errors", "input_tokens", "output_tokens", "cost_usd", "mean_latency_ms")


@dataclass(frozen=True, slots=True)
class Line:
    """One of the table. `query`: the address of its calls; None: no filter finds them."""

    name: str
    label: str
    sums: Sums
    query: dict[str, str] | None


async def show(visit: Visit) -> Response:
    """The graph, and the table with the rows behind each figure; or what was wrong with what was asked for, and that as
    it was typed."""
    pager = Pager.of(visit.query)
    try:
        found = await _found(visit, pager.page)
    except (InvalidRequest, NotFound) as error:
        return _page(visit.forgiving(), status=error.status, error=error)
    return _page(visit, **_drawn(visit, found, pager))


def _page(visit: Visit, *, status: int = 200, error: HeadgateError | None = None, **drawn: Any) -> Response:
    filters, (measure, by, key) = typed_filters(visit), _asked(visit)
    return visit.page(
        "analytics.html",
        status=status,
        error=error,
        measure=measure,
        by=by,
        key=key,
        measures=MEASURE_WORDS,
        labels=["", *map(str, LABELS), "metadata"],
        by_words=BY_WORDS,
        filters=FILTERS,
        typed=filters,
        choices={**CHOICES, "outcome": {"": "any", **{each: each for each in Outcome}}},
        extra={**{name: text for name, text in filters.items() if text}, **_view(measure, by, key)},
        **drawn,
    )


def _drawn(visit: Visit, found: Breakdown, pager: Pager) -> dict[str, Any]:
    measure, by, key = _asked(visit)
    shown = MEASURES[measure]
    series = {name: [Decimal(each) / 100 for each in figures] for name, figures in found.series.items()}
    drawn = series if shown.unit == "$" else found.series
    names = {measure: MEASURE_WORDS[measure]}
    return {
        "figure": shown.figure,
        "unit": shown.unit,
        "chart": chart(
            MEASURE_WORDS[measure],
            found.points.starts,
            {names.get(name, name): figures for name, figures in drawn.items()},
            shown.unit,
            visit.time.zone,
        ),
        "whole": found.whole,
        "lines": list(_lines(visit, found, _label(by, key))),
        "pager": pager.over(found.total),
    }


async def table(visit: Visit) -> Response:
    """All rows of the table as CSV, whatever page one looks at."""
    _, by, key = _asked(visit)
    found = await _found(visit, Page(limit=MOST_LINES))
    label = _label(by, key) or "from"
    head = [label, *(["name"] if found.total else []), *COLUMNS]
    if by:
        rows = [[row.label, row.name, *_cells(row.sums)] for row in found.rows]
    else:
        rows = [[to_iso(at), *_cells(sums)] for at, sums in zip(found.points.starts, found.each, strict=True)]
    headers = {"content-disposition": 'attachment; filename="analytics.csv"'}
    return Response(csv_lines([head, *rows]), media_type="text/csv", headers=headers)


def _asked(visit: Visit) -> tuple[str, str, str]:
    """Measure, by what, and the metadata's name."""
    by = visit.query.get("by", "").strip()
    return visit.query.get("measure") or "requests", by, visit.query.get("key", "").strip() if by == "metadata" else ""


def _label(by: str, key: str) -> str:
    return f"{METADATA}{key}" if by == "metadata" else by


def _view(measure: str, by: str, key: str) -> dict[str, str]:
    return {name: text for name, text in (("measure", measure), ("by", by), ("key", key)) if text}


async def _found(visit: Visit, page: Page) -> Breakdown:
    measure, by, key = _asked(visit)
    asked = {**asked_by(typed_filters(visit)), **visit.time.asked()}
    return await visit.services.analytics.breakdowns.of(visit.principal, asked, measure, _label(by, key), page)


def _lines(visit: Visit, found: Breakdown, label: str) -> Iterator[Line]:
    filters = typed_filters(visit)
    if label:
        for row in found.rows:
            yield Line(row.name or row.label or "none", _told(row), row.sums, calls_with(label, row.label, filters))
        return
    same, time = {name: text for name, text in filters.items() if text}, visit.time
    starts = found.points.starts
    ends = [*(typed(at, time.zone) for at in starts[1:]), time.end]  # the last has one only where one was chosen
    for at, end, sums in reversed([*zip(starts, ends, found.each, strict=True)]):
        if sums.calls:
            between = {"from": typed(max(at, time.since), time.zone), **({"to": end} if end else {})}
            yield Line(typed(at, time.zone).replace("T", " "), "", sums, same | between)


def _told(row: Row) -> str:
    """What is said beside the name."""
    return row.label if row.name else ""


def _cells(sums: Sums) -> Sequence[object]:
    mean = ratio(milliseconds(sums.took), sums.calls, 3)
    return (sums.requests, sums.errors, sums.input_tokens, sums.output_tokens, cents(sums.cost) / 100, mean)
