"""Policies in the console: made, changed, looked at by group, and begun anew with."""

from tests.console.conftest import Browser, text_of
from tests.console.furnished import customer

BUDGET = {
    "name": "For each customer",
    "type": "cost",
    "amount": "2",
    "over": "monthly",
    "condition_key": ["workspace_id", ""],
    "condition_how": ["", ""],
    "condition_values": ["place", ""],
    "group_by": "tenant_id",
}


async def test_a_budget_is_made_changed_and_removed(admin: Browser) -> None:
    """With its conditions and groups; each mistake is said at its field."""
    await customer(admin.world)
    assert "None yet" in text_of(await admin.get("/console/policies"))
    for field, wrong in (("amount", "much"), ("condition_key", ["colour", ""]), ("condition_values", ["a*b", ""])):
        reply = await admin.post("/console/policies/budgets/new", {**BUDGET, field: wrong})
        assert (reply.status, reply.body.count(b'id="wrong"')) == (400, 1), field
        assert b"For each customer" in reply.body
    made = await admin.post("/console/policies/budgets/new", BUDGET)
    seen = text_of(made)
    assert "Budget $2.00 monthly" in seen
    assert "For each tenant_id" in seen
    (found,) = (await admin.world.ok("GET", "/v1/policies/usage-limits"))["data"]
    page = f"/console/policies/budgets/{found['id']}"
    assert b'value="2"' in (await admin.get(f"{page}/edit")).body
    changed = await admin.post(f"{page}/edit", {**BUDGET, "amount": "100", "over": "days:7", "type": "requests"})
    assert "100 requests every 7 days" in text_of(changed)
    await admin.post(f"{page}/remove", page=page)
    assert (await admin.world.ok("GET", "/v1/policies/usage-limits"))["total"] == 0


async def test_groups_are_seen_and_begin_anew(admin: Browser) -> None:
    """What each used and has left; one of them, or all."""
    tenant, _ = await customer(admin.world)
    await admin.post("/console/policies/budgets/new", BUDGET)
    (found,) = (await admin.world.ok("GET", "/v1/policies/usage-limits"))["data"]
    page = f"/console/policies/budgets/{found['id']}"
    assert f'hx-get="{page}/groups"' in (await admin.get(page)).body.decode()
    assert f"tenant_id {tenant} $0.01 $0.00 $1.99" in text_of(await admin.get(f"{page}/groups"))
    rows = await admin.get(f"{page}/groups", {"hx-request": "true"})
    assert rows.body.lstrip().startswith(b'<div class="scroll">')
    groups = await admin.world.ok("GET", f"/v1/policies/usage-limits/{found['id']}/entities")
    await admin.post(f"{page}/reset", {"group": groups["data"][0]["id"]}, page)
    assert f"tenant_id {tenant} $0.00 $0.00 $2.00" in text_of(await admin.get(f"{page}/groups"))
    assert (await admin.get(f"{page}/groups?page=2")).status == 200
    assert (await admin.post(f"{page}/reset", {}, page)).status == 200
    assert (await admin.post(f"{page}/reset", {"group": "none"}, page)).status == 404


async def test_a_rate_limit_is_made(admin: Browser) -> None:
    """Calls at the same time have no unit."""
    fields = {"name": "At once", "type": "in_flight", "amount": "3", "over": "rpm", "group_by": "metadata._user"}
    made = await admin.post("/console/policies/rates/new", fields)
    assert "3 calls at the same time" in text_of(made)
    fields |= {"name": "A minute", "type": "requests"}
    assert "3 requests a minute" in text_of(await admin.post("/console/policies/rates/new", fields))
    listed = text_of(await admin.get("/console/policies"))
    assert "At once 3 calls at the same time all metadata._user all" in listed
    assert (await admin.get("/console/policies/others/new")).status == 404
