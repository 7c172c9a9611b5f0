"""An operator looks at what a customer sees, and changes nothing."""

import pytest

from headgate.console.portal.app import PAGES
from tests.console.conftest import text_of
from tests.console.portal.conftest import ADMIN, Guest, Place


async def viewing(place: Place, key: str = ADMIN) -> Guest:
    operator = place.guest()
    await operator.sign_in(key=key, next="/console/tenants")
    await operator.post("/console/tenants/acme/view", page="/console/tenants/acme")
    return operator


async def test_it_is_said_on_every_page_and_written_down(place: Place) -> None:
    """As a banner with a way out; in the audit log as his, with whose slice he looked at."""
    operator = await viewing(place)
    request_id = await place.call(place.acme.key)
    for method, path, _, _ in PAGES:
        if method == "GET":
            told = text_of(await operator.get("/portal" + path.format(key=place.acme.key_id, request=request_id)))
            assert "You see what Name of acme sees" in told, path
    [entry] = (await place.admin("GET", "/audit-logs?action=view_as"))["records"]
    assert entry["resource_type"] == "portal_session"
    [listed] = (await place.admin("GET", "/admin/tenants/acme/portal-sessions"))["data"]
    assert (listed["entry"], listed["created_by"].startswith("api_key:")) == ("view", True)
    left = await operator.post("/portal/sign-out", page="/portal")
    assert "Name of acme" in text_of(left)
    assert "View as tenant" in text_of(left)
    assert (await operator.send("GET", "/portal")).status == 303


async def test_who_is_inside_is_listed_and_can_be_ended(place: Place) -> None:
    """On the tenant's page: a session, and a link that nobody opened yet."""
    guest = await place.visiting(name="ada@example.com")
    link = await place.link(name="bob@example.com")
    operator = place.guest()
    await operator.sign_in(key=ADMIN)
    seen = text_of(await operator.get("/console/tenants/acme"))
    assert "ada@example.com a link " in seen
    assert "bob@example.com a link, not opened yet" in seen
    for each in (await place.admin("GET", "/admin/tenants/acme/portal-sessions"))["data"]:
        path = f"/console/tenants/acme/portal/{each['id']}/end"
        assert "In the portal" in text_of(await operator.get("/console/tenants/acme"))
        assert (await operator.post(path, page="/console/tenants/acme")).status == 200
    assert "In the portal" not in text_of(await operator.get("/console/tenants/acme"))
    assert (await guest.send("GET", "/portal")).status == 303
    assert (await place.guest().enter(link)).status == 401


async def test_what_customers_may_is_set_on_forms(place: Place) -> None:
    """Of a workspace, and of a tenant over it; what is left open is inherited."""
    operator = place.guest()
    await operator.sign_in(key=ADMIN)
    said = {"portal_keys": "manage", "portal_playground": "no", "portal_request_log": ""}
    workspace = (await place.admin("GET", "/admin/workspaces/default"))["name"]
    await operator.post("/console/workspaces/default/edit", {"name": workspace, **said})
    assert (await place.admin("GET", "/admin/workspaces/default"))["portal"] == {"keys": "manage", "playground": False}
    own = {"portal_keys": "", "portal_playground": "yes", "portal_request_log": "no"}
    await operator.post("/console/tenants/acme/edit", {"name": "Acme", **own})
    assert (await place.admin("GET", "/admin/tenants/acme"))["portal"] == {"playground": True, "request_log": False}
    form = (await operator.get("/console/tenants/acme/edit")).body.decode()
    assert form.count('<option value="yes" selected>') == 1
    assert form.count('<option value="no" selected>') == 1
    seen = text_of(await (await place.visiting()).get("/portal/keys"))
    assert "New key" in seen
    assert "Playground" in seen
    assert "Requests" not in seen


@pytest.mark.parametrize("path", [path for method, path, _, _ in PAGES if method == "POST"])
async def test_no_form_is_taken_from_him(place: Place, path: str) -> None:
    """Not even those whose pages he sees."""
    operator = await viewing(place)
    fields = {"name": "k", "scopes": "completions.write", "model": "@openai/sim-fast", "message": "x"}
    before = await place.admin("GET", "/api-keys")
    reply = await operator.post("/portal" + path.format(key=place.acme.key_id), fields, page="/portal/limits")
    assert reply.status == 403
    assert "Nothing can be changed from here" in text_of(reply)
    assert await place.admin("GET", "/api-keys") == before


async def test_it_ends_with_his_session_and_his_rights(place: Place) -> None:
    """Who is out of the console is out of the portal."""
    operator = await viewing(place)
    portal = operator.cookies["headgate_portal"]
    await operator.post("/console/sign-out", page="/console/account")
    stranger = place.guest()
    stranger.cookies = {"headgate_portal": portal}
    assert (await stranger.send("GET", "/portal")).status == 303
    scopes = ["tenants.list", "tenants.read", "analytics.view", "logs.list", "logs.view"]
    made = await place.admin("POST", "/api-keys/organisation/service", {"name": "viewer", "scopes": scopes})
    operator = await viewing(place, made["key"])
    assert (await operator.get("/portal")).status == 200
    await place.admin("PUT", f"/api-keys/{made['id']}", {"scopes": ["tenants.list", "tenants.read"]})
    assert (await operator.get("/portal")).status == 403


async def test_only_who_may_see_all_of_it_looks(place: Place) -> None:
    """Without the right to the calls there is no button, and its address answers 403; a tenant of another workspace is
    not there."""
    body = {"name": "some", "scopes": ["tenants.list", "tenants.read", "analytics.view"]}
    some = await place.admin("POST", "/api-keys/organisation/service", body)
    operator = place.guest()
    seen = await operator.sign_in(key=some["key"], next="/console/tenants/acme")
    assert "View as tenant" not in text_of(seen)
    assert (await operator.post("/console/tenants/acme/view", page="/console/account")).status == 403
    await place.admin("POST", "/admin/workspaces", {"name": "elsewhere", "slug": "elsewhere"})
    scopes = ["tenants.list", "tenants.read", "analytics.view", "logs.list", "logs.view"]
    away = {"name": "away", "workspace_id": "elsewhere", "scopes": scopes}
    foreign = await place.admin("POST", "/api-keys/workspace/service", away)
    operator = place.guest()
    await operator.sign_in(key=foreign["key"], next="/console/tenants")
    assert (await operator.post("/console/tenants/acme/view", page="/console/account")).status == 404
