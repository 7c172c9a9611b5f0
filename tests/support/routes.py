"""The routes of the control plane as the authorisation tests need them: what opens each, and something to send it."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, get_args

from fastapi.routing import APIRoute

from headgate.controlplane.app import ROUTERS
from headgate.controlplane.body import Body
from headgate.controlplane.caller import Chooses, Needs, OpenTo
from tests.support.administration import World
from tests.support.people import joined

HERE = "tests/support/routes.py"
PLAIN = {
    "/api-keys/{level}": "workspace",
    "/api-keys/{level}/{owner}": "service",
    "/analytics/graphs/feedbacks/{graph}": "scores",
    "/analytics/graphs/{graph:path}": "cost",
    "/analytics/groups/{group_by}": "model",
    "/analytics/groups/metadata/{key:path}": "tier",
    "/model-configs/pricing/{provider}": "openai",
    "/policies/usage-limits/{policy_id}/entities/{entity_id}": "k",
    "/policies/rate-limits/{policy_id}/entities/{entity_id}": "k",
    "/model-configs/pricing/{provider}/{model:path}": "gpt-4o",
}
"""What stands in a path for no object."""


@dataclass(frozen=True, slots=True)
class Route:
    """`access` is all that it declares; `body` what it takes."""

    method: str
    path: str
    route: APIRoute
    access: tuple[Needs | Chooses | OpenTo, ...]
    body: type[Body] | None

    def __str__(self) -> str:
        return f"{self.method} {self.path}"

    @property
    def scopes(self) -> frozenset[str]:
        """Any of them opens it."""
        return frozenset(scope for each in self.access if not isinstance(each, OpenTo) for scope in each.scopes)

    @property
    def open(self) -> bool:
        """Without a key."""
        return any(isinstance(each, OpenTo) for each in self.access)

    @property
    def for_any_key(self) -> bool:
        return not self.open and not self.scopes

    @property
    def objects(self) -> list[str]:
        """Its path up to each parameter that names an object."""
        found = [self.path[: match.end()] for match in re.finditer(r"\{[^}]+\}", self.path)]
        return [each for each in found if each not in PLAIN]


def declared(route: APIRoute) -> tuple[Needs | Chooses | OpenTo, ...]:
    calls = [each.call for each in route.dependant.dependencies]
    return tuple(call for call in calls if isinstance(call, Needs | Chooses | OpenTo))


def body_of(route: APIRoute) -> Any:
    """The type its body is declared with."""
    if route.body_field is None:
        return None
    annotation = route.body_field.field_info.annotation
    kinds = [each for each in get_args(annotation) if each is not type(None)]
    return kinds[0] if kinds else annotation


def routes() -> Iterator[Route]:
    """All there are, in the order in which they are looked at."""
    for router in ROUTERS:
        for route in router.routes:
            assert isinstance(route, APIRoute)
            for method in sorted(route.methods or ()):
                yield Route(method, route.path, route, declared(route), body_of(route))


def filled(path: str, objects: Mapping[str, str], otherwise: str | None = None) -> str:
    """The path under `/v1`, with an object for each parameter; `otherwise` stands for what is not in `objects`."""

    def named(match: re.Match[str]) -> str:
        prefix = path[: match.end()]
        found = PLAIN.get(prefix) or objects.get(prefix) or otherwise
        assert found is not None, (
            f"{path}: the tests do not know what to put for {match[0]}. Where it names an object, make one in "
            f"`furnish` in {HERE}; where it does not, add {prefix!r} to PLAIN there."
        )
        return found

    return "/v1" + re.sub(r"\{[^}]+\}", named, path)


async def furnish(world: World, tag: str, key: str | None = None) -> dict[str, str]:
    """One object of every kind in a new workspace, made with an organization's key: by the path that names it."""

    async def made(path: str, body: Mapping[str, Any], field: str = "id") -> str:
        return str((await world.ok("POST", f"/v1{path}", body, key=key))[field])

    workspace = await made("/admin/workspaces", {"name": f"{tag} workspace", "slug": f"{tag}-workspace"})
    own = {"workspace_id": workspace}
    integration = {"name": tag, "slug": f"{tag}-shared", "ai_provider_id": "openai", "key": "sk-0000000000000000"}
    await made("/integrations", integration)
    access = {"workspaces": [{"id": workspace, "enabled": True}]}
    await world.ok("PUT", f"/v1/integrations/{tag}-shared/workspaces", access, key=key)
    scopes = {"name": tag, "scopes": ["logs.view"], **own}
    user = await joined(world, f"{tag}@example.com", workspaces={workspace: "member"}, key=key)
    hook = await made("/admin/webhooks", {"url": "https://hooks.example.com/x", **own})
    writing = {"name": f"{tag} writer", "scopes": ["completions.write", "logs.write"], **own}
    writer = await made("/api-keys/workspace/service", writing, "key")
    log = await world.ok("POST", "/v1/logs", {"request": {"url": tag}}, key=writer)
    feedback = await world.ok("POST", "/v1/feedback", {"trace_id": tag, "value": 1}, key=writer)
    invite = {"email": f"{tag}-invited@example.com", "role": "member"}
    limited = {"name": tag, "conditions": [{"key": "workspace_id", "value": workspace}], **own}
    grouped = {"group_by": [{"key": "api_key"}]}
    tenant = await made("/admin/tenants", {"tenant_id": f"{tag}-tenant", "name": tag, **own})
    await world.ok("POST", f"/v1/admin/tenants/{tenant}/users", {"users": [{"id": user.id}]}, key=key)
    return {
        "/admin/workspaces/{workspace_id}": workspace,
        "/admin/tenants/{tenant_id}": tenant,
        "/admin/tenants/{tenant_id}/users/{user_id}": user.id,
        "/admin/tenants/{tenant_id}/portal-sessions/{session_id}": await made(
            f"/admin/tenants/{tenant}/portal-sessions", {}
        ),
        "/api-keys/{key_id}": await made("/api-keys/workspace/service", scopes),
        "/integrations/{slug}": await made(
            "/integrations", {**integration, "name": f"{tag} own", "slug": f"{tag}-own", **own}, "slug"
        ),
        "/providers/{slug}": await made(
            "/providers", {"name": tag, "slug": f"{tag}-provider", "integration_id": f"{tag}-shared", **own}, "slug"
        ),
        "/virtual-keys/{slug}": await made(
            "/virtual-keys", {"name": tag, "slug": f"{tag}-vk", "provider": "openai", "key": "sk-1", **own}, "slug"
        ),
        "/admin/webhooks/{webhook_id}": hook,
        "/admin/webhooks/{webhook_id}/deliveries/{delivery_id}": await made(f"/admin/webhooks/{hook}/test", {}),
        "/policies/usage-limits/{policy_id}": await made(
            "/policies/usage-limits", {**limited, **grouped, "type": "cost", "credit_limit": 1}
        ),
        "/policies/rate-limits/{policy_id}": await made(
            "/policies/rate-limits", {**limited, **grouped, "type": "requests", "unit": "rpm", "value": 1}
        ),
        "/configs/{slug}": await made("/configs", {"name": tag, "config": {"retry": {"attempts": 1}}, **own}, "slug"),
        "/prompts/{prompt_id}": await made("/prompts", {"name": tag, "string": "Hello", **own}, "slug"),
        "/guardrails/{guardrail_id}": await made("/guardrails", {"name": tag, **GUARDRAIL, **own}),
        "/admin/users/{user_id}": user.id,
        "/admin/users/invites/{invite_id}": await made("/admin/users/invites", invite),
        "/admin/workspaces/{workspace_id}/users/{user_id}": user.id,
        "/logs/{log_id}": log["id"],
        "/logs/exports/{export_id}": await made("/logs/exports", {"requested_data": ["id"], **own}),
        "/feedback/{feedback_id}": feedback["feedback_ids"][0],
    }


