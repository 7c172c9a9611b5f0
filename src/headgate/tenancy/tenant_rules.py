"""Reads what an administrator writes of a tenant beside names and limits, and refuses, by name, what it cannot be."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final

from headgate.base.errors import InvalidRequest
from headgate.tenancy import limit_rules, rules
from headgate.tenancy.model_names import MOST, may_allow, model_name
from headgate.tenancy.pricing import plain
from headgate.tenancy.tenant import Tenant
from headgate.tenancy.tenant_policy import WHOLE, Downgrade

_AT: Final = Decimal("0.9")
_STATUSES: Final = ("active", "suspended")
_FIELDS: Final = ("at", "models")


def tier(value: object) -> str | None:
    """Any name; null for none."""
    return None if value is None else rules.name(value, "tier")


def default_model(value: object) -> str | None:
    return None if value is None else model_name(value, "default_model")


def suspended(value: object) -> bool:
    """From `status`."""
    if value not in _STATUSES:
        raise InvalidRequest(f"`status` must be one of {', '.join(_STATUSES)}.", param="status")
    return value == "suspended"


def downgrade(value: object, param: str = "downgrade") -> Downgrade | None:
    """`{"at": 0.9, "models": {dear: cheap}}`; null for none. A share is exact to a millionth.

    Unlike elsewhere an unknown field is refused: a misspelt one must not be taken for one that is in force.
    """
    if value is None:
        return None
    models = value.get("models") if isinstance(value, Mapping) else None
    if not isinstance(value, Mapping) or not isinstance(models, Mapping) or not 0 < len(models) <= MOST:
        raise InvalidRequest(
            f'`{param}` must be of the form {{"at": 0.9, "models": {{"dear-model": "cheaper-model"}}}}.', param=param
        )
    for name in value:
        if name not in _FIELDS:
            where = f"{param}.{name}"[:200]
            raise InvalidRequest(f"`{where}` is not known. Known: {', '.join(_FIELDS)}.", param=where)
    found = {
        model_name(dear, f"{param}.models"): model_name(cheap, f"{param}.models.{dear}")
        for dear, cheap in models.items()
    }
    for dear in found:
        _refuse_circle(found, dear, f"{param}.models.{dear}"[:200])
    return Downgrade(_share(value.get("at", _AT), f"{param}.at"), found)


def shown(found: Downgrade | None) -> dict[str, Any] | None:
    """As it was written."""
    return None if found is None else {"at": plain(Decimal(found.at) / WHOLE), "models": dict(found.models)}


def refuse_unreachable_default(tenant: Tenant) -> None:
    """Raises `InvalidRequest` for a default model that the tenant may not use: every call without a model would be
    refused."""
    names, default = tenant.allowed_models, tenant.default_model
    if names is not None and default is not None and not may_allow(names, default):
        raise InvalidRequest(
            f"`default_model` is `{default}`, which is not among `allowed_models`.", param="default_model"
        )


def _share(value: object, param: str) -> int:
    share = limit_rules.number(value, param)
    scaled = share * WHOLE
    if not 0 < share <= 1 or scaled != scaled.to_integral_value():
        raise InvalidRequest(
            f"`{param}` must be a share of a budget: above 0, at most 1, for example 0.9.", param=param
        )
    return int(scaled)


def _refuse_circle(models: Mapping[str, str], dear: str, param: str) -> None:
    name, steps = models[dear], 0
    while name in models and steps <= len(models):
        name, steps = models[name], steps + 1
    if steps > len(models) or name == dear:
        raise InvalidRequest(f"`{param}` leads back to itself.", param=param)
