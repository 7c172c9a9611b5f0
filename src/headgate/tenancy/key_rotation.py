"""Giving an API key another secret: its id, its limits and what it used stay."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from headgate.base.errors import Conflict, Forbidden
from headgate.tenancy import scopes
from headgate.tenancy.administration import Change
from headgate.tenancy.api_key import ApiKey, KeyLevel
from headgate.tenancy.keys import MintedKey
from headgate.tenancy.model_names import granted
from headgate.tenancy.moments import to_iso
from headgate.tenancy.principal import Principal
from headgate.tenancy.rotation import NANOS_PER_MS, transition_ms


def rotate_key(change: Change, key: ApiKey, minted: MintedKey, fields: Mapping[str, Any]) -> ApiKey:
    """Within a change under way. `fields`: `key_transition_period_ms`.

    Raises `Conflict` while the secret before is still good, and `Forbidden` for a key with a scope that the caller
    could not give: whoever rotates a key has it in hand.
    """
    if key.previous_until is not None and key.in_transition(change.now):
        raise Conflict(
            f"This key was rotated before, and its former secret is good until {to_iso(key.previous_until)}. "
            "Rotate it again after that.",
            param="id",
        )
    require_grantable(change.principal, key)
    transition = transition_ms(fields.get("key_transition_period_ms"), key.rotation_policy) * NANOS_PER_MS
    policy = key.rotation_policy
    after = replace(
        key,
        hash=minted.hash,
        masked=minted.masked,
        previous_hash=key.hash if transition else None,
        previous_until=change.now + transition,
        rotated_at=change.now,
        next_rotation_at=None if policy is None else policy.next_after(change.now),
        updated_at=change.now,
    )
    change.stores.api_keys.update(after)
    change.touched.keys.add(key.id)
    body = {"name": key.name, "masked": after.masked, "previous": key.masked, "previous_until": after.previous_until}
    change.record("rotate", f"api_key:{key.id}", body | {"workspace_id": key.workspace_id})
    return after


def require_grantable(principal: Principal, key: ApiKey) -> None:
    """Raises `Forbidden` unless the caller could have made this key."""
    allowed = scopes.ORGANIZATION_SCOPES if key.level is KeyLevel.ORGANIZATION else scopes.WORKSPACE_SCOPES
    scopes.grantable(sorted(key.scopes), allowed, held_for(principal, key.level))
    if principal.models is not None and key.allowed_models is None:
        raise Forbidden("Your key may not use every model that this one may, so it cannot take it in hand.")
    granted(key.allowed_models, "allowed_models", principal.models)


def held_for(principal: Principal, level: KeyLevel) -> frozenset[str]:
    """The scopes that the caller may give to a key of this level."""
    # No key of the organization has those of calls; it may give them, or nobody could make a customer's key.
    if level is KeyLevel.WORKSPACE and principal.workspace_id is None:
        return principal.scopes | scopes.OF_CALLS
    return principal.scopes
