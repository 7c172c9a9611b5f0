"""The webhook: an address of the customer's own that is told what happens."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final


class EventType(StrEnum):
    """What can be told."""

    THRESHOLD_REACHED = "budget.threshold_reached"
    KEY_EXHAUSTED = "key.exhausted"
    ROTATION_DUE = "key.rotation_due"
    DOWNGRADED = "budget.downgraded"
    WEBHOOK_DISABLED = "webhook.disabled"
    TEST = "webhook.test"
    """Goes only to the webhook that was asked to try itself."""
    INVITED = "user.invited"
    """Goes only to who is invited, as a letter."""
    PASSWORD_RESET = "user.password_reset"
    """Goes only to who asked for it, as a letter."""


PRIVATE: Final = (EventType.TEST, EventType.INVITED, EventType.PASSWORD_RESET)
"""Told to one receiver, and of no interest to others."""


class WebhookStatus(StrEnum):
    ACTIVE = "active"
    DISABLED = "disabled"
    """By an administrator, or because nothing got through for too long. Nothing is sent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Webhook:
    """`sealed_secret` is the vault's record. Times are nanoseconds since the epoch."""

    id: str
    organization_id: str
    workspace_id: str | None = None
    """Set: it is told of this workspace, its tenants and keys only."""
    tenant_id: str | None = None
    """Set: it is told of this tenant and its keys only."""
    url: str
    description: str = ""
    types: tuple[EventType, ...] = ()
    """What it wants to be told; empty for everything."""
    status: WebhookStatus = WebhookStatus.ACTIVE
    status_reason: str = ""
    failing_since: int | None = None
    """The first failure after which nothing got through."""
    sealed_secret: bytes = field(repr=False)
    sealed_previous: bytes | None = field(default=None, repr=False)
    """The secret before a rotation: until `previous_until` what is sent is signed with both."""
    previous_until: int | None = None
    created_at: int
    updated_at: int

    @property
    def secret_row(self) -> str:
        """What the vault binds the secret to."""
        return f"webhook/{self.id}/secret"

    @property
    def host(self) -> str:
        """`https://example.com`: what may be shown of a URL whose path and query may hold a secret."""
        scheme, _, rest = self.url.partition("://")
        return f"{scheme}://{rest.partition('?')[0].partition('/')[0]}"

    def wants(self, event_type: EventType) -> bool:
        return not self.types or event_type in self.types
