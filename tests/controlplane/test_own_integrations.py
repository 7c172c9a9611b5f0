"""Integrations that belong to one workspace: its own keys make and change them, and nobody else's see them."""

from typing import Any

import pytest

from tests.support.administration import World, customer_key

SECRET = "sk-never-to-be-seen-again-0001"
KEEPER = [f"workspace_integrations.{verb}" for verb in ("create", "read", "update", "delete", "list")]


async def _keeper(world: World, workspace: str = "default") -> str:
    body = {"name": "keeper", "workspace_id": workspace, "scopes": KEEPER}
    key: str = (await world.ok("POST", "/v1/api-keys/workspace/service", body))["key"]
    return key


async def _make(world: World, key: str | None = None, **fields: Any) -> str:
    body = {"name": "Own", "slug": "own", "ai_provider_id": "openai", "key": SECRET, **fields}
    slug: str = (await world.ok("POST", "/v1/integrations", body, key=key))["slug"]
    return slug


async def test_it_can_be_used_in_its_workspace_at_once(world: World) -> None:
    """Made by the workspace's own key, without naming the workspace; and shown as one of a workspace."""
    keeper = await _keeper(world)
    await _make(world, keeper)
    _, text = await customer_key(world, "default")
    assert set((await world.directory.authenticate(text)).providers) == {"own"}
    shown = await world.ok("GET", "/v1/integrations/own", key=keeper)
    assert (shown["type"], shown["masked_key"], shown["workspace_count"]) == ("workspace", "sk-…0001", 1)
    provisioned = await world.ok("GET", "/v1/integrations/own/workspaces", key=keeper)
    assert [each["slug"] for each in provisioned["workspaces"]] == ["default"]


async def test_it_is_changed_and_removed_by_its_workspace(world: World) -> None:
    """With its models; the credential that is sent takes the place of the one before."""
    keeper = await _keeper(world)
    await _make(world, keeper)
    await world.ok("PUT", "/v1/integrations/own", {"key": "sk-another-credential-0002"}, key=keeper)
    models = {"allow_all_models": False, "models": [{"slug": "gpt-4o", "enabled": True}]}
    await world.ok("PUT", "/v1/integrations/own/models", models, key=keeper)
    assert (await world.ok("GET", "/v1/integrations/own/models", key=keeper))["allow_all_models"] is False
    await world.ok("DELETE", "/v1/integrations/own", key=keeper)
    assert (await world.ok("GET", "/v1/integrations", key=keeper))["total"] == 0


async def test_the_organization_s_and_other_workspaces_are_absent(world: World) -> None:
    """Even those that the workspace may use: their credentials are not its business. All answers are the same."""
    await world.ok("POST", "/v1/admin/workspaces", {"name": "second"})
    await _make(world, name="Shared", slug="shared")
    access = {"workspaces": [{"id": "default", "enabled": True}]}
    await world.ok("PUT", "/v1/integrations/shared/workspaces", access)
    await _make(world, name="Theirs", slug="theirs", workspace_id="second")
    keeper = await _keeper(world)
    assert (await world.ok("GET", "/v1/integrations", key=keeper))["total"] == 0
    calls = (("GET", "", None), ("PUT", "", {"key": "sk-mine"}), ("DELETE", "", None), ("GET", "/workspaces", None))
    for method, tail, body in (*calls, ("GET", "/models", None), ("PUT", "/models", {"allow_all_models": True})):
        absent = await world.call(method, f"/v1/integrations/never-was{tail}", body, key=keeper)
        for slug in ("shared", "theirs"):
            reply = await world.call(method, f"/v1/integrations/{slug}{tail}", body, key=keeper)
            assert reply.status == absent.status == 404
            assert reply.body.replace(slug.encode(), b"") == absent.body.replace(b"never-was", b"")
    body = {"name": "n", "ai_provider_id": "openai", "key": SECRET, "workspace_id": "second"}
    assert (await world.call("POST", "/v1/integrations", body, key=keeper)).status == 404


async def test_prices_are_the_organization_s_to_set(world: World) -> None:
    """They decide over budgets that are not the workspace's: neither a price, nor a cheap base, nor a multiplier."""
    keeper = await _keeper(world)
    await _make(world, keeper)
    price = {"pay_as_you_go": {"request_token": {"price": 0}, "response_token": {"price": 0}}}
    for path, body in (
        ("", {"pricing_adjustments": {"multiplier": {"default": 0}}}),
        ("/models", {"models": [{"slug": "gpt-4o", "enabled": True, "pricing_config": price}]}),
        ("/models", {"models": [{"slug": "gpt-4o", "enabled": True, "base_model_slug": "gpt-4o-mini"}]}),
    ):
        assert (await world.call("PUT", f"/v1/integrations/own{path}", body, key=keeper)).status == 403
        await world.ok("PUT", f"/v1/integrations/own{path}", body)


@pytest.mark.parametrize(
    ("query", "slugs"),
    [
        ("", ["shared", "own"]),
        ("?type=all", ["shared", "own"]),
        ("?type=organisation", ["shared"]),
        ("?type=workspace", ["own"]),
        ("?workspace_id=default", ["own"]),
        ("?workspace_id=second", []),
    ],
)
async def test_a_list_is_narrowed(world: World, query: str, slugs: list[str]) -> None:
    """By whose they are, and by who has them."""
    await world.ok("POST", "/v1/admin/workspaces", {"name": "second"})
    await _make(world, name="Shared", slug="shared")
    await _make(world, workspace_id="default")
    assert [each["slug"] for each in (await world.ok("GET", f"/v1/integrations{query}"))["data"]] == slugs


async def test_an_admin_key_with_the_workspaces_scopes_only_sees_theirs_only(world: World) -> None:
    """Scopes of the one family do not open the other."""
    body = {"name": "narrow", "scopes": KEEPER}
    narrow = (await world.ok("POST", "/v1/api-keys/organisation/service", body))["key"]
    await _make(world, name="Shared", slug="shared")
    await _make(world, workspace_id="default")
    listed = await world.ok("GET", "/v1/integrations", key=narrow)
    assert [each["slug"] for each in listed["data"]] == ["own"]
    assert (await world.call("GET", "/v1/integrations?type=organisation", key=narrow)).status == 403
    assert (await world.call("GET", "/v1/integrations/shared", key=narrow)).status == 403
    body = {"name": "n", "ai_provider_id": "openai", "key": SECRET}
    assert (await world.call("POST", "/v1/integrations", body, key=narrow)).status == 403
