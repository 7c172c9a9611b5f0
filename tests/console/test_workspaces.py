"""Workspaces and their members in the console."""

import re

from tests.console.conftest import Browser, text_of
from tests.console.furnished import furnished
from tests.support.people import joined

SEEN = re.compile(rb'name="seen" value="(\d+)"')


async def test_a_workspace_is_made_changed_and_removed(admin: Browser) -> None:
    """With its limits and metadata; what was wrong stands at the field, with all that was typed."""
    budget = {"budget_type": "cost", "budget_amount": "much", "budget_over": "monthly"}
    rate = {"rate_type": "requests", "rate_amount": "60", "rate_over": "rpm"}
    fields = {"name": "Pro", "slug": "pro", "description": "The larger ones", "metadata": "tier=pro\nregion=eu", **rate}
    wrong = await admin.post("/console/workspaces/new", {**fields, **budget})
    assert wrong.status == 400
    assert (
        b'value="much" autocomplete="off" inputmode="decimal" aria-invalid="true" aria-describedby="wrong"'
        in wrong.body
    )
    assert b'<p class="wrong" id="wrong" role="alert">Must be a number.</p>' in wrong.body
    assert b"region=eu" in wrong.body
    made = text_of(await admin.post("/console/workspaces/new", {**fields, **budget, "budget_amount": "5"}))
    for told in ("$0.00 of $5.00 monthly", "60 requests a minute", "tier pro", "The larger ones", "Tenants 0"):
        assert told in made
    assert "Pro" in text_of(await admin.get("/console/workspaces?name=pr"))
    assert "No workspace has that in its name" in text_of(await admin.get("/console/workspaces?name=zzz"))
    changed = {"name": "Enterprise", "metadata": "", "budget_type": "cost", "budget_amount": "", "budget_over": ""}
    seen = text_of(await admin.post("/console/workspaces/pro/edit", changed))
    assert "Enterprise" in seen
    assert "None of its own" in seen
    assert (await admin.world.ok("GET", "/v1/admin/workspaces/pro"))["defaults"]["metadata"] == {}
    gone = await admin.post("/console/workspaces/pro/remove", page="/console/workspaces/pro")
    assert "Enterprise" not in text_of(gone)


async def test_a_comma_is_not_taken_for_nothing(admin: Browser) -> None:
    """Between thousands it is one; "1,5" may be a dollar and a half, and is never fifteen."""
    fields = {"name": "Pro", "budget_type": "cost", "budget_over": "monthly"}
    for text in ("1,5", "0,50", "12,34,567", ",5", "1,"):
        wrong = await admin.post("/console/workspaces/new", {**fields, "budget_amount": text})
        assert (wrong.status, "Must be a number." in text_of(wrong)) == (400, True), text
        assert f'value="{text}"'.encode() in wrong.body
    made = await admin.post("/console/workspaces/new", {**fields, "budget_amount": "1,234,567.50"})
    assert "$0.00 of $1,234,567.50 monthly" in text_of(made)


async def test_a_workspace_that_holds_something_stays(admin: Browser) -> None:
    """And its page says what it holds."""
    await furnished(admin.world)
    kept = await admin.post("/console/workspaces/place/remove", page="/console/workspaces/place")
    assert kept.status == 409
    assert "still holds 1 tenants, 1 API keys" in text_of(kept)


async def test_its_page_leads_to_what_is_in_it(admin: Browser) -> None:
    """Tenants, keys, requests, the integrations it has with their budgets, each behind its figure."""
    await furnished(admin.world)
    body = (await admin.get("/console/workspaces/place")).body.decode()
    for link in (
        '<a href="/console/tenants?workspace=place">1</a>',
        '<a href="/console/keys?workspace=place">1</a>',
        'href="/console/integrations/ours"',
        "<code>@ours</code>",
        "workspace_slug=place",
    ):
        assert link in body
    assert "of $7.00 monthly" in body
    listed = (await admin.get("/console/workspaces")).body.decode()
    assert "$0.01</a>" in listed
    assert text_of(await admin.get("/console/requests?workspace_slug=place")).count("gpt-4o") == 2
    assert "No call matches" in text_of(await admin.get("/console/requests?workspace_slug=default"))


