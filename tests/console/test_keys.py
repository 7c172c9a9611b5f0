"""Keys and tenants in the console, beyond making them: looked at, changed, begun anew with, removed."""

import re
from urllib.parse import quote

from tests.console.conftest import Browser, text_of
from tests.console.furnished import customer, furnished
from tests.support.administration import customer_key


async def test_a_key_is_looked_at(admin: Browser) -> None:
    """Whose it is, what it may, its limits, and its calls behind a link."""
    tenant, key = await customer(admin.world)
    page = await admin.get(f"/console/keys/{key}")
    seen, body = text_of(page), page.body.decode()
    assert "May completions.write" in seen
    assert "Another secret" in seen
    assert re.search(rf'href="/console/tenants/{tenant}\?[^"]*">Acme</a>', body)
    assert f"api_key_ids={key}" in body
    assert "Spend" in seen


async def test_a_key_is_changed(admin: Browser) -> None:
    """Its limits, models, end and scopes, each mistake said at its field; what is not on the form stays."""
    _, key = await customer(admin.world)
    await admin.world.ok("PUT", f"/v1/api-keys/{key}", {"defaults": {"metadata": {"team": "blue"}}})
    page = f"/console/keys/{key}"
    fields = {
        "name": "seat 7",
        "description": "the seventh",
        "scopes": ["completions.write", "models.list"],
        "allowed_models": "gpt-4o\n@ours/*",
        "expires_at": "2028-01-31T12:00",
        "alert_emails": "ops@example.com",
        "budget_type": "cost",
        "budget_amount": "9",
        "budget_over": "monthly",
        "rate_type": "requests",
        "rate_amount": "5",
        "rate_over": "rps",
    }
    for field, text in {"expires_at": "2020-01-01T00:00", "budget_amount": "x", "rate_amount": "x", "name": ""}.items():
        wrong = await admin.post(f"{page}/edit", {**fields, field: text})
        assert (wrong.status, wrong.body.count(b'id="wrong"')) == (400, 1), field
    seen = text_of(await admin.post(f"{page}/edit", fields))
    for told in ("seat 7", "$0.01 of $9.00 monthly", "5 requests a second", "Expires 2028-01-31 12:00:00"):
        assert told in seen
    found = await admin.world.ok("GET", f"/v1/api-keys/{key}")
    assert (found["allowed_models"], found["alert_emails"]) == (["gpt-4o", "@ours/*"], ["ops@example.com"])
    assert (found["scopes"], found["defaults"]["metadata"]) == (fields["scopes"], {"team": "blue"})
    assert found["expires_at"].startswith("2028-01-31T12:00:00")
    await admin.post(f"{page}/reset", page=page)
    assert "$0.00 of $9.00 monthly" in text_of(await admin.get(page))
    cleared = dict.fromkeys(fields, "") | {"name": "seat 7", "scopes": ["completions.write"]}
    assert "None of its own" in text_of(await admin.post(f"{page}/edit", cleared))


async def test_an_old_secret_goes_on_for_a_while(admin: Browser) -> None:
    """A rotation with an overlap: both are good, and the page says until when."""
    _, key = await customer(admin.world)
    page = f"/console/keys/{key}"
    await admin.post(f"{page}/rotate", {"transition": "86400000"}, page)
    assert "its old secret is good until 2027-01-16 08:00:00" in text_of(await admin.get(page))
    again = await admin.post(f"{page}/rotate", {"transition": "0"}, page)
    assert again.status == 409


async def test_keys_are_listed_by_whom_they_are_of(admin: Browser) -> None:
    """Of a workspace, of a tenant, and all."""
    tenant, key = await customer(admin.world)
    for query, there in ((f"tenant={tenant}", True), ("workspace=place", True), ("workspace=default", False)):
        assert (key in (await admin.get(f"/console/keys?{query}")).body.decode()) is there


async def test_tenants_are_searched_and_removed(admin: Browser) -> None:
    """By a part of either name. One with keys stays, and its page says why."""
    values = await furnished(admin.world)
    page = f"/console/tenants/{values['tenant']}"
    assert "Acme" in text_of(await admin.get("/console/tenants?name=cm"))
    assert "No tenant is like that" in text_of(await admin.get("/console/tenants?name=zzz"))
    assert "No tenant is like that" in text_of(await admin.get("/console/tenants?workspace=default"))
    kept = await admin.post(f"{page}/remove", page=page)
    assert (kept.status, "still has 1 API key" in text_of(kept)) == (409, True)
    await admin.post(f"/console/keys/{values['key']}/revoke", page=f"/console/keys/{values['key']}")
    gone = await admin.post(f"{page}/remove", page=page)
    assert "No tenants yet" in text_of(gone)


async def test_a_tenants_budget_begins_anew(admin: Browser) -> None:
    """And its metadata is what the form says."""
    tenant, _ = await customer(admin.world)
    page = f"/console/tenants/{tenant}"
    budget = {"budget_type": "cost", "budget_amount": "5", "budget_over": "monthly"}
    seen = await admin.post(f"{page}/edit", {"name": "Acme", "status": "active", "metadata": "plan=gold", **budget})
    assert "$0.01 of $5.00 monthly" in text_of(seen)
    assert "plan gold" in text_of(seen)
    assert "$0.00 of $5.00 monthly" in text_of(await admin.post(f"{page}/reset", page=page))


async def test_a_key_is_found_among_many(admin: Browser) -> None:
    """By a part of its name or of its id, among those of a tenant too; the list says whose each is by name."""
    _, key_id = await customer(admin.world, "Acme & Sons")
    await customer_key(admin.world, "place", name="Another")
    for text in ("acme", key_id[:6].upper(), "& sons"):
        seen = text_of(await admin.get(f"/console/keys?name={quote(text)}"))
        assert (key_id in seen, "Another" in seen) == (True, False), text
    none = await admin.get("/console/keys?tenant=acme&name=another")
    assert "No key has that in its name or id" in text_of(none)
    assert b'name="tenant" value="acme"' in none.body
    everything = (await admin.get("/console/keys")).body.decode()
    assert re.search(r'<a href="/console/tenants/tnt_\w+">Acme &amp; Sons</a>', everything)
