"""Minting, changing and revoking API keys."""

import os
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from headgate.base.errors import InvalidRequest
from headgate.base.ids import RandomBytes
from headgate.tenancy import call_defaults, keys, moments, rules, scopes
from headgate.tenancy.administration import Administration, Change
from headgate.tenancy.api_key import ApiKey, KeyLevel, KeyOwner, Kind
from headgate.tenancy.holder import require_within_role
from headgate.tenancy.key_rotation import held_for, rotate_key
from headgate.tenancy.keys import MintedKey
from headgate.tenancy.model_names import granted
from headgate.tenancy.owner import changed
from headgate.tenancy.owner_fields import limit_changes
from headgate.tenancy.principal import Principal, not_found
from headgate.tenancy.rotation import rotation_policy
from headgate.tenancy.stores import Page, Stores
from headgate.tenancy.tenant import Tenant
from headgate.tenancy.tenants import visible_tenant
from headgate.tenancy.workspaces import names_of_workspace, visible_workspace

TENANT_SCOPES: Final = frozenset(
    {"completions.write", "models.list", "analytics.view", "logs.list", "logs.view", "logs.write", "logs.export"}
)
"""All that a tenant's key can have: other scopes show the whole workspace, other tenants included."""


class ApiKeyService:
    """`fields` are the contract's, only those that were sent. A key never makes one with more rights than its own."""

    def __init__(self, administration: Administration, pepper: bytes, random_bytes: RandomBytes = os.urandom) -> None:
        self._administration = administration
        self._pepper = pepper
        self._random_bytes = random_bytes

    async def create(
        self, principal: Principal, level: KeyLevel, owner: KeyOwner, fields: Mapping[str, Any]
    ) -> tuple[ApiKey, str]:
        """The key as it is kept, and its text: this is the only time it is seen."""
        minted = keys.mint(self._pepper, self._random_bytes)
        key = await self._administration.change(
            principal, lambda change: create_key(change, minted, level, owner, fields)
        )
        return key, minted.text

    async def find(
        self,
        principal: Principal,
        page: Page,
        kinds: Collection[Kind],
        *,
        workspace: str | None = None,
        tenant: str | None = None,
        name: str | None = None,
    ) -> tuple[Sequence[ApiKey], int]:
        """Keys of these kinds that are not revoked; for a workspace's key those of its workspace. `name`: a part of
        their name or id."""
        if name is not None:
            rules.text(name, "name", rules.NAME_LENGTH)

        def work(stores: Stores) -> tuple[Sequence[ApiKey], int]:
            within = visible_workspace(stores, principal, workspace).id if workspace else principal.workspace_id
            of = visible_tenant(stores, principal, tenant).id if tenant else principal.tenant_id
            return stores.api_keys.find(
                principal.organization_id, page, kinds=kinds, workspace_id=within, tenant_id=of, name=name
            )

        return await self._administration.transactions.read(work)

    async def get(self, principal: Principal, key_id: str) -> ApiKey:
        return await self._administration.transactions.read(lambda stores: visible_key(stores, principal, key_id))

    async def own(self, principal: Principal) -> ApiKey:
        """The key that asks. Raises `NotFound` for who came without one."""
        return await self.get(principal, principal.key_id or "self")

    async def update(self, principal: Principal, key_id: str, fields: Mapping[str, Any]) -> ApiKey:
        """A field that is null is cleared. `reset_usage` starts the budgets again from zero."""

        def work(change: Change) -> ApiKey:
            before = visible_key(change.stores, principal, key_id)
            _refuse_moved(before, fields, change.stores)
            after = changed(before, replace(_with(before, fields, change), updated_at=change.now), change.now)
            change.stores.api_keys.update(after)
            change.touched.keys.add(key_id)
            change.record("update", f"api_key:{key_id}", {"fields": sorted(fields)} | _seen(after))
            return after

        return await self._administration.change(principal, work)

    async def rotate(self, principal: Principal, key_id: str, fields: Mapping[str, Any]) -> tuple[ApiKey, str]:
        """The key with another secret, and its text: this is the only time it is seen."""
        minted = keys.mint(self._pepper, self._random_bytes, key_id)

        def work(change: Change) -> ApiKey:
            return rotate_key(change, visible_key(change.stores, principal, key_id), minted, fields)

        return await self._administration.change(principal, work), minted.text

    async def revoke(self, principal: Principal, key_id: str) -> None:
        """For good, and at once. Records that name the key still do."""

        def work(change: Change) -> None:
            key = visible_key(change.stores, principal, key_id)
            change.stores.api_keys.update(replace(key, revoked_at=change.now, updated_at=change.now))
            change.touched.keys.add(key_id)
            change.record(
                "delete",
                f"api_key:{key_id}",
                {"name": key.name, "masked": key.masked, "workspace_id": key.workspace_id},
            )

        await self._administration.change(principal, work)


def visible_key(stores: Stores, principal: Principal, key_id: str) -> ApiKey:
    """Raises the same `NotFound` for a key that is absent, revoked, or not for the principal to see."""
    key = stores.api_keys.get(key_id)
    if key is None or key.revoked_at is not None or key.organization_id != principal.organization_id:
        raise not_found("API key", key_id)
    principal.require_sight(key.workspace_id, "API key", key_id)
    if principal.tenant_id not in (None, key.tenant_id):
        raise not_found("API key", key_id)
    return key


