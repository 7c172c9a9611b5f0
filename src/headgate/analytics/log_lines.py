"""One call as a line of a log or an export: flat, in the contract's words; cost in cents, times in milliseconds."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from headgate.analytics.figures import cents, milliseconds
from headgate.base.usage import INPUT_METERS, OUTPUT_METERS
from headgate.ledger.record import UsageRecord
from headgate.tenancy.moments import to_iso

LEAST_ERROR: Final = 400


def _tokens(record: UsageRecord, meters: tuple[str, ...]) -> int:
    return sum([record.usage.get(meter, 0) for meter in meters])


COLUMNS: Final[Mapping[str, Callable[[UsageRecord], Any]]] = {
    "id": lambda record: record.request_id,
    "trace_id": lambda record: record.trace_id,
    "span_id": lambda record: record.span_id,
    "created_at": lambda record: to_iso(record.started_at),
    "is_success": lambda record: record.status < LEAST_ERROR,
    "outcome": lambda record: record.outcome.value,
    "response_status_code": lambda record: record.status,
    "response_time": lambda record: milliseconds(record.ended_after),
    "request_url": lambda record: record.endpoint,
    "mode": lambda record: "stream" if record.stream else "single",
    "ai_org": lambda record: record.provider_kind,
    "ai_model": lambda record: record.model,
    "provider": lambda record: record.provider,
    "req_units": lambda record: _tokens(record, INPUT_METERS),
    "res_units": lambda record: _tokens(record, OUTPUT_METERS),
    "total_units": lambda record: _tokens(record, INPUT_METERS) + _tokens(record, OUTPUT_METERS),
    "cost": lambda record: cents(record.cost),
    "cost_currency": lambda record: "USD",
    "cache_status": lambda record: record.cache_status,
    "config": lambda record: record.config,
    "prompt_slug": lambda record: record.prompt,
    "workspace_id": lambda record: record.workspace_id,
    "tenant_id": lambda record: record.tenant_id,
    "api_key_id": lambda record: record.key_id,
    "metadata": lambda record: record.metadata,
    "error": lambda record: record.error,
}


def _held(record: UsageRecord) -> dict[str, Any]:
    """On each of its allowances; None where nothing was held of it, or that is not known."""
    if not record.held:
        return {"input_tokens": None, "output_tokens": None, "cost": None}
    inputs, outputs, cost = record.held
    return {"input_tokens": inputs, "output_tokens": outputs, "cost": cents(cost)}


def line(record: UsageRecord) -> dict[str, Any]:
    """All that is told of it in a list."""
    return {name: tell(record) for name, tell in COLUMNS.items()}


def detail(record: UsageRecord, bodies: Mapping[str, Any] | None) -> dict[str, Any]:
    """The contract's log, and how each cent came about. `bodies`: `request` and `response`, where they are kept."""
    flat = line(record)
    kept = bodies or {}
    return {
        "id": record.request_id,
        "object": "log",
        "created_at": flat["created_at"],
        "request": {"url": record.endpoint, "method": "POST", "body": kept.get("request")},
        "response": {
            "status": record.status,
            "headers": {},
            "body": kept.get("response"),
            "responseTime": flat["response_time"],
        },
        "metrics": flat
        | {
            "metadata.key": list(record.metadata),
            "metadata.value": list(record.metadata.values()),
            "first_byte_time": None if record.first_byte_after is None else milliseconds(record.first_byte_after),
        },
        "model_asked": record.model_asked,
        "requests": record.requests,
        "held_time": None if record.held_after is None else milliseconds(record.held_after),
        "held": _held(record),
        "attempts": record.attempts,
        "earlier_attempts": [
            {
                "provider": attempt.provider,
                "model": attempt.model,
                "status": attempt.status,
                "response_time": milliseconds(attempt.took),
                "error": attempt.error,
            }
            for attempt in record.earlier_attempts
        ],
        "usage": record.usage,
        "usage_source": record.usage_source,
        "usage_flags": list(record.usage_flags),
        "price_id": record.price_id,
        "cost_lines": [
            {"meter": meter, "count": count, "cents_per_million": cents(rate), "cost": cents(nanos)}
            for meter, count, rate, nanos in record.cost_lines
        ],
    }
