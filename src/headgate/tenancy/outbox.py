"""What is to be told, and how telling it went: events, their deliveries, and each attempt at one."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from headgate.tenancy.webhook import EventType, Webhook

EMAIL: Final = "email"
"""The lane of all letters; a webhook's lane is its id. What goes wrong in one lane holds up no other."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Written once. `body` is the JSON text that is sent, the same to everybody and at every attempt."""

    id: str
    organization_id: str
    workspace_id: str | None = None
    tenant_id: str | None = None
    key_id: str | None = None
    type: EventType
    at: int
    """Nanoseconds since the epoch."""
    body: str


class DeliveryStatus(StrEnum):
    PENDING = "pending"
    DELIVERED = "delivered"
    FAILED = "failed"
    """Given up."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """One event on its way to one receiver. Times are nanoseconds since the epoch."""

    id: str
    event_id: str
    organization_id: str
    lane: str
    recipient: str = ""
    """The e-mail address; empty for a webhook."""
    status: DeliveryStatus = DeliveryStatus.PENDING
    attempts: int = 0
    """Since it was made, or since it was last replayed."""
    started_at: int
    """When it was made, or last replayed."""
    next_at: int
    """When it is tried, if it is pending."""
    created_at: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One try. `status` is HTTP's or SMTP's, None where there was no answer."""

    delivery_id: str
    at: int
    latency_ms: int
    status: int | None
    answer: str
    """The first bytes of the answer, as text."""
    error: str
    """Empty: it was delivered."""


@dataclass(frozen=True, slots=True)
class Due:
    """A delivery with what it takes to attempt it."""

    delivery: Delivery
    event: Event
    webhook: Webhook | None
    """None: it is a letter."""
