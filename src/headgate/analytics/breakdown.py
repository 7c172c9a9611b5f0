"""One figure of calls, by what they have in common: a row for each label, and the largest of them over time."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any, Final

from headgate.analytics import latency
from headgate.analytics.asked import metadata_name
from headgate.analytics.calls import METADATA, Calls, Label, Sums
from headgate.analytics.figures import cents, merged, milliseconds, ratio
from headgate.analytics.points import Points, points_of
from headgate.analytics.stores import UsageReader
from headgate.analytics.usage import Asked, UsageService
from headgate.base.errors import InvalidRequest
from headgate.tenancy.principal import Principal
from headgate.tenancy.stores import Page

MOST_DRAWN: Final = 5
"""Labels that are drawn over time."""
Figure = Decimal | int


@dataclass(frozen=True, slots=True)
class Measure:
    """`figure` is in cents, milliseconds or percent, as `unit` says: `$`, `ms`, `%`, or empty for a count."""

    unit: str
    figure: Callable[[Sums], Figure]
    latencies: bool = False


def _percentile(name: str, percent: int) -> Measure:
    def figure(sums: Sums) -> Decimal:
        return milliseconds(latency.percentile(latency.read(getattr(sums, name)), percent))

    return Measure("ms", figure, latencies=True)


MEASURES: Final[Mapping[str, Measure]] = {
    "requests": Measure("", lambda sums: sums.requests),
    "cost": Measure("$", lambda sums: cents(sums.cost)),
    "tokens": Measure("", lambda sums: sums.tokens),
    "input_tokens": Measure("", lambda sums: sums.input_tokens),
    "output_tokens": Measure("", lambda sums: sums.output_tokens),
    "errors": Measure("", lambda sums: sums.errors),
    "error_rate": Measure("%", lambda sums: ratio(Decimal(sums.errors) * 100, sums.requests, 2)),
    "latency": Measure("ms", lambda sums: ratio(milliseconds(sums.took), sums.calls, 3)),
    **{f"latency_p{percent}": _percentile("latencies", percent) for percent in (50, 90, 99)},
    **{f"first_byte_p{percent}": _percentile("first_bytes", percent) for percent in (50, 90, 99)},
}
_FIELDS: Final[Mapping[str, str]] = {
    Label.WORKSPACE: "workspaces",
    Label.TENANT: "tenants",
    Label.API_KEY: "keys",
    Label.USER: "users",
    Label.MODEL: "models",
    Label.PROVIDER: "providers",
    Label.STATUS: "statuses",
    Label.OUTCOME: "outcomes",
    Label.CACHE: "cache_statuses",
    Label.CONFIG: "configs",
    Label.PROMPT: "prompts",
}
"""By what calls are broken down, and the field of `Calls` that leaves those of some labels. Beside these, metadata."""
LABELS: Final = tuple(_FIELDS)


@dataclass(frozen=True, slots=True)
class Row:
    """`label` is empty for the calls that have none; `name` is what people call it, where that is something else."""

    label: str
    sums: Sums
    name: str = ""


@dataclass(frozen=True, slots=True)
class Breakdown:
    """`rows` are a page of `total`, the largest first. `series` are figures of `points`, by name."""

    whole: Sums
    rows: Sequence[Row]
    total: int
    points: Points
    each: Sequence[Sums]
    """What all calls come to, for each point; empty where they are broken down."""
    series: Mapping[str, Sequence[Figure]]


def measure_of(name: str) -> Measure:
    """Raises `InvalidRequest`."""
    if name not in MEASURES:
        raise InvalidRequest(f"`measure` must be one of {', '.join(MEASURES)}.", param="measure")
    return MEASURES[name]


class Breakdowns:
    """Who sees what is `UsageService`'s to say."""

    def __init__(self, usage: UsageService, reader: UsageReader) -> None:
        self._usage = usage
        self._reader = reader

    async def of(self, principal: Principal, asked: Asked, measure: str, by: str, page: Page) -> Breakdown:
        """`by`: one of `LABELS`, `metadata.` and a name, or empty: nothing but the time. Raises `InvalidRequest`."""
        wanted = measure_of(measure)
        if by.startswith(METADATA):
            metadata_name(by.removeprefix(METADATA))
        elif by and by not in LABELS:
            raise InvalidRequest(f"`by` must be one of {', '.join(LABELS)}, or metadata.NAME.", param="by")
        calls, time_zone = await self._usage.calls_of(principal, asked)
        points = points_of(calls.since, calls.until, time_zone)
        if not by:
            sums = await self._reader.over_time(calls, points, latencies=wanted.latencies)
            return Breakdown(merged(sums), (), 0, points, sums, {measure: [wanted.figure(each) for each in sums]})
        found = await self._reader.grouped(calls, by, latencies=wanted.latencies)
        rows = sorted(found, key=lambda label: (wanted.figure(found[label]), label), reverse=True)
        shown = rows[page.offset : page.offset + page.limit]
        drawn = [label for label in rows if label][:MOST_DRAWN]
        names = await self._usage.names_of(principal, by, [*{*shown, *drawn}])
        named = {label: str(its.get("name", "")) for label, its in names.items()}
        return Breakdown(
            whole=merged(found.values()),
            rows=[Row(label, found[label], named.get(label, "")) for label in shown],
            total=len(rows),
            points=points,
            each=(),
            series=await self._drawn(calls, points, by, {label: named.get(label) or label for label in drawn}, wanted),
        )

    async def _drawn(
        self, calls: Calls, points: Points, by: str, names: Mapping[str, str], measure: Measure
    ) -> dict[str, list[Figure]]:
        """For each of the labels its figures, by its name; where two have the same, by their labels."""
        if not names:
            return {}
        found = await self._reader.series(_only(calls, by, list(names)), points, by, latencies=measure.latencies)
        unlike = len(set(names.values())) == len(names)
        return {
            name if unlike else label: [measure.figure(at.get(label, Sums())) for at in found]
            for label, name in names.items()
        }


def _only(calls: Calls, by: str, labels: Sequence[str]) -> Calls:
    """Those with one of these labels, which are all among `calls`."""
    if by.startswith(METADATA):
        return replace(calls, tagged=(by.removeprefix(METADATA), tuple(labels)))
    values = tuple(map(int, labels)) if by == Label.STATUS else tuple(labels)
    field_of: dict[str, Any] = {_FIELDS[by]: values}
    return replace(calls, **field_of)
