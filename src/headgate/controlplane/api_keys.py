"""`/api-keys`: minted, shown without their secret, changed and revoked."""

from enum import StrEnum
from typing import Annotated, Any

from fastapi import APIRouter

from headgate.base.errors import InvalidRequest
from headgate.controlplane.answers import Answer, done, long_listing
from headgate.controlplane.caller import AuthenticatedRoute, WithServices, chooses
from headgate.controlplane.key_bodies import KeyChange, KeyRotation, NewKey, shown
from headgate.controlplane.paging import Paged
from headgate.tenancy.api_key import ApiKey, KeyLevel, KeyOwner
from headgate.tenancy.moments import to_iso
from headgate.tenancy.principal import Principal

router = APIRouter(prefix="/api-keys", tags=["API keys"], route_class=AuthenticatedRoute)


def scope_of(level: KeyLevel, owner: KeyOwner, verb: str) -> str:
    """An organization's keys share one family, whoever holds them."""
    if level is KeyLevel.ORGANIZATION:
        return f"organisation_service_api_keys.{verb}"
    return f"workspace_{owner}_api_keys.{verb}"


def _one_of(verb: str) -> Any:
    """The scope is that of the key's kind."""
    return chooses(*dict.fromkeys(scope_of(level, owner, verb) for level in KeyLevel for owner in KeyOwner))


class _Listed(StrEnum):
    """The kinds of keys a list can show, and the scope that shows each."""

    ORGANIZATION = "organisation_service_api_keys.list"
    SERVICE = "workspace_service_api_keys.list"
    USER = "workspace_user_api_keys.list"


_KINDS = {
    _Listed.ORGANIZATION: [(KeyLevel.ORGANIZATION, KeyOwner.SERVICE), (KeyLevel.ORGANIZATION, KeyOwner.USER)],
    _Listed.SERVICE: [(KeyLevel.WORKSPACE, KeyOwner.SERVICE)],
    _Listed.USER: [(KeyLevel.WORKSPACE, KeyOwner.USER)],
}


Creator = Annotated[Principal, _one_of("create")]
Lister = Annotated[Principal, _one_of("list")]
Reader = Annotated[Principal, _one_of("read")]
Changer = Annotated[Principal, _one_of("update")]
Remover = Annotated[Principal, _one_of("delete")]
Rotator = Annotated[Principal, _one_of("rotate")]


@router.post("/{key_id}/rotate")  # before the next route, to which it would be a kind of key
async def rotate(key_id: str, services: WithServices, principal: Rotator, body: KeyRotation | None = None) -> Answer:
    """Give a key another secret. `key` in the answer is the only time it is shown; the one before stays good until
    `key_transition_expires_at`, and until then the key cannot be rotated again. Its id and what it used stay."""
    await _visible(services, principal, key_id, "rotate")
    key, text = await services.api_keys.rotate(principal, key_id, body.sent() if body else {})
    expires_at = to_iso(key.previous_until) if key.previous_until is not None else None
    return Answer({"id": key.id, "key": text, "key_transition_expires_at": expires_at, "object": "api-key"})


@router.post("/{level}/{owner}")
async def create(level: str, owner: str, body: NewKey, services: WithServices, principal: Creator) -> Answer:
    """Mint a key. `key` in the answer is the only time it is shown."""
    checked_level, checked_owner = _level(level), _owner(owner)
    principal.require(scope_of(checked_level, checked_owner, "create"))
    key, text = await services.api_keys.create(principal, checked_level, checked_owner, body.sent())
    return Answer({"id": key.id, "key": text, "object": "api-key"})


@router.get("")
async def find(
    services: WithServices,
    page: Paged,
    principal: Lister,
    workspace_id: str | None = None,
    tenant_id: str | None = None,
) -> Answer:
    """All keys that the caller may list, or those of one workspace or tenant."""
    principal.require(*_Listed)
    kinds = [kind for scope in _Listed if scope in principal.scopes for kind in _KINDS[scope]]
    found, total = await services.api_keys.find(principal, page, kinds, workspace=workspace_id, tenant=tenant_id)
    standings = await services.standings.of(principal.organization_id, found)
    now = services.clock.now()
    pairs = list(zip(found, standings, strict=True))
    return await long_listing(lambda: [shown(each, standing, now) for each, standing in pairs], total)


@router.get("/self")
async def get_own(services: WithServices, principal: Annotated[Principal, chooses()]) -> Answer:
    """The key that asks: its limits, what it used and what is left. It needs no scope."""
    return await _shown(services, await services.api_keys.own(principal))


@router.get("/{key_id}")
async def get(key_id: str, services: WithServices, principal: Reader) -> Answer:
    """One key: everything but the key itself. A key may always see itself."""
    if principal.key_id == key_id:
        return await get_own(services, principal)
    return await _shown(services, await _visible(services, principal, key_id, "read"))


@router.put("/{key_id}")
async def update(key_id: str, body: KeyChange, services: WithServices, principal: Changer) -> Answer:
    """Change what is sent; null clears. It applies to the next call."""
    await _visible(services, principal, key_id, "update")
    await services.api_keys.update(principal, key_id, body.sent())
    return done()


@router.delete("/{key_id}")
async def delete(key_id: str, services: WithServices, principal: Remover) -> Answer:
    """Revoke a key, at once and for good."""
    await _visible(services, principal, key_id, "delete")
    await services.api_keys.revoke(principal, key_id)
    return done()


async def _shown(services: WithServices, key: ApiKey) -> Answer:
    return Answer(shown(key, await services.standings.one(key.organization_id, key), services.clock.now()))


async def _visible(services: WithServices, principal: Principal, key_id: str, verb: str) -> ApiKey:
    principal.require(*(scope_of(level, owner, verb) for level in KeyLevel for owner in KeyOwner))
    key = await services.api_keys.get(principal, key_id)
    principal.require(scope_of(key.level, key.owner, verb))
    return key


def _level(text: str) -> KeyLevel:
    try:
        return KeyLevel(text.replace("organization", "organisation"))
    except ValueError:
        raise InvalidRequest(
            "The path must be /api-keys/organisation/… or /api-keys/workspace/…", param="type"
        ) from None


def _owner(text: str) -> KeyOwner:
    try:
        return KeyOwner(text)
    except ValueError:
        # An SDK that was given no sub_type sends the word NOT_GIVEN.
        raise InvalidRequest("`sub_type` must be `user` or `service`.", param="sub_type") from None
