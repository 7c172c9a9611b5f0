"""The shapes of the system."""

from typing import Literal

from headgate.controlplane.openapi.shape import Moment, Shape


class Store(Shape):
    name: str
    version: str | None
    revision: str | None
    newest_revision: str | None
    answered_ms: float
    trouble: str | None
    warnings: list[str]


class Journal(Shape):
    bytes: int
    most_bytes: int
    segments: int
    waiting: int
    oldest_at: Moment | None
    trouble: str | None


class Hold(Shape):
    request_id: str
    at: Moment
    api_key_id: str | None
    tenant_id: str | None
    model: str | None
    tokens: int
    cost_usd: str


class Process(Shape):
    id: str
    place: str
    started_at: Moment
    last_seen_ms: int
    alive: bool
    allowances_borrowed: int | None


class ChangedSetting(Shape):
    name: str
    value: str


class RestingTarget(Shape):
    integration_id: str
    model: str
    reason: str
    for_ms: int


class Verification(Shape):
    started_at: Moment
    ended_at: Moment | None
    records: int
    of: int
    allowances: int
    unfinished: int
    differences: list[str]
    more_differences: int
    failure: str | None
    object: Literal["verification"]


class System(Shape):
    version: str
    python: str
    process_id: int
    started_at: Moment
    trouble: str | None
    stores: list[Store]
    journal: Journal
    outbox: dict[str, int]
    holds: list[Hold]
    held: int
    processes: list[Process]
    settings: list[ChangedSetting]
    resting: list[RestingTarget]
    verification: Verification | None
    object: Literal["system"]
