"""The letter that an invite is sent with."""

from headgate.tenancy.administration import Change
from headgate.tenancy.envelope import Envelope
from headgate.tenancy.invite import Invite
from headgate.tenancy.moments import to_iso
from headgate.tenancy.private_letter import post
from headgate.tenancy.webhook import EventType


def send_invitation(change: Change, envelope: Envelope, invite: Invite, link: str) -> None:
    """One that still waits is withdrawn, for its link is none any more."""
    withdraw_invitation(change, invite)
    data = {"role": invite.role.value, "expires_at": to_iso(invite.expires_at)}
    post(change, envelope, EventType.INVITED, invite.organization_id, invite.email, link, data)


def withdraw_invitation(change: Change, invite: Invite) -> None:
    """A letter that was not sent yet is not sent."""
    change.stores.deliveries.withdraw(invite.organization_id, EventType.INVITED, invite.email)