GUARDRAIL: Mapping[str, Any] = {
    "checks": [{"id": "default.modelWhitelist", "parameters": {"models": ["gpt-4o"]}}],
    "actions": {"deny": True},
}
_LIMITED = {"conditions": [{"key": "api_key", "value": "k"}], "group_by": [{"key": "api_key"}]}
BODIES: Mapping[str, Mapping[str, Any]] = {
    "PUT /admin/organisation": {"name": "Renamed"},
    "POST /admin/workspaces": {"name": "New"},
    "PUT /admin/workspaces/{workspace_id}": {"description": "d"},
    "POST /admin/tenants": {"name": "new", "workspace_id": "default"},
    "PUT /admin/tenants/{tenant_id}": {"name": "renamed"},
    "POST /admin/tenants/{tenant_id}/portal-sessions": {"name": "Ada", "expires_in": 60},
    "POST /admin/tenants/{tenant_id}/users": {"users": [{"id": "usr_none", "role": "member"}]},
    "POST /api-keys/{key_id}/rotate": {"key_transition_period_ms": 1_800_000},
    "POST /api-keys/{level}/{owner}": {"name": "k", "scopes": ["logs.view"], "workspace_id": "default"},
    "PUT /api-keys/{key_id}": {"name": "renamed"},
    "POST /integrations": {"name": "new", "ai_provider_id": "openai", "key": "sk-2"},
    "PUT /integrations/{slug}": {"description": "d"},
    "PUT /integrations/{slug}/workspaces": {"workspaces": [{"id": "mine-workspace", "enabled": True}]},
    "PUT /integrations/{slug}/models": {"models": [{"slug": "gpt-4o", "enabled": True}]},
    "POST /providers": {"name": "new", "integration_id": "mine-shared", "workspace_id": "mine-workspace"},
    "PUT /providers/{slug}": {"note": "n"},
    "POST /virtual-keys": {"name": "new", "provider": "openai", "key": "sk-3", "workspace_id": "default"},
    "PUT /virtual-keys/{slug}": {"note": "n"},
    "POST /admin/webhooks": {"url": "https://hooks.example.com/y"},
    "PUT /admin/webhooks/{webhook_id}": {"description": "d"},
    "PUT /admin/alerts": {"percents": [50]},
    "POST /policies/usage-limits": {"name": "p", **_LIMITED, "type": "cost", "credit_limit": 1},
    "PUT /policies/usage-limits/{policy_id}": {"name": "renamed"},
    "POST /policies/rate-limits": {"name": "p", **_LIMITED, "type": "requests", "unit": "rpm", "value": 1},
    "PUT /policies/rate-limits/{policy_id}": {"name": "renamed"},
    "POST /configs": {"name": "c", "config": {"retry": {"attempts": 1}}, "workspace_id": "default"},
    "PUT /configs/{slug}": {"name": "renamed"},
    "POST /prompts": {"name": "p", "string": "Hello {{name}}", "workspace_id": "default"},
    "PUT /prompts/{prompt_id}": {"name": "renamed"},
    "POST /prompts/{prompt_id}/render": {"variables": {"name": "Ada"}},
    "POST /guardrails": {"name": "g", **GUARDRAIL, "workspace_id": "default"},
    "PUT /guardrails/{guardrail_id}": {"name": "renamed"},
    "POST /admin/users/invites": {"email": "new@example.com", "role": "member"},
    "PUT /admin/users/{user_id}": {"first_name": "Renamed"},
    "POST /admin/workspaces/{workspace_id}/users": {"users": [{"id": "usr_none", "role": "member"}]},
    "PUT /admin/workspaces/{workspace_id}/users/{user_id}": {"role": "manager"},
    "POST /logs": {"request": {"url": "u"}},
    "POST /logs/exports": {"requested_data": ["id"]},
    "PUT /logs/exports/{export_id}": {"description": "d"},
    "POST /feedback": {"trace_id": "t", "value": 1},
    "PUT /feedback/{feedback_id}": {"value": 2},
    "POST /admin/users/invites/accept": {"token": "0" * 40, "first_name": "A"},
}
"""A body that each route takes."""

QUERIES: Mapping[str, str] = {"DELETE /integrations/{slug}/models": "?slugs=gpt-4o"}
"""Of routes that take nothing without."""


def sample(route: Route) -> Mapping[str, Any] | None:
    if route.body is None:
        return None
    assert str(route) in BODIES, f"{route}: add a body that it takes to BODIES in {HERE}."
    return BODIES[str(route)]
