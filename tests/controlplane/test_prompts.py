"""Stored prompts: made, shown, changed, removed, and what they cannot be."""

import pytest

from tests.support.administration import World

NEW = {"name": "Greeting", "string": "Hello {{name}}, {{ name }} and {{other}}", "workspace_id": "default"}


async def test_a_prompt_is_stored(world: World) -> None:
    """With its variables, and a version for each time it is written."""
    made = await world.ok("POST", "/v1/prompts", {**NEW, "model": "@a/m", "parameters": {"max_tokens": 5}})
    found = await world.ok("GET", f"/v1/prompts/{made['slug']}")
    assert found["variables"] == ["name", "other"]
    assert found["messages"] == [{"role": "user", "content": NEW["string"]}]
    assert (found["model"], found["parameters"]) == ("@a/m", {"max_tokens": 5})
    changed = await world.ok("PUT", f"/v1/prompts/{made['id']}", {"name": "Renamed"})
    assert changed["version_id"] != made["version_id"]
    listed = await world.ok("GET", "/v1/prompts?workspace_id=default")
    assert [each["name"] for each in listed["data"]] == ["Renamed"]
    await world.ok("DELETE", f"/v1/prompts/{made['slug']}")
    assert (await world.call("GET", f"/v1/prompts/{made['slug']}")).status == 404


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"string": None}, "messages"),
        ({"string": None, "messages": []}, "messages"),
        ({"string": None, "messages": [{"content": "x"}]}, "messages.0"),
        ({"messages": [{"role": "user", "content": "x"}]}, "string"),
        ({"string": "[oops"}, "string"),
        ({"parameters": {"model": "m"}}, "parameters.model"),
        ({"workspace_id": None}, "workspace_id"),
    ],
)
async def test_what_it_cannot_be_is_named(world: World, fields: dict[str, object], param: str) -> None:
    """By its field."""
    refused = await world.call("POST", "/v1/prompts", {**NEW, **fields})
    assert (refused.status, refused.json["error"]["param"]) == (400, param)
