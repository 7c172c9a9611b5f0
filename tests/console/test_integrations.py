"""Integrations in the console: stored, tried, given to workspaces, and their models priced."""

from tests.console.conftest import Browser, text_of
from tests.console.furnished import SECRET, customer, furnished, integration
from tests.support.model_lists import answer, answering, models_of_our_own


async def test_a_credential_is_stored_and_never_shown(admin: Browser) -> None:
    """Not on the page that follows, not on a form, right or wrong, and not in the audit log."""
    fields = {"ai_provider_id": "openai", "name": "Ours", "slug": "Not a slug", "key": SECRET}
    wrong = await admin.post("/console/integrations/new", fields)
    assert wrong.status == 400
    assert b'id="wrong"' in wrong.body
    made = await admin.post("/console/integrations/new", {**fields, "slug": "ours"})
    assert "@ours/model" in text_of(made)
    pages = [wrong, made, *[await admin.get(f"/console/integrations{path}") for path in ("", "/ours", "/ours/edit")]]
    assert all(SECRET.encode() not in page.body for page in pages)
    assert all("sk-…1234" in text_of(page) for page in pages[1:])
    assert all(SECRET not in each.body + each.origin.request_body for each in await admin.world.audit() if each.origin)
    await admin.post("/console/integrations/ours/edit", {"name": "Renamed", "key": "", "custom_host": ""})
    found = await admin.world.ok("GET", "/v1/integrations/ours")
    assert (found["name"], found["masked_key"]) == ("Renamed", "sk-…1234")
    moved = await admin.post(
        "/console/integrations/ours/edit", {"name": "Renamed", "custom_host": "https://elsewhere.example.com/v1"}
    )
    assert moved.status == 400
    assert "a stored secret is not sent to another host" in text_of(moved)


async def test_a_credential_is_tried(admin: Browser) -> None:
    """By a real question to its provider; what came of it is said on the page."""
    await customer(admin.world)
    async with models_of_our_own("a", "b") as url:
        await integration(admin.world, ai_provider_id="openai-compatible", configurations={"custom_host": url})
        tried = await admin.post("/console/integrations/ours/test", page="/console/integrations/ours")
    assert "took the credential. It lists 2 models." in text_of(tried)
    async with answering(answer(401)) as url:
        body = {"key": SECRET, "configurations": {"custom_host": url}}
        await admin.world.ok("PUT", "/v1/integrations/ours", body)
        tried = await admin.post("/console/integrations/ours/test", page="/console/integrations/ours")
    assert "refused the credential (401)" in text_of(tried)


async def test_it_is_given_to_workspaces_and_taken_back(admin: Browser) -> None:
    """Each with its own budgets and limits; a wrong one is said at its field."""
    await customer(admin.world)
    body = {"name": "Ours", "slug": "ours", "ai_provider_id": "openai", "key": SECRET}
    await admin.world.ok("POST", "/v1/integrations", body)
    assert "No workspace has it" in text_of(await admin.get("/console/integrations/ours"))
    path, page = "/console/integrations/ours/access", "/console/integrations/ours/access?workspace=place"
    budget = {"budget_type": "cost", "budget_amount": "x", "budget_over": "daily"}
    wrong = await admin.post(path, {"workspace": "place", "enabled": "yes", **budget}, page)
    assert (wrong.status, wrong.body.count(b'id="wrong"')) == (400, 1)
    given = await admin.post(path, {"workspace": "place", "enabled": "yes", **budget, "budget_amount": "3"}, page)
    assert "Workspace of Acme yes" in text_of(given)
    assert "$0.00 of $3.00 daily" in text_of(given)
    kept = await admin.post("/console/integrations/ours/remove", page="/console/integrations/ours")
    assert kept.status == 409
    await admin.post(path, {"workspace": "place"}, page)
    gone = await admin.post("/console/integrations/ours/remove", page="/console/integrations/ours")
    assert "No integrations yet" in text_of(gone)


async def test_models_are_allowed_priced_and_forgotten(admin: Browser) -> None:
    """One of our own keeps its price when it is taken away and allowed again; prices are dollars per million."""
    await furnished(admin.world)
    path = "/console/integrations/ours/models"
    prices = {"request_token": "2.50", "response_token": "10", "cache_read_input_token": "", "custom_host": ""}
    wrong = await admin.post(f"{path}/price", {"slug": "mine", "kind": "is_custom", **prices, "response_token": "x"})
    assert (wrong.status, wrong.body.count(b'id="wrong"')) == (400, 1)
    made = await admin.post(f"{path}/price", {"slug": "mine", "kind": "is_custom", **prices})
    assert "mine of your own yes $2.50 $10.00 your own" in text_of(made)
    await admin.post(path, {"refuse": "mine"}, path)
    await admin.post(path, {"refuse": "gpt-4o"}, path)
    seen = text_of(await admin.get(f"{path}?q=mine"))
    assert "mine of your own no $2.50 $10.00 your own" in seen
    assert b'value="2.5"' in (await admin.get(f"{path}/price?model=mine")).body
    found = await admin.world.ok("GET", "/v1/integrations/ours/models")
    models = {each["slug"]: each for each in found["models"]}
    assert (models["mine"]["enabled"], models["gpt-4o"]["enabled"]) == (False, False)
    assert models["mine"]["pricing_config"]["pay_as_you_go"]["request_token"] == {"price": 0.00025}
    await admin.post(path, {"forget": "mine"}, path)
    assert "mine" not in text_of(await admin.get(f"{path}?q=mine")).replace("gemini", "").partition("Search")[2]
    assert "Only models that are allowed by name" in text_of(await admin.post(path, {"all": "no"}, path))
