"""The routing table and the dry run in the console."""

import pytest

from tests.console.conftest import Browser, text_of
from tests.console.furnished import customer
from tests.console.portal.conftest import ADMIN, Guest, Place, place, template

__all__ = ["place", "template"]

TABLE = {
    "tier": ["free", "pro", "", ""],
    "simple": ["@openai/gpt-4o-mini", "@openai/gpt-4o", "", ""],
    "complex": ["", "@openai/o3", "", ""],
    "default_tier": "free",
    "length": "500",
    "keywords": "compare",
    "tools": "no",
    "images": "",
}


async def test_a_table_is_written_for_the_organization_and_bent_below(admin: Browser) -> None:
    """A tier with one model has it for all calls; a workspace's and a tenant's entries count before those above."""
    await customer(admin.world)
    assert "No tier is set" in text_of(await admin.get("/console/routing"))
    seen = text_of(await admin.post("/console/routing", TABLE))
    assert "free default @openai/gpt-4o-mini @openai/gpt-4o-mini" in seen
    assert "pro @openai/gpt-4o @openai/o3" in seen
    assert "Complex: more than 500 characters, 1 words and phrases, images." in seen
    of = await admin.world.ok("GET", "/v1/admin/organisation")
    assert of["routing_table"]["complexity"] == {"length": 500, "keywords": ["compare"], "tools": False}
    own = {**dict.fromkeys(TABLE, ""), "tier": "pro", "simple": "@a/b", "workspace": "place"}
    seen = text_of(await admin.post("/console/routing", own, "/console/routing?workspace=place"))
    assert "pro @a/b @a/b Workspace of Acme" in seen
    assert "free default @openai/gpt-4o-mini @openai/gpt-4o-mini" in seen
    seen = text_of(await admin.post("/console/routing", {**own, "simple": "@c/d", "workspace": "", "tenant": "acme"}))
    assert "pro @c/d @c/d Acme" in seen
    await admin.post("/console/routing", {**dict.fromkeys(TABLE, ""), "tenant": "acme"})
    assert (await admin.world.ok("GET", "/v1/admin/tenants/acme"))["routing_table"] == {}


async def test_what_is_wrong_in_the_table_is_named(admin: Browser) -> None:
    """Beside its field, with all that was typed."""
    for field, wrong in (
        ("complex", ["@openai/*", "@openai/o3", "", ""]),
        ("length", "long"),
        ("keywords", "x" * 101),
        ("simple", ["auto", "@openai/o3", "", ""]),
    ):
        reply = await admin.post("/console/routing", {**TABLE, field: wrong})
        assert (reply.status, reply.body.count(b'id="wrong"')) == (400, 1), field
        assert b'value="@openai/o3"' in reply.body
    assert (await admin.get("/console/routing?tenant=nobody")).status == 404


@pytest.fixture
async def operator(place: Place) -> Guest:
    """Signed in at the console of a running gateway."""
    browser = place.guest()
    assert (await browser.sign_in(key=ADMIN)).status == 200
    return browser


async def test_a_dry_run_says_where_a_call_would_go(place: Place, operator: Guest) -> None:
    """For a tenant, a key and a workspace; by table and by config, with what it would cost; nothing is held."""
    table = {"tiers": {"free": {"simple": "@openai/sim-fast", "complex": "@openai/sim-slow"}}}
    await place.admin("PUT", "/admin/organisation", {"routing_table": table})
    fields = {"tenant": "acme", "model": "auto", "message": "Compare this.", "max_tokens": "50"}
    seen = text_of(await operator.post("/console/dry-run", fields))
    assert "A call of the tenant Name of acme It would go to @openai/sim-slow" in seen
    assert "the tier is free , the call is complex" in seen
    assert "It fits into every limit now." in seen
    seen = text_of(await operator.post("/console/dry-run", {**fields, "message": "Hello"}))
    assert "It would go to @openai/sim-fast" in seen
    config = {
        "strategy": {"mode": "fallback"},
        "targets": [{"override_params": {"model": each}} for each in ("sim-fast", "sim-slow")],
    }
    made = await place.admin("POST", "/configs", {"name": "Two", "config": config})
    two = {**fields, "tenant": "", "key": place.acme.key_id, "model": "@openai/sim-fast", "config": made["slug"]}
    seen = text_of(await operator.post("/console/dry-run", two))
    assert "A call of the key key of acme" in seen
    assert f"The config {made['slug']} names the targets." in seen
    assert "After any answer that is no success, on to" in seen
    here = {"workspace": "default", "model": "@openai/sim-fast", "message": "Hello", "endpoint": "/v1/messages"}
    assert "A call of the workspace" in text_of(await operator.post("/console/dry-run", {**here, "max_tokens": "9"}))
    state = await place.admin("GET", "/admin/system")
    assert (state["holds"], state["held"]) == ([], 0)


async def test_a_dry_run_says_why_a_call_would_go_nowhere(place: Place, operator: Guest) -> None:
    """What the call itself would be refused for, what has no room, and what cannot be asked."""
    fields = {"tenant": "acme", "model": "@openai/sim-fast", "message": "Hello", "max_tokens": "50"}
    seen = await operator.post("/console/dry-run", {**fields, "model": "@nobody/x"})
    assert "It would be refused:" in text_of(seen)
    dear = text_of(await operator.post("/console/dry-run", {**fields, "max_tokens": "9000000"}))
    assert "It would go nowhere now" in dear
    assert "It does not fit into cost of the tenant (monthly)" in dear
    for wrong, told in (
        ({"tenant": "nobody"}, "nobody"),
        ({"tenant": ""}, "Name a key, a tenant or a workspace"),
        ({"max_tokens": "many"}, "`max_tokens` must be"),
        ({"config": "{"}, "`config` is no JSON"),
        ({"config": "pc-none"}, "There is no config"),
    ):
        reply = await operator.post("/console/dry-run", {**fields, **wrong})
        assert reply.status in (400, 404), wrong
        assert told in text_of(reply), wrong
