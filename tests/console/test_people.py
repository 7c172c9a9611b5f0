"""People and the organization's settings in the console."""

import json
import re

from tests.console.conftest import Browser, text_of
from tests.support.people import joined, token_of


async def test_somebody_is_invited_by_a_link_that_is_shown_once(admin: Browser) -> None:
    """It works, and another one takes its place; a mistake is said at its field."""
    await admin.world.ok("POST", "/v1/admin/workspaces", {"name": "Pro", "slug": "pro"})
    place = (await admin.world.ok("GET", "/v1/admin/workspaces/pro"))["id"]
    fields = {"email": "ann", "role": "member", "workspace": [place, ""], "workspace_role": ["manager", "member"]}
    wrong = await admin.post("/console/people/invite", fields)
    assert (wrong.status, wrong.body.count(b'id="wrong"')) == (400, 1)
    made = await admin.post("/console/people/invite", {**fields, "email": "ann@example.com"})
    first = re.findall(r"token=([0-9a-z]+)", made.body.decode())[0]
    listed = await admin.get("/console/people")
    assert "ann@example.com" in text_of(listed)
    assert first not in listed.body.decode()
    (invite,) = (await admin.world.ok("GET", "/v1/admin/users/invites"))["data"]
    path = f"/console/people/invites/{invite['id']}"
    again = await admin.post(f"{path}/resend", page="/console/people")
    second = token_of(re.findall(r"<code>(http[^<]+)</code>", again.body.decode())[0])
    ann = Browser(admin.world, admin.app)
    accepted = {"first_name": "Ann", "password": "a password of ours"}
    assert (await ann.post("/console/invite", {"token": first, **accepted})).status == 404
    assert (await ann.post("/console/invite", {"token": second, **accepted})).status == 200
    assert "Pro: manager" in text_of(await admin.get("/console/people?email=ann@example.com"))


async def test_an_invite_is_cancelled(admin: Browser) -> None:
    """Its link is none any more."""
    await admin.post("/console/people/invite", {"email": "ann@example.com", "role": "member"})
    (invite,) = (await admin.world.ok("GET", "/v1/admin/users/invites"))["data"]
    await admin.post(f"/console/people/invites/{invite['id']}/cancel", page="/console/people")
    assert "ann@example.com" not in text_of(await admin.get("/console/people"))


async def test_a_user_is_changed_and_removed(admin: Browser) -> None:
    """The last owner stays one, and the page says why."""
    owner = await joined(admin.world, "own@example.com", "owner")
    page = f"/console/people/{owner.id}"
    kept = await admin.post(f"{page}/remove", page=page)
    assert (kept.status, "owner" in text_of(kept)) == (403, True)
    user = await joined(admin.world, "ann@example.com", "member")
    page = f"/console/people/{user.id}"
    changed = await admin.post(page, {"first_name": "Anna", "last_name": "B", "role": "admin"})
    assert "Anna B" in text_of(changed)
    assert (await admin.world.ok("GET", f"/v1/admin/users/{user.id}"))["role"] == "admin"
    wrong = await admin.post(page, {"first_name": "Anna", "last_name": "B", "role": "king"})
    assert (wrong.status, wrong.body.count(b'id="wrong"')) == (400, 1)
    assert "ann@example.com" not in text_of(await admin.post(f"{page}/remove", page=page))


async def test_settings_are_changed(admin: Browser) -> None:
    """Limits, bodies, origins and schemas; each mistake is said at its field, and what was typed stays."""
    schema = {"type": "object", "required": ["team"]}
    fields = {
        "name": "Example Inc.",
        "time_zone": "Europe/Berlin",
        "keep_days": "30",
        "portal_origins": "https://app.example.com",
        "api_key_metadata_schema": json.dumps(schema),
        "workspace_metadata_schema": "",
        "budget_type": "cost",
        "budget_amount": "1000",
        "budget_over": "monthly",
    }
    mistakes = {
        "time_zone": "Mars/Olympus",
        "keep_days": "9999",
        "portal_origins": "not a site",
        "api_key_metadata_schema": '{"type": "array"}',
        "workspace_metadata_schema": "{",
        "budget_amount": "much",
    }
    for field, text in mistakes.items():
        wrong = await admin.post("/console/settings", {**fields, field: text})
        assert (wrong.status, wrong.body.count(b'id="wrong"')) == (400, 1), field
        assert "Example Inc." in wrong.body.decode()
    saved = await admin.post("/console/settings", fields)
    assert "$0.00 of $1,000.00 monthly" in text_of(saved)
    found = await admin.world.ok("GET", "/v1/admin/organisation")
    assert (found["name"], found["time_zone"], found["log_bodies"]) == (
        "Example Inc.",
        "Europe/Berlin",
        {"retention_days": 30},
    )
    assert (found["api_key_metadata_schema"], found["workspace_metadata_schema"]) == (schema, None)
    assert found["portal_origins"] == ["https://app.example.com"]
    cleared = {**fields, "keep_days": "", "portal_origins": "", "api_key_metadata_schema": "", "budget_amount": ""}
    assert "nothing bounds" in text_of(await admin.post("/console/settings", cleared))
    found = await admin.world.ok("GET", "/v1/admin/organisation")
    assert (found["log_bodies"], found["portal_origins"], found["api_key_metadata_schema"]) == (None, [], None)
