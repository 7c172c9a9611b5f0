"""The contract's graphs: for each its question, and its figures over some calls.

A graph is a summary over all its calls and the same figures for each point in time.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any, Final

from headgate.analytics.calls import Calls, Label, Sums
from headgate.analytics.figures import cents, first_bytes, latencies, merged, ratio
from headgate.analytics.points import Points
from headgate.analytics.stores import UsageReader

Told = dict[str, Any]
Counts = Mapping[str, int]
"""Requests by label."""
LEAST_ERROR: Final = 400
HIT: Final = "HIT"


@dataclass(frozen=True, slots=True)
class SumGraph:
    """What the calls come to. `narrow` leaves out those that it is not about."""

    tell: Callable[[Sums], Told]
    latencies: bool = False
    narrow: Callable[[Calls], Calls] = lambda calls: calls

    async def read(self, reader: UsageReader, calls: Calls, points: Points) -> tuple[Told, Sequence[Told]]:
        """Summary and points."""
        found = await reader.over_time(self.narrow(calls), points, latencies=self.latencies)
        return self.tell(merged(found)), [self.tell(sums) for sums in found]


@dataclass(frozen=True, slots=True)
class CountGraph:
    """How many requests there were of each label. `tell` gets some points: one of them, or all for the summary."""

    tell: Callable[[Sequence[Counts]], Told]
    by: str

    async def read(self, reader: UsageReader, calls: Calls, points: Points) -> tuple[Told, Sequence[Told]]:
        """Summary and points."""
        found = await reader.counted(calls, points, self.by)
        return self.tell(found), [self.tell((counts,)) for counts in found]


def _calls(sums: Sums) -> Told:
    return {"total": sums.requests}


def _cost(sums: Sums) -> Told:
    total = cents(sums.cost)
    return {"total": total, "avg": ratio(total, sums.requests)}


def _tokens(sums: Sums) -> Told:
    return {
        "total": sums.tokens,
        "avg": ratio(sums.tokens, sums.requests),
        "input": sums.input_tokens,
        "output": sums.output_tokens,
    }


def _users(points: Sequence[Counts]) -> Told:
    return {"total": len(set().union(*points) - {""})}


def _requests_of_users(points: Sequence[Counts]) -> Told:
    total = sum([sum(counts.values()) - counts.get("", 0) for counts in points])
    return {"total": total, "avg": ratio(total, _users(points)["total"])}


def _together(points: Sequence[Counts]) -> Counter[str]:
    found: Counter[str] = Counter()
    for counts in points:
        found.update(counts)
    return found


def _error_stacks(points: Sequence[Counts]) -> Told:
    stats = [
        {"response_status_code": int(status), "count": count}
        for status, count in sorted(_together(points).items())
        if count and int(status) >= LEAST_ERROR
    ]
    return {"total": sum([each["count"] for each in stats]), "stats": stats}


def _errors(points: Sequence[Counts]) -> Told:
    return {"total": _error_stacks(points)["total"]}


def _error_rate(points: Sequence[Counts]) -> Told:
    return {"rate": ratio(Decimal(_errors(points)["total"]) * 100, _together(points).total())}


def _hit_rate(points: Sequence[Counts]) -> Told:
    counts = _together(points)
    return {"rate": ratio(Decimal(counts[HIT]) * 100, counts.total()), "hits": counts[HIT], "total": counts.total()}


GRAPHS: Final[Mapping[str, SumGraph | CountGraph]] = {
    "requests": SumGraph(_calls),
    "cost": SumGraph(_cost),
    "tokens": SumGraph(_tokens),
    "latency": SumGraph(latencies, latencies=True),
    "latency/first-byte": SumGraph(first_bytes, latencies=True),
    "users": CountGraph(_users, Label.USER),
    "users/requests": CountGraph(_requests_of_users, Label.USER),
    "errors": CountGraph(_errors, Label.STATUS),
    "errors/rate": CountGraph(_error_rate, Label.STATUS),
    "errors/stacks": CountGraph(_error_stacks, Label.STATUS),
    "errors/status-codes": CountGraph(_error_stacks, Label.STATUS),
    "requests/rescued": SumGraph(_calls, narrow=lambda calls: replace(calls, rescued=True, failed=False)),
    "cache/hit-rate": CountGraph(_hit_rate, Label.CACHE),
    "cache/latency": SumGraph(latencies, latencies=True, narrow=lambda calls: replace(calls, cache_statuses=(HIT,))),
}
"""By the end of their path."""

TOGETHER: Final[Mapping[str, Callable[[Sums], Told]]] = {
    "cost": _cost,
    "requests": _calls,
    "tokens": _tokens,
    "latency": latencies,
    "first-byte": first_bytes,
}
"""Graphs that come of the same sums."""
