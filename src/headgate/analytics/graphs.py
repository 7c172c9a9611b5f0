"""The contract's graphs: for each its question, and its figures over some calls.

A graph is a summary over all its calls and the same figures for each point in time.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any, Final

from headgate.analytics import figures
from headgate.analytics.calls import Calls, Label, Measure, Sums
from headgate.analytics.figures import cents, merged, ratio

Found = Mapping[str, Sums]
"""By label."""
HIT: Final = "HIT"


@dataclass(frozen=True, slots=True)
class Graph:
    """`tell` says what a point's calls come to, `summarize` all of them; `narrow` leaves out those it is not about."""

    tell: Callable[[Found], dict[str, Any]]
    summarize: Callable[[Sequence[Found]], dict[str, Any]] | None = None
    """Where there is a shorter way than to tell of all points as if they were one."""
    by: str = ""
    measure: Measure = Measure.FIGURES
    narrow: Callable[[Calls], Calls] = lambda calls: calls

    def summary(self, points: Sequence[Found]) -> dict[str, Any]:
        return self.summarize(points) if self.summarize is not None else self.tell(_summed(points))


def _total(count: Callable[[Sums], Any]) -> Callable[[Found], dict[str, Any]]:
    def tell(found: Found) -> dict[str, Any]:
        sums = merged(found.values())
        total = count(sums)
        return {"total": total, "avg": ratio(total, sums.calls)}

    return tell


def _calls(found: Found) -> dict[str, Any]:
    return {"total": merged(found.values()).calls}


def _tokens(found: Found) -> dict[str, Any]:
    sums = merged(found.values())
    return {
        "total": sums.tokens,
        "avg": ratio(sums.tokens, sums.calls),
        "input": sums.input_tokens,
        "output": sums.output_tokens,
    }


def _users(found: Found) -> dict[str, Any]:
    return _all_users((found,))


def _all_users(points: Sequence[Found]) -> dict[str, Any]:
    return {"total": len(set().union(*points) - {""})}


def _requests_of_users(found: Found) -> dict[str, Any]:
    return _all_requests_of_users((found,))


def _all_requests_of_users(points: Sequence[Found]) -> dict[str, Any]:
    total = sum([sums.calls for found in points for label, sums in found.items() if label])
    return {"total": total, "avg": ratio(total, _all_users(points)["total"])}


def _is_error(status: str) -> bool:
    return int(status) >= 400


def _errors(found: Found) -> dict[str, Any]:
    return {"total": sum(sums.calls for status, sums in found.items() if _is_error(status))}


def _error_rate(found: Found) -> dict[str, Any]:
    errors, calls = _errors(found)["total"], merged(found.values()).calls
    return {"rate": ratio(Decimal(errors) * 100, calls)}


def _error_stacks(found: Found) -> dict[str, Any]:
    stats = [
        {"response_status_code": int(status), "count": sums.calls}
        for status, sums in sorted(found.items())
        if _is_error(status)
    ]
    return {"total": sum(each["count"] for each in stats), "stats": stats}


def _hit_rate(found: Found) -> dict[str, Any]:
    hits = found.get(HIT, Sums()).calls
    calls = merged(found.values()).calls
    return {"rate": ratio(Decimal(hits) * 100, calls), "hits": hits, "total": calls}


def _latencies(found: Found) -> dict[str, Any]:
    return figures.latencies(merged(found.values()))


GRAPHS: Final[Mapping[str, Graph]] = {
    "requests": Graph(_calls),
    "cost": Graph(_total(lambda sums: cents(sums.cost))),
    "tokens": Graph(_tokens),
    "latency": Graph(_latencies, measure=Measure.LATENCIES),
    "users": Graph(_users, _all_users, by=Label.USER, measure=Measure.CALLS),
    "users/requests": Graph(_requests_of_users, _all_requests_of_users, by=Label.USER, measure=Measure.CALLS),
    "errors": Graph(_errors, by=Label.STATUS, measure=Measure.CALLS),
    "errors/rate": Graph(_error_rate, by=Label.STATUS, measure=Measure.CALLS),
    "errors/stacks": Graph(_error_stacks, by=Label.STATUS, measure=Measure.CALLS),
    "errors/status-codes": Graph(_error_stacks, by=Label.STATUS, measure=Measure.CALLS),
    "requests/rescued": Graph(_calls, narrow=lambda calls: replace(calls, rescued=True, failed=False)),
    "cache/hit-rate": Graph(_hit_rate, by=Label.CACHE, measure=Measure.CALLS),
    "cache/latency": Graph(
        _latencies, measure=Measure.LATENCIES, narrow=lambda calls: replace(calls, cache_statuses=(HIT,))
    ),
}
"""By the end of their path."""


def _summed(points: Sequence[Found]) -> dict[str, Sums]:
    """All points together."""
    found: dict[str, Sums] = {}
    for point in points:
        for label, sums in point.items():
            found.setdefault(label, Sums()).add(sums)
    return found
