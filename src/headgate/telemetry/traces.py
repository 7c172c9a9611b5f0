"""Calls as OpenTelemetry spans, in the words of the conventions for generative AI. The `otel` extra brings the library.

One span a call, made when the call is over: nothing waits for it, and a collector that is away loses spans, not calls.
No prompt and no answer is ever in one.
"""

from collections.abc import Mapping
from typing import Final

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import SpanKind, Status, StatusCode
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from headgate.base.clock import Clock
from headgate.base.money import NANOS_PER_USD
from headgate.dataplane.call import Call
from headgate.dataplane.exchange import Exchange

OPERATIONS: Final = {
    "/v1/chat/completions": "chat",
    "/v1/messages": "chat",
    "/v1/responses": "chat",
    "/v1/completions": "text_completion",
    "/v1/embeddings": "embeddings",
}
"""`gen_ai.operation.name`; other endpoints make no span."""
PROVIDERS: Final = {
    "google": "gcp.gemini",
    "azure-openai": "azure.ai.openai",
    "mistral-ai": "mistral_ai",
    "x-ai": "x_ai",
}
"""`gen_ai.provider.name`, where the conventions have a name of their own."""
SERVER_ERRORS: Final = 500

Attribute = str | int | float | bool


class Traces:
    """Implements `dataplane.app.Observer`. `endpoint` is a collector's base URL (OTLP over HTTP, `/v1/traces`)."""

    def __init__(self, endpoint: str, clock: Clock) -> None:
        self._clock = clock
        self._provider = TracerProvider(resource=Resource.create({"service.name": "headgate"}))
        exporter = OTLPSpanExporter(endpoint=f"{endpoint.rstrip('/')}/v1/traces")
        self._provider.add_span_processor(BatchSpanProcessor(exporter))
        self._tracer = self._provider.get_tracer("headgate")
        self._propagator = TraceContextTextMapPropagator()

    def ended(self, exchange: Exchange, call: Call) -> None:
        """Make the span of a call that is over. A `traceparent` of the client's is its parent."""
        operation = OPERATIONS.get(call.endpoint.path)
        if operation is None:
            return
        record = call.record
        model = record.model if record is not None else ""
        parent = exchange.header(b"traceparent")
        context = None if parent is None else self._propagator.extract({"traceparent": parent.decode("latin-1")})
        span = self._tracer.start_span(
            f"{operation} {model}".rstrip(),
            context=context,
            kind=SpanKind.SERVER,
            attributes=attributes(operation, call),
            start_time=call.started_at,
        )
        if call.status >= SERVER_ERRORS:
            span.set_status(Status(StatusCode.ERROR))
        span.end(call.started_at + self._clock.monotonic() - call.started)

    def close(self) -> None:
        """Send what is left, within seconds, and end. Blocks: call it from a thread."""
        self._provider.shutdown()


def attributes(operation: str, call: Call) -> Mapping[str, Attribute]:
    """What a span says of its call."""
    found: dict[str, Attribute] = {
        "gen_ai.operation.name": operation,
        "http.request.method": call.endpoint.method,
        "http.route": call.endpoint.path,
        "http.response.status_code": call.status,
        "headgate.request_id": call.request_id,
        "headgate.outcome": str(call.outcome),
    }
    if call.error:
        found["error.type"] = call.error
    record = call.record
    if record is None:
        return found
    found |= {
        "gen_ai.provider.name": PROVIDERS.get(record.provider_kind, record.provider_kind),
        "gen_ai.request.model": record.model_asked,
        "gen_ai.response.model": record.model,
        "headgate.workspace_id": record.workspace_id,
        "headgate.key_id": record.key_id,
        "headgate.attempts": record.attempts,
        "headgate.cost_usd": record.cost / NANOS_PER_USD,
    }
    if record.tenant_id is not None:
        found["headgate.tenant_id"] = record.tenant_id
    if record.first_byte_after is not None:
        found["headgate.first_byte_ms"] = record.first_byte_after // 1_000_000
    if call.settled is not None:
        found["gen_ai.usage.input_tokens"] = call.settled.input_tokens
        found["gen_ai.usage.output_tokens"] = call.settled.output_tokens
    return found
