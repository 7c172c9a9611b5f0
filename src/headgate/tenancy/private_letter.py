"""A letter to one person, with a link that only he may read: on its way through the outbox, where it lies sealed."""

from collections.abc import Mapping
from typing import Any

import msgspec

from headgate.tenancy.administration import Change
from headgate.tenancy.envelope import Envelope
from headgate.tenancy.moments import to_iso
from headgate.tenancy.outbox import EMAIL, Delivery, Event
from headgate.tenancy.webhook import EventType


def post(
    change: Change,
    envelope: Envelope,
    kind: EventType,
    organization_id: str,
    recipient: str,
    link: str,
    data: Mapping[str, Any],
) -> None:
    """With the change: it goes out if, and only if, the change is made."""
    organization = change.stores.organizations.get(organization_id)
    assert organization is not None, "a letter of no organization"
    event_id = change.new_id("evt")
    sealed = {"organization": organization.name, "sealed_link": envelope.seal(link, organization_id, event_id)}
    told = {"type": kind.value, "timestamp": to_iso(change.now), "data": {**data, **sealed}}
    event = Event(
        id=event_id,
        organization_id=organization_id,
        type=kind,
        at=change.now,
        body=msgspec.json.encode(told).decode(),
    )
    delivery = Delivery(
        id=change.new_id("dlv"),
        event_id=event_id,
        organization_id=organization_id,
        lane=EMAIL,
        recipient=recipient,
        started_at=change.now,
        next_at=change.now,
        created_at=change.now,
    )
    change.stores.deliveries.add(event, delivery)
