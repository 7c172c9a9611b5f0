"""From the contract's filters, as a query or a body spells them, to the calls they mean: within what one may see."""

import json
import re
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from headgate.analytics.calls import ANY, Between, Calls
from headgate.base.clock import NANOS_PER_SECOND
from headgate.base.errors import InvalidRequest
from headgate.base.money import NANOS_PER_CENT
from headgate.tenancy.moments import from_iso
from headgate.tenancy.principal import Principal, not_found
from headgate.tenancy.stores import Stores

BY_DEFAULT_S: Final = 30 * 86_400
"""How far back a question goes that does not say from when."""
_LARGEST: Final = 2**62
FILTERS: Final = (
    "time_of_generation_min",
    "time_of_generation_max",
    "workspace_slug",
    "tenant_id",
    "api_key_ids",
    "virtual_keys",
    "ai_model",
    "ai_org_model",
    "status_code",
    "outcome",
    "is_success",
    "cache_status",
    "metadata",
    "user",
    "configs",
    "prompt_slug",
    "trace_id",
    "span_id",
    "request_id",
    "cost_min",
    "cost_max",
    "total_units_min",
    "total_units_max",
    "prompt_token_min",
    "prompt_token_max",
    "completion_token_min",
    "completion_token_max",
)


def calls_asked(stores: Stores, principal: Principal, asked: Mapping[str, Any], now: int) -> Calls:
    """What is absent or empty does not filter. Raises `InvalidRequest` naming the field, and the `NotFound` of an
    absent one for a workspace or tenant that is not the caller's to see."""
    since, until = _times(asked, now)
    return Calls(
        organization_id=principal.organization_id,
        since=since,
        until=until,
        workspaces=_workspaces(stores, principal, asked),
        tenants=_tenants(stores, principal, asked),
        keys=_texts(asked, "api_key_ids"),
        users=_texts(asked, "user"),
        metadata=_metadata(asked),
        providers=_texts(asked, "virtual_keys"),
        models=_texts(asked, "ai_model"),
        services=tuple([_service(each) for each in _texts(asked, "ai_org_model")]),
        statuses=tuple([_status(each) for each in _texts(asked, "status_code")]),
        outcomes=_texts(asked, "outcome"),
        failed=_failed(asked),
        cache_statuses=tuple([each.upper() for each in _texts(asked, "cache_status")]),
        configs=_texts(asked, "configs"),
        prompts=_texts(asked, "prompt_slug"),
        request_ids=_texts(asked, "request_id"),
        trace_ids=_texts(asked, "trace_id"),
        span_ids=_texts(asked, "span_id"),
        cost=_between(asked, "cost", NANOS_PER_CENT),
        input_tokens=_between(asked, "prompt_token"),
        output_tokens=_between(asked, "completion_token"),
        total_tokens=_between(asked, "total_units"),
    )


def _times(asked: Mapping[str, Any], now: int) -> tuple[int, int]:
    until = _moment(asked, "time_of_generation_max")
    until = now + 1 if until is None else until
    since = _moment(asked, "time_of_generation_min")
    since = max(until - BY_DEFAULT_S * NANOS_PER_SECOND, 0) if since is None else since
    if since >= until:
        raise InvalidRequest(
            "`time_of_generation_min` must be before `time_of_generation_max`.", param="time_of_generation_min"
        )
    return since, until


def _moment(asked: Mapping[str, Any], name: str) -> int | None:
    value = asked.get(name)
    return None if value is None or value == "" else from_iso(value, name)


def _workspaces(stores: Stores, principal: Principal, asked: Mapping[str, Any]) -> tuple[str, ...]:
    """A workspace's key sees its own, whatever it asks for; the organization's all, unless it asks for some."""
    if principal.workspace_id is not None:
        return (principal.workspace_id,)
    found = []
    for reference in _texts(asked, "workspace_slug"):
        workspace = stores.workspaces.get(principal.organization_id, reference)
        if workspace is None and not _may_be_gone(principal, "ws", reference):
            raise not_found("workspace", reference)
        found.append(workspace.id if workspace else reference)
    return tuple(found)


