"""The letter that an invite is sent with, on its way through the outbox: nothing is lost, and its link is sealed."""

from collections.abc import Mapping
from typing import Any

import msgspec

from headgate.tenancy.administration import Change
from headgate.tenancy.envelope import Envelope
from headgate.tenancy.invite import Invite
from headgate.tenancy.moments import to_iso
from headgate.tenancy.outbox import EMAIL, Delivery, Event
from headgate.tenancy.webhook import EventType


def send_invitation(change: Change, envelope: Envelope, invite: Invite, link: str) -> None:
    """With the change: its letter goes out if, and only if, the invite is there. One that still waits is withdrawn,
    for its link is none any more."""
    withdraw_invitation(change, invite)
    organization = change.stores.organizations.get(invite.organization_id)
    assert organization is not None, "an invite without an organization"
    event_id = change.new_id("evt")
    data: Mapping[str, Any] = {
        "organization": organization.name,
        "role": invite.role.value,
        "expires_at": to_iso(invite.expires_at),
        "sealed_link": envelope.seal(link, invite.organization_id, event_id),
    }
    told = {"type": EventType.INVITED.value, "timestamp": to_iso(change.now), "data": data}
    event = Event(
        id=event_id,
        organization_id=invite.organization_id,
        type=EventType.INVITED,
        at=change.now,
        body=msgspec.json.encode(told).decode(),
    )
    delivery = Delivery(
        id=change.new_id("dlv"),
        event_id=event_id,
        organization_id=invite.organization_id,
        lane=EMAIL,
        recipient=invite.email,
        started_at=change.now,
        next_at=change.now,
        created_at=change.now,
    )
    change.stores.deliveries.add(event, delivery)


def withdraw_invitation(change: Change, invite: Invite) -> None:
    """A letter that was not sent yet is not sent."""
    change.stores.deliveries.withdraw(invite.organization_id, EventType.INVITED, invite.email)
