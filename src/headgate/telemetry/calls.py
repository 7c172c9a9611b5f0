"""Calls as they are counted: by endpoint, kind of provider, model, status and outcome; never by whose they are."""

from bisect import bisect_left
from typing import Final

from headgate.base.clock import NANOS_PER_SECOND, Clock
from headgate.dataplane.call import Call
from headgate.dataplane.exchange import Exchange

DURATION_S: Final = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 600.0)
"""Upper bounds of the histograms, in seconds; the last bucket is open."""
_BOUNDS: Final = tuple(round(bound * NANOS_PER_SECOND) for bound in DURATION_S)
MOST_SERIES: Final = 1000
"""Sets of labels in memory. Beyond them a model is counted as `other`: a caller cannot make the page grow."""
OTHER: Final = "other"
REFUSED: Final = "refused"
"""The outcome of a call that reached no provider."""


class Histogram:
    """Nanoseconds in buckets by upper bound, as Prometheus wants them, but not yet cumulative."""

    __slots__ = ("buckets", "total")

    def __init__(self) -> None:
        self.buckets = [0] * (len(_BOUNDS) + 1)
        self.total = 0

    def add(self, nanos: int) -> None:
        self.buckets[bisect_left(_BOUNDS, nanos)] += 1
        self.total += nanos


class Series:
    """All calls with the same labels. Money is nano-dollars."""

    __slots__ = ("calls", "cost", "duration", "first_byte", "input_tokens", "output_tokens")

    def __init__(self) -> None:
        self.calls = 0
        self.input_tokens = 0
        self.output_tokens = 0
        self.cost = 0
        self.duration = Histogram()
        self.first_byte = Histogram()


Labels = tuple[str, str, str, str, str]
"""Endpoint, kind of provider, model, status, outcome. Provider and model are empty where a call reached none."""


class CallCounts:
    """Implements `dataplane.app.Observer`. Read by the page of metrics, on the same loop."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.series: dict[Labels, Series] = {}
        self.refusals: dict[tuple[str, str, str], int] = {}
        """By endpoint, status and code."""

    def ended(self, exchange: Exchange, call: Call) -> None:
        """Count one call, once, when it is over."""
        record = call.record
        if record is None:
            self._refused(call)
            return
        series = self._series((call.endpoint.path, record.provider_kind, record.model, str(call.status), call.outcome))
        series.calls += 1
        series.cost += record.cost
        amounts = call.settled
        if amounts is not None:
            series.input_tokens += amounts.input_tokens
            series.output_tokens += amounts.output_tokens
        series.duration.add(record.ended_after)
        if record.first_byte_after is not None:
            series.first_byte.add(record.first_byte_after)

    def _refused(self, call: Call) -> None:
        status = str(call.status or 200)
        series = self._series((call.endpoint.path, "", "", status, REFUSED if call.error else call.outcome))
        series.calls += 1
        series.duration.add(self._clock.monotonic() - call.started)
        if call.error:
            name = (call.endpoint.path, status, call.error)
            self.refusals[name] = self.refusals.get(name, 0) + 1

    def _series(self, labels: Labels) -> Series:
        found = self.series.get(labels)
        if found is None:
            if len(self.series) >= MOST_SERIES:
                labels = (*labels[:2], OTHER if labels[2] else "", *labels[3:])
            found = self.series.setdefault(labels, Series())
        return found
