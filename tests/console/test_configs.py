"""Configs and guardrails in the console: written as JSON, each version kept."""

import json

from tests.console.conftest import Browser, text_of
from tests.console.furnished import customer

CONFIG = json.dumps({"targets": [{"provider": "@openai"}]})
OTHER = json.dumps({"retry": {"attempts": 2}, "targets": [{"provider": "@anthropic"}]})


async def test_a_config_is_written_changed_and_gone_back_to(admin: Browser) -> None:
    """Every version can be seen, and written again."""
    await customer(admin.world)
    assert "None yet" in text_of(await admin.get("/console/configs"))
    made = await admin.post("/console/configs/new", {"name": "Two", "workspace_id": "place", "config": CONFIG})
    assert "Of Workspace of Acme State active" in text_of(made)
    (found,) = (await admin.world.ok("GET", "/v1/configs"))["data"]
    page = f"/console/configs/{found['slug']}"
    changed = await admin.post(f"{page}/edit", {"name": "Two", "config": OTHER, "status": "active"})
    assert "@anthropic" in text_of(changed)
    before = await admin.get(f"{page}/edit?version=1")
    assert "@openai" in text_of(before)
    assert "@anthropic" not in text_of(before)
    assert (await admin.get(f"{page}/edit?version=9")).status == 400
    assert "active, the default" in text_of(await admin.post(f"{page}/default", {"is_default": "yes"}, page))
    assert "active, default" in text_of(await admin.get("/console/configs"))
    refused = await admin.post(f"{page}/remove", page=page)
    assert (refused.status, "is the default of the workspace `place`" in text_of(refused)) == (409, True)
    assert "the default of its" not in text_of(await admin.post(f"{page}/default", {"is_default": "no"}, page))
    assert "None yet" in text_of(await admin.post(f"{page}/remove", page=page))


async def test_what_is_wrong_in_a_config_is_named(admin: Browser) -> None:
    """JSON that is none by its place, a field by its path; what was typed stays."""
    for config, told in (
        ('{"targets": [}', "line 1, column 14"),
        ("", "`config` is missing"),
        ("[]", "`config` must be an object"),
        ('{"targets": [{"provider": "@a", "colour": 1}]}', "`config.targets[0].colour` is not known here"),
        ('{"targets": [{"custom_host": "https://a"}]}', "would name a host or a credential"),
        ('{"strategy": {"mode": "guess"}, "targets": [{"provider": "@a"}]}', "`config.strategy.mode`"),
    ):
        reply = await admin.post("/console/configs/new", {"name": "Mine", "config": config})
        assert (reply.status, reply.body.count(b'id="wrong"')) == (400, 1), config
        assert told in text_of(reply)
        assert b'value="Mine"' in reply.body
        assert not config or config in text_of(reply)


async def test_a_guardrail_is_written_changed_and_removed(admin: Browser) -> None:
    """What becomes of what fails is chosen by words; a mistake is named by its check and parameter."""
    assert "None yet" in text_of(await admin.get("/console/guardrails"))
    checks = json.dumps([{"id": "default.contains", "parameters": {"words": ["x"], "operator": "none"}}])
    fields = {"name": "No x", "checks": checks, "outcome": "deny", "actions": ""}
    for name, wrong, told in (
        ("checks", "[", "`checks` is no JSON"),
        ("checks", '[{"id": "none"}]', "`checks[0].id`: there is no check `none`"),
        ("actions", "[1]", "`actions` must be an object"),
        ("actions", '{"on_fail": {"feedback": {"value": "x"}}}', "`actions.on_fail.feedback.value`"),
    ):
        reply = await admin.post("/console/guardrails/new", {**fields, name: wrong})
        assert (reply.status, reply.body.count(b'id="wrong"')) == (400, 1), wrong
        assert told in text_of(reply)
    made = await admin.post("/console/guardrails/new", fields)
    assert "What fails is refused with 446" in text_of(made)
    (found,) = (await admin.world.ok("GET", "/v1/guardrails"))["data"]
    page = f"/console/guardrails/{found['slug']}"
    feedback = '{"on_fail": {"feedback": {"value": -5}}}'
    changed = await admin.post(f"{page}/edit", {**fields, "outcome": "tell", "actions": feedback})
    assert "What fails goes on, and its answer says so" in text_of(changed)
    assert "-5" in text_of(await admin.get(f"{page}/edit"))
    kept = await admin.world.ok("GET", f"/v1/guardrails/{found['slug']}")
    assert (kept["actions"]["deny"], kept["actions"]["async"]) == (False, False)
    assert "None yet" in text_of(await admin.post(f"{page}/remove", page=page))
