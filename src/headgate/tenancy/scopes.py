"""What a key may do: the contract's scopes, those of a workspace and those of the organization."""

from collections.abc import Collection
from typing import Final

from headgate.base.errors import Forbidden, InvalidRequest
from headgate.tenancy import rules


def _family(noun: str, verbs: str) -> set[str]:
    return {f"{noun}.{verb}" for verb in verbs.split()}


_CRUDL: Final = "create read update delete list"
ACT_AS: Final = "tenants.act_as"
"""To call for any tenant of the key's workspace, under that tenant's policy."""

_ADMINISTRATION: Final = {
    *_family("logs", "export list view write"),
    "analytics.view",
    *_family("configs", _CRUDL),
    *_family("providers", _CRUDL),
    *_family("virtual_keys", f"{_CRUDL} duplicate copy"),
    *_family("guardrails", f"{_CRUDL} invoke"),
    *_family("policies", _CRUDL),
    *_family("prompts", f"{_CRUDL} publish render"),
    *_family("workspace_users", _CRUDL),
    *_family("workspace_integrations", _CRUDL),
    *_family("workspace_service_api_keys", f"{_CRUDL} rotate"),
    *_family("workspace_user_api_keys", f"{_CRUDL} rotate"),
    "organisation_integrations.list",
    *_family("tenants", _CRUDL),
    *_family("webhooks", _CRUDL),
    *_family("portal_sessions", "create delete list"),
}

WORKSPACE_SCOPES: Final[frozenset[str]] = frozenset(
    {"completions.write", "models.list", ACT_AS, *_family("workspaces", "read update list"), *_ADMINISTRATION}
)
"""What a key of a workspace can have."""

ORGANIZATION_SCOPES: Final[frozenset[str]] = frozenset(
    {
        *_ADMINISTRATION,
        *_family("workspaces", _CRUDL),
        *_family("organisation_users", _CRUDL),
        *_family("organisation_service_api_keys", f"{_CRUDL} rotate"),
        *_family("organisation_settings", "read update"),
        *_family("organisation_guardrails", _CRUDL),
        *_family("organisation_integrations", _CRUDL),
        "audit_logs.list",
        *_family("secret_references", _CRUDL),
    }
)
"""What an organization's admin key can have: everything but calls to models."""

OF_CALLS: Final = WORKSPACE_SCOPES - ORGANIZATION_SCOPES
"""What only a key of a workspace can have."""


def grantable(value: object, allowed: Collection[str], held: Collection[str]) -> frozenset[str]:
    """The scopes of a new key: known to its kind, and held by who makes it. A key never makes one with more rights."""
    asked = rules.texts(value, "scopes", most=len(WORKSPACE_SCOPES | ORGANIZATION_SCOPES))
    for scope in asked:
        if scope not in allowed:
            raise InvalidRequest(f"`{scope}` is no scope of this kind of key.", param="scopes")
        if scope not in held:
            raise Forbidden(f"Your key does not have the scope `{scope}`, so it cannot grant it.", param="scopes")
    return frozenset(asked)