def _tenants(stores: Stores, principal: Principal, asked: Mapping[str, Any]) -> tuple[str, ...]:
    """A tenant's key sees its own, and no other is there for it."""
    found = []
    for reference in _texts(asked, "tenant_id"):
        tenant = stores.tenants.get(principal.organization_id, reference)
        if tenant is None and _may_be_gone(principal, "tnt", reference):
            found.append(reference)
            continue
        if tenant is None or principal.tenant_id not in (None, tenant.id):
            raise not_found("tenant", reference)
        principal.require_sight(tenant.workspace_id, "tenant", reference)
        found.append(tenant.id)
    return (principal.tenant_id,) if principal.tenant_id is not None else tuple(found)


def _may_be_gone(principal: Principal, prefix: str, reference: str) -> bool:
    """What was deleted leaves its records, under its id. To a workspace's key a foreign id and one that never was are
    the same, so only the organization's keys find them by it."""
    return principal.workspace_id is None and re.fullmatch(rf"{prefix}_[0-9a-z]{{20}}", reference) is not None


def _texts(asked: Mapping[str, Any], name: str) -> tuple[str, ...]:
    """One, a list, or several with commas between."""
    value = asked.get(name)
    if value is None:
        return ()
    if isinstance(value, str | int) and not isinstance(value, bool):
        value = str(value).split(",")
    if not isinstance(value, list) or not all(isinstance(each, str | int) for each in value) or len(value) > 100:
        raise InvalidRequest(f"`{name}` must be a text, or a list of at most 100 of them.", param=name)
    found = tuple([text for each in value if (text := str(each).strip())])
    if any("\0" in each for each in found):
        raise InvalidRequest(f"`{name}` holds a character that is no text.", param=name)
    return found


def _metadata(asked: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    value = asked.get("metadata")
    if value is None or value == "":
        return ()
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):
            value = None
    if not isinstance(value, Mapping) or not all(isinstance(each, str | int | float) for each in value.values()):
        raise InvalidRequest('`metadata` must be a JSON object of texts, such as {"tier":"pro"}.', param="metadata")
    return tuple([(metadata_name(name), _as_recorded(each)) for name, each in value.items()])


def _as_recorded(value: str | float) -> str:
    """Numbers and booleans are on record as their JSON text."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def metadata_name(name: str) -> str:
    """One that the database can look for."""
    if not name or len(name) > 128 or any(each in '"\0\\' for each in name):
        raise InvalidRequest(
            "A metadata name is 1 to 128 characters, without quotes and backslashes.", param="metadata"
        )
    return name


def _failed(asked: Mapping[str, Any]) -> bool | None:
    value = asked.get("is_success")
    match "" if value is None else str(value).lower():
        case "":
            return None
        case "true":
            return False
        case "false":
            return True
    raise InvalidRequest("`is_success` must be `true` or `false`.", param="is_success")


def _service(text: str) -> tuple[str, str]:
    kind, _, model = text.partition("__")
    return kind, model


def _status(text: str) -> int:
    found = _number(text, "status_code")
    if not 100 <= found <= 999:
        raise InvalidRequest("`status_code` must be of three digits, such as 429.", param="status_code")
    return found


def _number(text: str, name: str, scale: int = 1) -> int:
    try:
        found = int(Decimal(text) * scale)
    except (InvalidOperation, ValueError, OverflowError):
        raise InvalidRequest(f"`{name}` must be a number.", param=name) from None
    if abs(found) > _LARGEST:
        raise InvalidRequest(f"`{name}` is beyond all that is recorded.", param=name)
    return found


def _between(asked: Mapping[str, Any], name: str, scale: int = 1) -> Between:
    bounds = []
    for end in ("min", "max"):
        value = asked.get(f"{name}_{end}")
        absent = value is None or value == ""
        bounds.append(None if absent else _number(str(value), f"{name}_{end}", scale))
    return ANY if bounds == [None, None] else (bounds[0], bounds[1])
