"""Users for tests, made the way they are made: invited and accepted."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tests.support.administration import World


@dataclass(frozen=True, slots=True)
class Joined:
    """A user; `keys` by the workspace's id, where the invite made some."""

    id: str
    email: str
    keys: Mapping[str, str]


def token_of(link: str) -> str:
    return link.partition("#token=")[2]


async def invited(
    world: World, email: str, role: str = "member", *, key: str | None = None, **more: Any
) -> tuple[str, str]:
    """The id of an invite and the token of its link."""
    made = await world.ok("POST", "/v1/admin/users/invites", {"email": email, "role": role, **more}, key=key)
    return made["id"], token_of(made["invite_link"])


async def joined(
    world: World,
    email: str,
    role: str = "member",
    workspaces: Mapping[str, str] | None = None,
    scopes: list[str] | None = None,
    *,
    key: str | None = None,
) -> Joined:
    """`workspaces`: role by slug; `scopes` of the key that is made in each of them."""
    more: dict[str, Any] = {"workspaces": [{"id": slug, "role": each} for slug, each in (workspaces or {}).items()]}
    if scopes is not None:
        more["workspace_api_key_details"] = {"scopes": scopes}
    _, token = await invited(world, email, role, key=key, **more)
    body = {"token": token, "first_name": "Ann", "last_name": "Other"}
    made = await world.ok("POST", "/v1/admin/users/invites/accept", body, key="")
    return Joined(made["id"], made["email"], {each["workspace_id"]: each["key"] for each in made["api_keys"]})