def create_key(
    change: Change, minted: MintedKey, level: KeyLevel, owner: KeyOwner, fields: Mapping[str, Any]
) -> ApiKey:
    """Within a change under way."""
    workspace_id, tenant = _parents(change, level, fields)
    user_id = fields.get("user_id")
    if owner is KeyOwner.USER and not user_id:
        raise InvalidRequest("`user_id` is missing: a user key belongs to a user.", param="user_id")
    for missing in (each for each in ("name", "scopes") if fields.get(each) is None):
        raise InvalidRequest(f"`{missing}` is missing.", param=missing)
    blank = ApiKey(
        id=minted.id,
        organization_id=change.principal.organization_id,
        workspace_id=workspace_id,
        tenant_id=tenant.id if tenant else None,
        level=level,
        owner=owner,
        user_id=rules.name(user_id, "user_id") if owner is KeyOwner.USER else None,
        name="",
        hash=minted.hash,
        masked=minted.masked,
        scopes=frozenset(),
        created_at=change.now,
        updated_at=change.now,
    )
    key = _with(blank, {"allowed_models": None, **fields}, change)
    change.stores.api_keys.add(key)
    # Not for policies, of which it has none yet, but for those who remember that there is no such key.
    change.touched.keys.add(key.id)
    change.record("create", f"api_key:{key.id}", _seen(key))
    return key


def _parents(change: Change, level: KeyLevel, fields: Mapping[str, Any]) -> tuple[str | None, Tenant | None]:
    stores, principal = change.stores, change.principal
    if level is KeyLevel.ORGANIZATION:
        principal.require_organization()
        for parent in ("workspace_id", "tenant_id"):
            if fields.get(parent):
                raise InvalidRequest(f"`{parent}` does not go with a key of the organisation.", param=parent)
        return None, None
    named = principal.tenant_id if fields.get("tenant_id") is None else rules.name(fields["tenant_id"], "tenant_id")
    tenant = visible_tenant(stores, principal, named) if named else None
    reference = fields.get("workspace_id") or principal.workspace_id or (tenant.workspace_id if tenant else None)
    if reference is None:
        raise InvalidRequest(
            "`workspace_id` is missing: with an admin key, name the workspace by slug or id.", param="workspace_id"
        )
    workspace = visible_workspace(stores, principal, reference)
    if tenant is not None and tenant.workspace_id != workspace.id:
        raise InvalidRequest(
            f"The tenant `{tenant.slug}` is not in the workspace `{workspace.slug}`.", param="tenant_id"
        )
    return workspace.id, tenant


def _with(key: ApiKey, fields: Mapping[str, Any], change: Change) -> ApiKey:
    changes: dict[str, Any] = {}
    if "name" in fields:
        changes["name"] = rules.name(fields["name"])
    if "description" in fields:
        changes["description"] = rules.text(fields["description"] or "", "description")
    if "scopes" in fields:
        changes["scopes"] = _scopes(fields["scopes"], key, change.principal)
        require_within_role(change.stores, replace(key, scopes=changes["scopes"]))
    if "defaults" in fields:
        changes |= call_defaults.of_key(key, fields["defaults"], change)
    if "allowed_models" in fields:
        changes["allowed_models"] = granted(fields["allowed_models"], "allowed_models", change.principal.models)
    if "alert_emails" in fields:
        changes["alert_emails"] = rules.addresses(fields["alert_emails"], "alert_emails")
    changes |= limit_changes(key, fields, change.now)
    if "rotation_policy" in fields:
        changes["rotation_policy"], changes["next_rotation_at"] = rotation_policy(
            fields["rotation_policy"], change.now, key.next_rotation_at
        )
    if "expires_at" in fields:
        changes["expires_at"] = moments.end(fields["expires_at"], change.now, key.expires_at)
    return call_defaults.conforming_key(replace(key, **changes), change)


def _refuse_moved(key: ApiKey, fields: Mapping[str, Any], stores: Stores) -> None:
    tenant = stores.tenants.get(key.organization_id, key.tenant_id) if key.tenant_id else None
    stays = {
        "user_id": (None, key.user_id),
        "type": (None, f"{key.level}-{key.owner}", key.level),
        "workspace_id": names_of_workspace(stores, key.organization_id, key.workspace_id),
        "tenant_id": (tenant.id, tenant.slug) if tenant else (None,),
    }
    rules.refuse_moved("key", fields, stays)


def _scopes(value: object, key: ApiKey, principal: Principal) -> frozenset[str]:
    if key.level is KeyLevel.ORGANIZATION:
        return scopes.grantable(value, scopes.ORGANIZATION_SCOPES, principal.scopes)
    if key.tenant_id is not None:
        foreign = sorted(set(rules.texts(value, "scopes")) - TENANT_SCOPES)
        if foreign:
            raise InvalidRequest(
                f"A tenant's key cannot have `{foreign[0]}`; only {', '.join(sorted(TENANT_SCOPES))}.",
                param="scopes",
            )
    return scopes.grantable(value, scopes.WORKSPACE_SCOPES, held_for(principal, key.level))


def _seen(key: ApiKey) -> dict[str, Any]:
    return {
        "name": key.name,
        "masked": key.masked,
        "level": key.level,
        "workspace_id": key.workspace_id,
        "tenant_id": key.tenant_id,
        "scopes": sorted(key.scopes),
        "metadata": dict(key.metadata),
        "config_id": key.config_id,
        "allowed_models": key.allowed_models,
        "allow_config_override": key.allow_config_override,
        "usage_limits": [limit.document() for limit in key.usage_limits],
        "rate_limits": [limit.document() for limit in key.rate_limits],
        "expires_at": key.expires_at,
        "rotation_policy": key.rotation_policy.document() if key.rotation_policy else None,
        "next_rotation_at": key.next_rotation_at,
    }
