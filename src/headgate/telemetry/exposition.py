"""The figures of a running gateway in Prometheus' words."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import accumulate
from typing import Final

from prometheus_client import CollectorRegistry, GCCollector, PlatformCollector, ProcessCollector
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.registry import Collector

from headgate.base.clock import NANOS_PER_SECOND
from headgate.base.money import NANOS_PER_USD
from headgate.telemetry.calls import DURATION_S, CallCounts, Histogram, Series

CALL: Final = ("endpoint", "provider", "model", "status", "outcome")
MODEL: Final = ("provider", "model")
CONTENT_TYPE: Final = CONTENT_TYPE_LATEST


@dataclass(frozen=True, slots=True)
class Gauge:
    """A figure that is read when the page is asked for: a number, or one for each value of `label`."""

    name: str
    doc: str
    read: Callable[[], float | Mapping[str, float]]
    label: str = ""
    counts: bool = False
    """It only ever goes up, so it is told as a counter."""


class Exposition(Collector):
    """One per process; `page` is the whole text."""

    def __init__(self, calls: CallCounts, gauges: Iterable[Gauge]) -> None:
        self._calls = calls
        self._gauges = tuple(gauges)
        self._registry = CollectorRegistry(auto_describe=False)
        self._registry.register(self)
        for process in (ProcessCollector, PlatformCollector, GCCollector):
            process(registry=self._registry)

    def page(self) -> bytes:
        return generate_latest(self._registry)

    def collect(self) -> Iterator[Metric]:
        yield from self._of_calls()
        yield from self._of_models()
        refused = CounterMetricFamily(
            "headgate_refusals", "Calls the gateway itself refused.", labels=("endpoint", "status", "code")
        )
        for labels, count in self._calls.refusals.items():
            refused.add_metric(labels, count)
        yield refused
        for gauge in self._gauges:
            yield _gauge(gauge)

    def _of_calls(self) -> Iterator[Metric]:
        calls = CounterMetricFamily("headgate_calls", "Calls that are over.", labels=CALL)
        duration = HistogramMetricFamily(
            "headgate_call_duration_seconds", "From a call's arrival to its end.", labels=CALL
        )
        first_byte = HistogramMetricFamily(
            "headgate_first_byte_seconds", "From a call's arrival to the first byte of a stream.", labels=CALL
        )
        for labels, series in self._calls.series.items():
            calls.add_metric(labels, series.calls)
            duration.add_metric(labels, *_histogram(series.duration))
            if any(series.first_byte.buckets):
                first_byte.add_metric(labels, *_histogram(series.first_byte))
        yield from (calls, duration, first_byte)

    def _of_models(self) -> Iterator[Metric]:
        tokens = CounterMetricFamily("headgate_tokens", "Tokens that were settled.", labels=(*MODEL, "direction"))
        cost = CounterMetricFamily("headgate_cost_usd", "US dollars that were settled.", labels=MODEL)
        for (provider, model), (sent, received, nanos) in _by_model(self._calls.series).items():
            tokens.add_metric((provider, model, "input"), sent)
            tokens.add_metric((provider, model, "output"), received)
            cost.add_metric((provider, model), nanos / NANOS_PER_USD)
        yield from (tokens, cost)


def _by_model(series: Mapping[tuple[str, str, str, str, str], Series]) -> dict[tuple[str, str], list[int]]:
    found: dict[tuple[str, str], list[int]] = {}
    for (_, provider, model, _, _), of in series.items():
        if provider:
            sums = found.setdefault((provider, model), [0, 0, 0])
            sums[0] += of.input_tokens
            sums[1] += of.output_tokens
            sums[2] += of.cost
    return found


def _histogram(of: Histogram) -> tuple[list[tuple[str, float]], float]:
    bounds = [*map(str, DURATION_S), "+Inf"]
    return list(zip(bounds, accumulate(of.buckets), strict=True)), of.total / NANOS_PER_SECOND


def _gauge(gauge: Gauge) -> Metric:
    kind = CounterMetricFamily if gauge.counts else GaugeMetricFamily
    family = kind(gauge.name, gauge.doc, labels=(gauge.label,) if gauge.label else ())
    figures = gauge.read()
    for value, figure in figures.items() if isinstance(figures, Mapping) else [("", figures)]:
        family.add_metric((value,) if gauge.label else (), figure)
    return family
