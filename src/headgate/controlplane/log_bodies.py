"""Bodies of requests about logs, exports and feedback. Fields that are not known are ignored."""

from typing import Any

from pydantic import Field

from headgate.controlplane.body import Body


class NewLog(Body):
    """A call that did not go through the gateway."""

    request: dict[str, Any] | None = None
    response: dict[str, Any] | None = None
    metadata: dict[str, Any] | None = Field(None, examples=[{"trace_id": "order-42"}])


class ExportFields(Body):
    """What an export holds."""

    filters: dict[str, Any] | None = Field(None, examples=[{"time_of_generation_min": "2026-01-01T00:00:00Z"}])
    workspace_id: str | None = None
    description: str | None = None
    requested_data: list[str] | None = Field(None, examples=[["id", "cost", "metadata"]])
    format: str | None = Field(None, examples=["csv"])


class FeedbackFields(Body):
    """On the calls with a trace id."""

    trace_id: str | None = None
    value: int | None = Field(None, examples=[10])
    weight: float | None = Field(None, examples=[0.5])
    metadata: dict[str, Any] | None = None
