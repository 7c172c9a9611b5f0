"""The headers of an answer: ours on all of them, the provider's by allow-list."""

from collections.abc import Iterable

from headgate.base.money import usd
from headgate.dataplane.call import Call

Header = tuple[bytes, bytes]

PASSED_ON = frozenset(
    {b"request-id", b"x-request-id", b"openai-processing-ms", b"openai-version", b"retry-after", b"retry-after-ms"}
)
"""What a client may see of a provider's headers. Its rate-limit headers are left out: they tell of the platform's
whole account, and so of other tenants."""

STREAM_HEADERS: tuple[Header, ...] = (
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-cache, no-transform"),
    (b"x-accel-buffering", b"no"),  # nginx would hold the events back
)


def call_headers(call: Call, source: bytes) -> list[Header]:
    """On every answer. The trace id also keeps the Portkey SDK from sending a failed call twice (contract 2.1)."""
    headers = [
        (b"x-portkey-trace-id", call.trace_id.encode()),
        (b"x-headgate-request-id", call.request_id.encode()),
        (b"x-headgate-source", source),
    ]
    if call.plan is not None:
        target = call.plan.first
        headers.append((b"x-headgate-model", target.model.encode()))
        headers.append((b"x-portkey-provider", target.provider.kind.encode()))
    return headers


def provider_headers(headers: Iterable[Header]) -> list[Header]:
    return [(name, value) for name, value in headers if name in PASSED_ON]


def cost_header(nanos: int) -> Header:
    return b"x-headgate-cost-usd", usd(nanos).encode()
