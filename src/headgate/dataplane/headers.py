"""The headers of an answer: ours on all of them, the provider's by allow-list."""

from collections.abc import Iterable
from functools import lru_cache
from typing import Final

from headgate.base.header_lines import header_pairs
from headgate.base.money import usd
from headgate.catalog.provider import ProviderSpec, matches
from headgate.dataplane.call import Call

Header = tuple[bytes, bytes]

ALWAYS = frozenset({b"retry-after", b"retry-after-ms"})
"""What any provider may tell the client; beyond that, its catalog file says."""

JSON: Header = (b"content-type", b"application/json")


def kind_of(headers: Iterable[Header]) -> Header:
    """The content type that a provider gives its answer, for answers that need not be JSON."""
    found = next((value for name, value in headers if name == b"content-type"), b"application/octet-stream")
    return b"content-type", found


STREAM_HEADERS: tuple[Header, ...] = (
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-cache, no-transform"),
    (b"x-accel-buffering", b"no"),  # nginx would hold the events back
)


def call_headers(call: Call, source: bytes) -> list[Header]:
    """On every answer."""
    return [*header_pairs(call_lines(call, source)), *told_headers(call)]


def call_lines(call: Call, source: bytes) -> bytes:
    """On every answer, as lines: both ids are visible ASCII. The trace id also keeps the Portkey SDK from sending a
    failed call twice (contract 2.1)."""
    return _IDS % (call.trace_id.encode(), call.request_id.encode(), source)


_IDS: Final = b"x-portkey-trace-id: %b\r\nx-headgate-request-id: %b\r\nx-headgate-source: %b\r\n"


def told_headers(call: Call) -> list[Header]:
    """The others that are on every answer: names that somebody else chose are among them."""
    headers = list(call.told)
    if call.tenant:
        headers.append((b"x-headgate-tenant", call.tenant))
    if call.guardrails_told:
        headers.append((b"x-headgate-guardrails-failed", ", ".join(call.guardrails_told).encode()))
    return headers


def provider_headers(spec: ProviderSpec, headers: Iterable[Header]) -> list[Header]:
    """Those the client may see."""
    relays = spec.relay_headers
    return [header for header in headers if _may_pass(header[0], relays)]


@lru_cache(maxsize=4_096)
def _may_pass(name: bytes, relays: tuple[str, ...]) -> bool:
    """Kept: providers send the same names with every answer."""
    return name in ALWAYS or matches(name.decode("latin-1"), relays)


def cost_line(nanos: int) -> bytes:
    return b"x-headgate-cost-usd: %b\r\n" % usd(nanos).encode()
