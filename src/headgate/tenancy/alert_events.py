"""What is told of a budget: the events, as their receivers read them.

The shape is that of Standard Webhooks: `type`, `timestamp`, `data`. Amounts are US dollars, tokens or requests.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

import msgspec

from headgate.base.money import usd_decimal
from headgate.ledger.allowance import Allowance, Resource, Window, WindowKind
from headgate.tenancy.api_key import ApiKey
from headgate.tenancy.moments import to_iso
from headgate.tenancy.outbox import Event
from headgate.tenancy.pricing import plain
from headgate.tenancy.webhook import EventType, Webhook

_encode: Final = msgspec.json.Encoder(decimal_format="number").encode
_UNITS: Final = {Resource.COST: "usd", Resource.REQUESTS: "requests"}


@dataclass(frozen=True, slots=True)
class Owner:
    """Whose budget it is, and so who may be told of it."""

    organization_id: str
    workspace_id: str | None = None
    tenant_id: str | None = None
    key_id: str | None = None


@dataclass(frozen=True, slots=True)
class Reached:
    """Settled use reached `amount`, in the allowance's unit; `thresholds` names what lies there."""

    allowance: Allowance
    owner: Owner
    thresholds: tuple[str, ...]
    amount: int
    used: int
    starts_at: int
    """The period, in nanoseconds since the epoch; 0 for a lifetime."""
    ends_at: int | None


@dataclass(frozen=True, slots=True)
class Downgraded:
    """A call of this owner went to a cheaper model than it asked for, each `@provider/model`, because of a budget."""

    allowance: Allowance
    owner: Owner
    asked: str
    model: str


def budget_event(event_id: str, event_type: EventType, reached: Reached, at: int) -> Event:
    allowance, owner = reached.allowance, reached.owner
    scope, resource = allowance.scope, allowance.resource
    data = {
        "organization_id": owner.organization_id,
        "workspace_id": owner.workspace_id,
        "tenant_id": owner.tenant_id,
        "scope": {"kind": scope.kind, "id": scope.id, "name": scope.name},
        "allowance": allowance.id,
        "resource": resource.value,
        "unit": _UNITS.get(resource, "tokens"),
        "window": window_name(allowance.window),
        "starts_at": to_iso(reached.starts_at) if reached.starts_at else None,
        "resets_at": None if reached.ends_at is None else to_iso(reached.ends_at),
        "cap": _amount(resource, allowance.cap),
        "used": _amount(resource, reached.used),
        "percent": reached.used * 100 // allowance.cap,
        "thresholds": list(reached.thresholds),
        "threshold_amount": _amount(resource, reached.amount),
    }
    return _event(event_id, event_type, owner, at, data)


def downgraded_event(
    event_id: str, found: Downgraded, used: int, starts_at: int, ends_at: int | None, at: int
) -> Event:
    """`used` is what was settled. Goes to the tenant: of limits whose figures are not for it, it says only which."""
    allowance = found.allowance
    scope, resource = allowance.scope, allowance.resource
    data: dict[str, Any] = {
        "organization_id": found.owner.organization_id,
        "workspace_id": found.owner.workspace_id,
        "tenant_id": found.owner.tenant_id,
        "model_asked": found.asked,
        "model": found.model,
        "scope": {"kind": scope.kind},
        "resource": resource.value,
        "window": window_name(allowance.window),
        "starts_at": to_iso(starts_at) if starts_at else None,
        "resets_at": None if ends_at is None else to_iso(ends_at),
    }
    if scope.open_to_callers:
        data["scope"] |= {"id": scope.id, "name": scope.name}
        data |= {
            "allowance": allowance.id,
            "unit": _UNITS.get(resource, "tokens"),
            "cap": _amount(resource, allowance.cap),
            "used": _amount(resource, used),
        }
    return _event(event_id, EventType.DOWNGRADED, found.owner, at, data)


def rotation_due_event(event_id: str, key: ApiKey, at: int) -> Event:
    """The secret of a key is as old as its policy lets it be."""
    owner = Owner(key.organization_id, key.workspace_id, key.tenant_id, key.id)
    data = {
        "organization_id": key.organization_id,
        "workspace_id": key.workspace_id,
        "tenant_id": key.tenant_id,
        "api_key": {"id": key.id, "name": key.name, "masked": key.masked},
        "due_at": None if key.next_rotation_at is None else to_iso(key.next_rotation_at),
        "last_rotated_at": None if key.rotated_at is None else to_iso(key.rotated_at),
    }
    return _event(event_id, EventType.ROTATION_DUE, owner, at, data)


def webhook_disabled_event(event_id: str, webhook: Webhook, at: int) -> Event:
    """Says nothing of the path and query of the URL: they may hold a secret."""
    owner = Owner(webhook.organization_id, webhook.workspace_id, webhook.tenant_id)
    data = {
        "webhook_id": webhook.id,
        "host": webhook.host,
        "failing_since": None if webhook.failing_since is None else to_iso(webhook.failing_since),
        "reason": webhook.status_reason,
    }
    return _event(event_id, EventType.WEBHOOK_DISABLED, owner, at, data)


def test_event(event_id: str, webhook: Webhook, at: int) -> Event:
    owner = Owner(webhook.organization_id, webhook.workspace_id, webhook.tenant_id)
    return _event(event_id, EventType.TEST, owner, at, {"webhook_id": webhook.id})


def window_name(window: Window) -> str:
    """`day`, `week`, `month`, `30 days` or `lifetime`."""
    match window.kind:
        case WindowKind.CALENDAR:
            return window.unit
        case WindowKind.EVERY_DAYS:
            return f"{window.days} days"
        case _:
            return window.kind.value


def _event(event_id: str, event_type: EventType, owner: Owner, at: int, data: Mapping[str, Any]) -> Event:
    body = {"type": event_type.value, "timestamp": to_iso(at), "id": event_id, "data": data}
    return Event(
        id=event_id,
        organization_id=owner.organization_id,
        workspace_id=owner.workspace_id,
        tenant_id=owner.tenant_id,
        key_id=owner.key_id,
        type=event_type,
        at=at,
        body=_encode(body).decode(),
    )


def _amount(resource: Resource, value: int) -> Decimal | int:
    return plain(usd_decimal(value)) if resource is Resource.COST else value
