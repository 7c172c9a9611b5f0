"""The keys of users: what their holder may do, and so at most what they may, and that they end with him."""

from dataclasses import replace

from headgate.base.errors import Forbidden
from headgate.tenancy.administration import Change
from headgate.tenancy.api_key import ApiKey, KeyOwner
from headgate.tenancy.principal import not_found
from headgate.tenancy.stores import Stores
from headgate.tenancy.user import scopes_in_organization, scopes_in_workspace


def holder_scopes(stores: Stores, key: ApiKey) -> frozenset[str] | None:
    """All that the role of the key's user allows where the key belongs; None: there is no such user."""
    user = stores.users.get(key.organization_id, key.user_id) if key.user_id else None
    if user is None:
        return None
    if key.workspace_id is None:
        return scopes_in_organization(user)
    return scopes_in_workspace(user, stores.members.get(key.workspace_id, user.id))


def require_within_role(stores: Stores, key: ApiKey) -> None:
    """Raises `NotFound` for a user's key where there is no such user, and `Forbidden` where it has a scope that his
    role does not allow. A service may have any."""
    if key.owner is not KeyOwner.USER:
        return
    allowed = holder_scopes(stores, key)
    if allowed is None:
        raise not_found("user", key.user_id or "")
    beyond = sorted(key.scopes - allowed)
    if beyond:
        raise Forbidden(
            f"The role of the user `{key.user_id}` does not allow the scope `{beyond[0]}` here, so a key of his cannot "
            "have it.",
            param="scopes",
        )
    if not allowed:
        raise Forbidden(f"The user `{key.user_id}` is not a member here, so he can have no key.", param="user_id")


def touch_keys(change: Change, user_id: str) -> None:
    """What his keys may do is another from now on."""
    keys = change.stores.api_keys.of_user(change.principal.organization_id, user_id)
    change.touched.keys.update(key.id for key in keys)


def revoke_keys(change: Change, user_id: str, workspace_id: str | None = None) -> None:
    """All of his, or those of one workspace."""
    for key in change.stores.api_keys.of_user(change.principal.organization_id, user_id, workspace_id):
        change.stores.api_keys.update(replace(key, revoked_at=change.now, updated_at=change.now))
        change.touched.keys.add(key.id)
        body = {"name": key.name, "masked": key.masked, "workspace_id": key.workspace_id, "user_id": user_id}
        change.record("delete", f"api_key:{key.id}", body)
