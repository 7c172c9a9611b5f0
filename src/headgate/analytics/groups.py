"""The contract's groups: calls by what they have in common."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from headgate.analytics.calls import METADATA, Label, Sums
from headgate.analytics.figures import cents, milliseconds, ratio
from headgate.base.errors import InvalidRequest
from headgate.tenancy.moments import to_iso

GROUPS: Final[Mapping[str, tuple[str, str]]] = {
    "users": (Label.USER, "user"),
    "ai-models": (Label.MODEL, "ai_model"),
    "workspaces": (Label.WORKSPACE, "workspace"),
    "workspace": (Label.WORKSPACE, "workspace"),
    "tenants": (Label.TENANT, "tenant"),
    "tenant": (Label.TENANT, "tenant"),
    "ai_service": (Label.AI_SERVICE, "ai_service"),
    "model": (Label.MODEL, "model"),
    "status_code": (Label.STATUS, "status_code"),
    "api_key": (Label.API_KEY, "api_key"),
    "provider": (Label.PROVIDER, "provider"),
    "outcome": (Label.OUTCOME, "outcome"),
    "config": (Label.CONFIG, "config"),
    "prompt": (Label.PROMPT, "prompt"),
}
"""By the end of their path: the label, and what a row calls it. Beside these, `metadata/{key}`."""

Told = dict[str, Any]
_ORDERS: Final[Mapping[str, Callable[[Sums], Any]]] = {
    "requests": lambda sums: sums.requests,
    "cost": lambda sums: sums.cost,
    "tokens": lambda sums: sums.tokens,
    "avg_tokens": lambda sums: ratio(sums.tokens, sums.requests),
    "avg_latency": lambda sums: sums.took / sums.calls,
    "last_seen": lambda sums: sums.last_at,
}


def group_of(name: str) -> tuple[str, str]:
    """Label and the row's name for it. Raises `InvalidRequest`."""
    if name.startswith("metadata/"):
        return METADATA + name.removeprefix("metadata/"), "metadata_value"
    if name not in GROUPS:
        raise InvalidRequest(f"There is no group `{name[:100]}`. Known: {', '.join(GROUPS)}.", param="group_by")
    return GROUPS[name]


def order_of(name: str | None) -> Callable[[Sums], Any]:
    """By which figure rows are sorted. Raises `InvalidRequest`."""
    if (name or "requests") not in _ORDERS:
        raise InvalidRequest(f"`order_by` must be one of {', '.join(_ORDERS)}.", param="order_by")
    return _ORDERS[name or "requests"]


def told(name: str, label: str, sums: Sums) -> Told:
    """One row."""
    return {
        name: label,
        "requests": sums.requests,
        "cost": cents(sums.cost),
        "tokens": sums.tokens,
        "input_tokens": sums.input_tokens,
        "output_tokens": sums.output_tokens,
        "avg_tokens": ratio(sums.tokens, sums.requests),
        "avg_latency": ratio(milliseconds(sums.took), sums.calls, 3),
        "last_seen": to_iso(sums.last_at),
        "object": "analytics-group",
    }
