"""Webhooks and deliveries as the API shows them. No view has a place for a secret."""

from collections.abc import Sequence
from typing import Any

import msgspec

from headgate.tenancy.moments import to_iso
from headgate.tenancy.outbox import Attempt, Delivery, DeliveryStatus, Event
from headgate.tenancy.sent_alerts import SentAlert
from headgate.tenancy.webhook import Webhook


def webhook(found: Webhook) -> dict[str, Any]:
    return {
        "id": found.id,
        "workspace_id": found.workspace_id,
        "tenant_id": found.tenant_id,
        "url": found.url,
        "description": found.description,
        "types": list(found.types),
        "status": found.status,
        "status_reason": found.status_reason,
        "failing_since": _moment(found.failing_since),
        "old_secret_until": _moment(found.previous_until),
        "created_at": to_iso(found.created_at),
        "last_updated_at": to_iso(found.updated_at),
        "object": "webhook",
    }


def delivery(found: Delivery, event: Event, attempts: Sequence[Attempt]) -> dict[str, Any]:
    return pending(found) | {
        "type": event.type,
        "message": msgspec.Raw(event.body.encode()),
        "attempts": [
            {
                "at": to_iso(each.at),
                "latency_ms": each.latency_ms,
                "status": each.status,
                "answer": each.answer,
                "error": each.error or None,
            }
            for each in attempts
        ],
    }


def pending(found: Delivery) -> dict[str, Any]:
    return {
        "id": found.id,
        "event_id": found.event_id,
        "status": found.status,
        "next_attempt_at": to_iso(found.next_at) if found.status is DeliveryStatus.PENDING else None,
        "created_at": to_iso(found.created_at),
        "object": "delivery",
    }


def sent(found: SentAlert) -> dict[str, Any]:
    """What happened, and everybody it went to: a webhook by its id, or an e-mail address."""
    return {
        "id": found.event.id,
        "type": found.event.type,
        "workspace_id": found.event.workspace_id,
        "tenant_id": found.event.tenant_id,
        "about": found.about,
        "percent": found.percent,
        "created_at": to_iso(found.event.at),
        "deliveries": [pending(each) | {"to": each.recipient or each.lane} for each in found.deliveries],
        "object": "sent-alert",
    }


def _moment(at: int | None) -> str | None:
    return None if at is None else to_iso(at)
