"""The workers of one machine show one page."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from prometheus_client.parser import text_string_to_metric_families

from headgate.base.clock import SystemClock
from headgate.telemetry.calls import CallCounts
from headgate.telemetry.exposition import Exposition, Gauge
from headgate.telemetry.neighbours import Neighbours, merged, page_sockets
from headgate.telemetry.page import MetricsPage

SECRET = b"s" * 32


def page(live: int) -> MetricsPage:
    async def refresh() -> None: ...

    gauges = [
        Gauge("headgate_calls_live", "Calls under way.", lambda: live),
        Gauge("headgate_capacity_waiting", "Waiting.", lambda: {"a {strange} name": live}, label="provider"),
    ]
    return MetricsPage(Exposition(CallCounts(SystemClock()), gauges), None, refresh)


@asynccontextmanager
async def workers(*live: int) -> AsyncIterator[list[tuple[MetricsPage, Neighbours]]]:
    """Each with so many calls under way; one with none has not begun."""
    sockets = page_sockets(len(live))
    made = [(page(calls), Neighbours(number, sockets, SECRET)) for number, calls in enumerate(live, 1)]
    for (metrics, neighbours), calls in zip(made, live, strict=True):
        if calls:
            await neighbours.serve(metrics)
    try:
        yield made
    finally:
        for _, neighbours in made:
            await neighbours.close()
        for each in sockets:
            each.close()


def figures(text: bytes, name: str) -> dict[str, float]:
    """By worker, as Prometheus itself reads them."""
    families = {each.name: each for each in text_string_to_metric_families(text.decode())}
    return {sample.labels["worker"]: sample.value for sample in families[name].samples}


async def test_whoever_is_asked_shows_all() -> None:
    """Each family once, its help and type before its figures, and the number of the worker on each of these."""
    async with workers(3, 4, 5) as made:
        for metrics, _ in made:
            assert metrics.gather is not None
            text = await metrics.gather(metrics.own())
            assert figures(text, "headgate_calls_live") == {"1": 3, "2": 4, "3": 5}
            assert figures(text, "headgate_capacity_waiting") == {"1": 3, "2": 4, "3": 5}
            assert figures(text, "headgate_worker_up") == {"1": 1, "2": 1, "3": 1}
            assert text.count(b"# TYPE headgate_calls_live gauge") == 1


async def test_one_that_is_not_there_is_missing_and_said_to_be() -> None:
    """Nobody waits for it for long."""
    async with workers(3, 0) as made:
        metrics, _ = made[0]
        assert metrics.gather is not None
        async with asyncio.timeout(10):
            text = await metrics.gather(metrics.own())
        assert figures(text, "headgate_calls_live") == {"1": 3}
        assert figures(text, "headgate_worker_up") == {"1": 1, "2": 0}


async def test_who_does_not_know_the_secret_hears_nothing() -> None:
    """Others on this machine may find the socket."""
    async with workers(3) as made:
        host, port = made[0][1].address
        reader, writer = await asyncio.open_connection(host, port)
        writer.write(b"x" * len(SECRET))
        assert await reader.read() == b""
        writer.close()


def test_a_page_of_one_is_labelled_too() -> None:
    """Figures with labels and without, and the values of labels as they are."""
    found = merged({7: b'# HELP a A.\n# TYPE a gauge\na 1.0\na{b="c d{e}"} 2.0\n'})
    assert found.splitlines()[:4] == [
        b"# HELP a A.",
        b"# TYPE a gauge",
        b'a{worker="7"} 1.0',
        b'a{worker="7",b="c d{e}"} 2.0',
    ]
