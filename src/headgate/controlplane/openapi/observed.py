"""What is told of calls and changes: analytics, logs, exports, feedback, webhooks, the audit log."""

from typing import Any, Literal

from pydantic import Field

from headgate.controlplane.openapi.shape import Document, Metadata, Moment, Number, Shape


class Graph(Shape):
    """`summary` over all, and the same figures for each point in time. Which they are depends on the graph."""

    object: Literal["analytics-graph"]
    summary: Document
    data_points: list[Document]


class Group(Shape):
    """One row. What it is about stands under the group's own name: `user`, `ai_model`, `metadata_value` ..."""

    requests: int
    cost: Number = Field(description="In cents.")
    tokens: int
    input_tokens: int
    output_tokens: int
    avg_tokens: Number
    avg_latency: Number
    last_seen: Moment
    object: Literal["analytics-group"]
    user: str | None = None
    ai_model: str | None = None
    ai_service: str | None = None
    model: str | None = None
    provider: str | None = None
    status_code: str | None = None
    outcome: str | None = None
    config: str | None = None
    prompt: str | None = None
    metadata_value: str | None = None
    workspace: str | None = None
    workspace_slug: str | None = None
    tenant: str | None = None
    tenant_slug: str | None = None
    api_key: str | None = None
    name: str | None = None


class CacheFigures(Shape):
    hits: int
    avg_latency: Number
    total_requests: int
    cache_speedup: Number


class CacheSummary(Shape):
    object: Literal["analytics-summary"]
    summary: CacheFigures


class LogLine(Shape):
    id: str
    trace_id: str
    span_id: str
    created_at: Moment
    is_success: bool
    outcome: str
    response_status_code: int
    response_time: Number
    request_url: str
    mode: Literal["single", "stream"]
    ai_org: str
    ai_model: str
    provider: str
    req_units: int
    res_units: int
    total_units: int
    cost: Number = Field(description="In cents.")
    cost_currency: Literal["USD"]
    cache_status: str
    config: str
    prompt_slug: str
    workspace_id: str | None
    tenant_id: str | None
    api_key_id: str | None
    metadata: Metadata
    error: str


class LogPage(Shape):
    object: Literal["list"]
    data: list[LogLine]
    next_cursor: str | None
    total: int | None = None


class LogSent(Shape):
    """`id` is the first one's."""

    status: Literal["success"]
    id: str
    ids: list[str]
    object: Literal["log"]


class Log(Shape):
    """One that was sent in has what was sent; one of a call has how each cent of it came about too."""

    id: str
    object: Literal["log"]
    trace_id: str | None = None
    created_at: Moment
    request: Document | None
    response: Document | None
    metrics: Document | None = None
    metadata: Document | None = None
    model_asked: str | None = None
    requests: int | None = None
    held_time: Number | None = Field(default=None, description="In milliseconds.")
    held: Document | None = Field(default=None, description="`input_tokens`, `output_tokens` and `cost` in cents.")
    attempts: int | None = None
    earlier_attempts: list[Document] | None = None
    usage: dict[str, int] | None = None
    usage_source: str | None = None
    usage_flags: list[str] | None = None
    price_id: str | None = None
    cost_lines: list[Document] | None = None


class ExportMade(Shape):
    id: str
    total: int
    object: Literal["export"]


class Export(Shape):
    id: str
    organisation_id: str
    workspace_id: str | None
    filters: Document
    requested_data: list[str]
    format: Literal["csv", "jsonl"]
    status: Literal["draft", "in_progress", "success", "failed", "stopped"]
    reason: str = Field(description="Why it failed.")
    description: str
    created_at: Moment
    last_updated_at: Moment
    created_by: str
    total_records: int
    done: int = Field(description="Of them, those that are written.")
    expires_at: Moment | None = Field(description="When the file is removed, where there is one.")
    object: Literal["export"]


class ExportMoved(Shape):
    message: str
    object: Literal["export"]
    status: str


class SignedUrl(Shape):
    signed_url: str


class FeedbackGiven(Shape):
    status: Literal["success"]
    message: str
    feedback_ids: list[str]


class Webhook(Shape):
    id: str
    workspace_id: str | None
    tenant_id: str | None
    url: str
    description: str
    types: list[str]
    status: Literal["active", "disabled"]
    status_reason: str | None
    failing_since: Moment | None
    old_secret_until: Moment | None
    created_at: Moment
    last_updated_at: Moment
    object: Literal["webhook"]


class WebhookWithSecret(Webhook):
    secret: str | None = Field(None, description="Shown when it is made, this once.")


class Delivery(Shape):
    id: str
    event_id: str
    status: str
    next_attempt_at: Moment | None
    created_at: Moment
    object: Literal["delivery"]


class DeliveryAttempt(Shape):
    at: Moment
    latency_ms: int
    status: int | None
    answer: str | None
    error: str | None


class DeliveryDetail(Delivery):
    type: str
    message: Document
    attempts: list[DeliveryAttempt]


class AlertDelivery(Delivery):
    to: str


class SentAlert(Shape):
    id: str
    type: str
    workspace_id: str | None
    tenant_id: str | None
    about: str
    percent: int | None
    created_at: Moment
    deliveries: list[AlertDelivery]
    object: Literal["sent-alert"]


class AlertSettings(Shape):
    object: Literal["alert-settings"]
    workspace_id: str | None
    percents: list[int] | None
    percents_in_force: list[int]
    emails: list[str]


class AuditRecord(Shape):
    id: int
    timestamp: Moment
    method: str | None
    uri: str | None
    request_id: str | None
    request_body: Any
    query_params: dict[str, str]
    request_headers: dict[str, str]
    client_ip: str | None
    country: str | None
    user_id: str | None
    user_type: str
    api_key_id: str | None
    organisation_id: str
    workspace_id: str | None
    response_status_code: int | None
    resource_type: str
    resource_id: str
    action: str
    changes: Document
    hash: str
    object: Literal["audit-log"]


class AuditPage(Shape):
    object: Literal["list"]
    total: int
    records: list[AuditRecord]


class Purged(Shape):
    purged: int