async def test_its_budgets_begin_anew(admin: Browser) -> None:
    """What was used before counts no longer."""
    await furnished(admin.world)
    budget = {"usage_limits": [{"type": "cost", "credit_limit": 5, "periodic_reset": "monthly"}]}
    await admin.world.ok("PUT", "/v1/admin/workspaces/place", budget)
    assert "$0.01 of $5.00" in text_of(await admin.get("/console/workspaces/place"))
    seen = await admin.post("/console/workspaces/place/reset", page="/console/workspaces/place")
    assert "$0.00 of $5.00" in text_of(seen)


async def test_members_come_change_and_go(admin: Browser) -> None:
    """Each with a role."""
    user = await joined(admin.world, "ann@example.com")
    page = "/console/workspaces/default"
    seen = await admin.post(f"{page}/members", {"user_id": user.id, "role": "member"}, page)
    assert "ann@example.com" in text_of(seen)
    assert f'<option value="{user.id}">' not in seen.body.decode()  # nobody is offered twice
    again = await admin.post(f"{page}/members", {"user_id": user.id, "role": "member"}, page)
    assert again.status == 409
    await admin.post(f"{page}/members/{user.id}", {"role": "manager"}, page)
    found = await admin.world.ok("GET", "/v1/admin/workspaces/default/users")
    assert [each["role"] for each in found["data"]] == ["manager"]
    seen = await admin.post(f"{page}/members/{user.id}", {}, page)
    assert "Nobody is a member" in text_of(seen)


async def test_what_another_administrator_saved_is_not_undone_unseen(admin: Browser) -> None:
    """Of two who have the same form open, the second is told, and what he typed stays; then he may save it."""
    await admin.world.ok("POST", "/v1/admin/workspaces", {"name": "Pro", "slug": "pro"})
    path = "/console/workspaces/pro/edit"
    seen = SEEN.search((await admin.get(path)).body)
    assert seen
    budget = {"usage_limits": [{"type": "cost", "credit_limit": 5, "periodic_reset": "monthly"}]}
    admin.world.clock.move(1)
    await admin.world.ok("PUT", "/v1/admin/workspaces/pro", budget)
    fields = {"name": "Professional", "seen": seen[1].decode()}
    told = await admin.post(path, fields)
    assert (told.status, b'value="Professional"' in told.body) == (409, True)
    assert "Somebody else has changed this since you opened it" in text_of(told)
    assert (await admin.world.ok("GET", "/v1/admin/workspaces/pro"))["usage_limits"]
    again = SEEN.search(told.body)
    assert again
    assert (await admin.post(path, {**fields, "seen": again[1].decode()})).status == 200
    assert (await admin.world.ok("GET", "/v1/admin/workspaces/pro"))["name"] == "Professional"


async def test_every_form_of_something_that_is_there_says_what_it_has_seen(admin: Browser) -> None:
    """So that each of them notices what was changed meanwhile."""
    values = await furnished(admin.world)
    for path in (
        "/workspaces/{workspace}/edit",
        "/tenants/{tenant}/edit",
        "/keys/{key}/edit",
        "/policies/{kind}/{policy}/edit",
        "/integrations/{integration}/edit",
        "/webhooks/{webhook}/edit",
        "/integrations/{integration}/access?workspace=place",
        "/routing",
        "/settings",
    ):
        page = "/console" + path.format(**values)
        assert SEEN.search((await admin.get(page)).body), page
        action = page.partition("?")[0]
        reply = await admin.post(action, {"seen": "1", "workspace": "place", "name": "Other"}, page)
        assert "Somebody else has changed this" in text_of(reply), page
