"""An event in words, for people."""

from collections.abc import Mapping
from typing import Any

import msgspec

from headgate.tenancy.envelope import Envelope
from headgate.tenancy.outbox import Event
from headgate.tenancy.webhook import EventType


def letter(event: Event, envelope: Envelope) -> tuple[str, str]:
    """Subject and text. Raises `CannotOpen` where what was sealed for it does not open."""
    data = msgspec.json.decode(event.body)["data"]
    if event.type is EventType.THRESHOLD_REACHED:
        return _budget(data)
    if event.type is EventType.ROTATION_DUE:
        return _rotation(data)
    if event.type is EventType.WEBHOOK_DISABLED:
        return _disabled(data)
    if event.type is EventType.INVITED:
        return _invitation(data, envelope.open(data["sealed_link"], event.organization_id, event.id))
    if event.type is EventType.PASSWORD_RESET:
        return _password(data, envelope.open(data["sealed_link"], event.organization_id, event.id))
    raise ValueError(f"there is no letter for {event.type}")


def _budget(data: Mapping[str, Any]) -> tuple[str, str]:
    scope = data["scope"]
    whose = f"{scope['kind'].replace('_', ' ')} {scope['name'] or scope['id']}"
    used, cap = (_amount(data[name], data["unit"]) for name in ("used", "cap"))
    resets = f"It starts again at {data['resets_at']}." if data["resets_at"] else "It does not start again by itself."
    lines = [
        f"The budget of {whose} has reached {data['percent']} %.",
        "",
        f"Used:    {used}",
        f"Cap:     {cap} ({data['window']})",
        f"Alert:   {', '.join(data['thresholds'])} ({_amount(data['threshold_amount'], data['unit'])})",
        "",
        f"Calls go on until the cap is reached. {resets}",
    ]
    return f"Budget of {whose} at {data['percent']} %: {used} of {cap}", "\n".join(lines) + "\n"


def _rotation(data: Mapping[str, Any]) -> tuple[str, str]:
    key = data["api_key"]
    before = data["last_rotated_at"]
    lines = [
        f"The secret of the API key {key['name']} ({key['masked']}) is due to be replaced since {data['due_at']}.",
        f"It was last replaced at {before}." if before else "It was never replaced before.",
        "",
        f"It stays good until you do: POST /v1/api-keys/{key['id']}/rotate, or headgate api-keys rotate {key['id']}.",
    ]
    return f"API key {key['name']}: its secret is due to be replaced", "\n".join(lines) + "\n"


def _disabled(data: Mapping[str, Any]) -> tuple[str, str]:
    lines = [
        f"The webhook {data['webhook_id']} at {data['host']} was disabled: {data['reason']}",
        f"Nothing got through since {data['failing_since']}.",
        "",
        "Set its status to active once it is mended; deliveries can be replayed.",
    ]
    return f"The webhook at {data['host']} was disabled", "\n".join(lines) + "\n"


def _invitation(data: Mapping[str, Any], link: str) -> tuple[str, str]:
    lines = [
        f"You are invited to {data['organization']} on Headgate, as {data['role']}.",
        "",
        link,
        "",
        f"The link works once, until {data['expires_at']}. If you did not expect it, do nothing.",
    ]
    return f"Invitation to {data['organization']}", "\n".join(lines) + "\n"


def _password(data: Mapping[str, Any], link: str) -> tuple[str, str]:
    lines = [
        f"Somebody asked for a new password for your user of {data['organization']} on Headgate. With this link you",
        "choose it:",
        "",
        link,
        "",
        f"The link works once, until {data['expires_at']}. If it was not you, do nothing: your password stays.",
    ]
    return f"A new password for {data['organization']}", "\n".join(lines) + "\n"


def _amount(value: float, unit: str) -> str:
    return f"${value:,.2f}" if unit == "usd" else f"{value:,} {unit}"
