"""What the pages show and do, to whom, and what of others' text becomes of them: text."""

import gzip
import re
from html import escape, unescape
from typing import Any

import pytest

from headgate.console.app import create_console
from headgate.console.secured import HEADERS
from headgate.storage.tables import audit as audit_table
from headgate.tenancy.audit import AuditEntry
from tests.console.conftest import Browser, text_of
from tests.console.furnished import customer, furnished, paths
from tests.support.people import invited

HOSTILE = "\"'><script>alert(1)</script><img src=x onerror=alert(1)>{{7*7}}"
INLINE = re.compile(rb"<script(?! src=\"/console/static/)|<style|\sstyle=|\son\w+=|javascript:")
ELSEWHERE = re.compile(rb"(?:src|href|action)=\"(?!/console|#)")


async def test_every_answer_carries_the_headers(admin: Browser) -> None:
    """Pages, files, redirects and errors: no inline script or style, no frame, nothing from elsewhere."""
    stranger = Browser(admin.world, admin.app)
    replies = [
        *[await admin.get(path) for path in paths(await furnished(admin.world))],
        *[
            await stranger.send("GET", path)
            for path in ("/console", "/console/sign-in", "/console/invite", "/console/no")
        ],
        await stranger.send("GET", "/console/static/console.css"),
        await stranger.send("GET", "/console/static/../app.py"),
        await stranger.send("POST", "/console/sign-in", {"key": "wrong"}),
        await stranger.send("DELETE", "/console/sign-in"),
        await admin.get("/console/tenants?page=x"),
    ]
    assert {reply.status for reply in replies} == {200, 303, 400, 401, 404, 405}
    for reply in replies:
        assert {name.decode(): value.decode() for name, value in HEADERS}.items() <= reply.headers.items()
        assert (
            re.search(rb"<script(?! src=\"/console/static/)|<style|\sstyle=|\son\w+=|javascript:", reply.body) is None
        )
        assert re.search(rb"(?:src|href|action)=\"(?!/console|#|/console/)", reply.body) is None


async def test_hostile_texts_are_texts_on_every_page(admin: Browser) -> None:
    """Names, metadata, models and errors that are markup are shown as they are written."""
    values = await furnished(admin.world, HOSTILE)
    shown = 0
    for path in [*paths(values), f"/console/keys?tenant={values['tenant']}", "/console/requests?tenant_id=acme"]:
        reply = await admin.get(path)
        assert reply.status == 200, (path, text_of(reply))
        assert b"<script>alert" not in reply.body
        assert b"<img" not in reply.body
        shown += HOSTILE in text_of(reply) or b"&lt;script&gt;alert" in reply.body
    assert shown >= 8
    for path in ("/console/tenants", "/console/sign-in?next=", "/console/requests?ai_model=", "/console/audit?action="):
        assert b"<script>alert" not in (await admin.get(path + "%22%3E%3Cscript%3Ealert(1)%3C/script%3E")).body


async def test_the_overview_has_the_figures(admin: Browser) -> None:
    """Spend, calls, errors, latencies and refusals, and what to do where there is nothing yet."""
    assert "No calls in this time" in text_of(await admin.get("/console"))
    await customer(admin.world)
    limits = {"usage_limits": [{"type": "cost", "credit_limit": 5, "periodic_reset": "monthly"}]}
    await admin.world.ok("PUT", "/v1/admin/organisation", limits)
    seen = text_of(await admin.get("/console"))
    for told in (
        "Spend today $0.01",
        "Spend this month $0.01",
        "Requests 2",
        "Errors 50.00 %",
        "279 ms 279 ms",
        "of $5.00 monthly",
        "First token p50, p90, p99 41 ms",
        "Live calls, streams 0, 0",
        "Acme – 2 $0.01",
        "Workspace of Acme – 2 $0.01",
        "openai-prod 2 50.00 %",
        "500 1",
        "412 budget used up 04 4",
    ):
        assert told in seen


async def test_a_tenant_is_made_changed_and_seen(admin: Browser) -> None:
    """With its limits; what was wrong is said on the form, with all that was typed."""
    await admin.world.ok("POST", "/v1/admin/workspaces", {"name": "pro", "slug": "pro"})
    budget = {"budget_type": "cost", "budget_amount": "12.50", "budget_over": "monthly"}
    rate = {"rate_type": ["requests", "in_flight"], "rate_amount": ["60", "4"], "rate_over": ["rpm", "rpm"]}
    fields = {"name": "Acme", "tenant_id": "acme", "workspace_id": "pro", "allowed_models": "@openai/*\n@a/b", **rate}
    wrong = await admin.post("/console/tenants/new", {**fields, **budget, "budget_amount": "much"})
    assert wrong.status == 400
    assert "`usage_limits[0].credit_limit` must be a number" in text_of(wrong)
    assert b'value="much"' in wrong.body
    nameless = await admin.post("/console/tenants/new", {**fields, "name": "", "tenant_id": ""})
    assert "Must not be empty." in text_of(nameless)
    made = await admin.post("/console/tenants/new", {**fields, **budget})
    assert "$0.00 of $12.50 monthly" in text_of(made)
    assert "60 requests a minute 4 calls at the same time" in text_of(made)
    kept = {"type": "cost", "credit_limit": 12.5, "periodic_reset": "monthly", "alert_thresholds": [50]}
    await admin.world.ok("PUT", "/v1/admin/tenants/acme", {"usage_limits": [kept]})
    more = {**fields, **budget, "budget_amount": "20", "status": "suspended", "allowed_models": ""}
    changed = await admin.post("/console/tenants/acme/edit", more)
    assert "Acme suspended" in text_of(changed)
    found = await admin.world.ok("GET", "/v1/admin/tenants/acme")
    assert (found["usage_limits"][0]["credit_limit"], found["usage_limits"][0]["alert_thresholds"]) == (20, [50])
    assert (found["status"], found["allowed_models"]) == ("suspended", None)


async def test_a_key_is_shown_once_rotated_and_revoked(admin: Browser) -> None:
    """Its secret is on the page that made it, and on no other; revoked, it is gone. Each is in the audit log."""
    tenant, _ = await customer(admin.world)
    fields = {"name": "seat", "tenant_id": tenant, "level": "workspace", "scopes": ["completions.write"]}
    made = await admin.post("/console/keys/new", fields, page=f"/console/keys/new?tenant={tenant}")
    secret = re.findall(r"hg_[0-9a-z]{16}_[0-9a-z]{32}_[0-9a-z]{7}", made.body.decode())[0]
    policy = await admin.world.directory.authenticate(secret)
    assert policy.tenant_id == tenant
    assert secret not in (await admin.get("/console/keys")).body.decode()
    path = f"/console/keys/{policy.key_id}"
    rotated = await admin.post(f"{path}/rotate", {"transition": "0"}, page=path)
    fresh = re.findall(r"hg_[0-9a-z]{16}_[0-9a-z]{32}_[0-9a-z]{7}", rotated.body.decode())[0]
    assert fresh != secret
    await admin.world.directory.authenticate(fresh)
    await admin.post(f"{path}/revoke", page=path)
    assert "seat" not in text_of(await admin.get("/console/keys"))
    entries = [each for each in await admin.world.audit() if each.resource == f"api_key:{policy.key_id}"]
    assert [each.action for each in entries] == ["create", "rotate", "delete"]
    assert all(each.origin is not None and each.origin.uri.startswith("/console/keys") for each in entries)


async def test_an_admin_key_is_made_for_the_organization(admin: Browser) -> None:
    """The workspace that the form names in any case is not meant."""
    fields = {"name": "second admin", "level": "organisation", "workspace_id": "x", "scopes": ["tenants.list"]}
    made = await admin.post("/console/keys/new", fields)
    assert made.status == 200, text_of(made)
    assert "organization" in text_of(await admin.get("/console/keys"))


async def test_calls_are_searched_and_one_is_explained(admin: Browser) -> None:
    """By status, tenant and time; to a script the rows alone. One call has its price lines."""
    await customer(admin.world)
    assert text_of(await admin.get("/console/requests?status_code=500")).count("gpt-4o") == 1
    assert "No call matches" in text_of(await admin.get("/console/requests?status_code=429"))
    assert (await admin.get("/console/requests?tenant_id=nobody")).status == 404
    rows = await admin.get("/console/requests?tenant_id=acme", {"hx-request": "true"})
    assert rows.body.lstrip().startswith(b'<div class="scroll">')
    failed = text_of(await admin.get("/console/requests?is_success=false&metadata="))
    assert failed.count("gpt-4o") == 1
    one = text_of(await admin.get(f"/console/requests/req_{1:032x}"))
    assert "Cost: $0.01 " in one
    assert re.search(r"Key Acme \w+ Tenant Acme tnt_\w+ Workspace Workspace of Acme ws_\w+", one), "by their names"
    assert "input 10 $0.50 $0.005 output 5 $1.00 $0.005" in one
    assert (await admin.get("/console/requests/req_none")).status == 404


async def test_times_are_told_in_the_zone_of_the_address(admin: Browser) -> None:
    """And a time that is chosen is chosen in it."""
    await customer(admin.world)
    assert "2027-01-15 16:00:00" in text_of(await admin.get("/console/requests?tz=Asia/Tokyo"))
    some = await admin.get("/console/requests?tz=Asia/Tokyo&from=2027-01-15T15:30&to=2027-01-15T16:30")
    assert text_of(some).count("gpt-4o") == 1
    for wrong in ("tz=Nowhere/Land", "tz=../../etc/passwd", "range=1y", "from=yesterday", "page=0"):
        assert (await admin.get(f"/console/audit?{wrong}")).status == 400


async def test_the_chain_of_the_audit_log_is_checked(admin: Browser) -> None:
    """An entry that somebody changed in the database is found."""
    seen = text_of(await admin.get("/console/audit/check"))
    assert "entries are as they were written" in seen

    def tamper(connection: Any) -> None:
        connection.execute(audit_table.update().where(audit_table.c.seq == 1).values(action="nothing"))

    await admin.world.database.write(tamper)
    assert "The entry 1 is not what was written" in text_of(await admin.get("/console/audit/check"))


async def _member(browser: Browser, role: str) -> str:
    """Signed in, a member of the workspace of a customer: the tenant's id."""
    tenant, key = await customer(browser.world)
    found = await browser.world.ok("GET", "/v1/admin/tenants/acme")
    places = [{"id": found["workspace_id"], "role": role}]
    _, token = await invited(browser.world, "m@example.com", workspaces=places)
    fields = {"token": token, "first_name": "M", "password": "a password of ours"}
    assert (await browser.post("/console/invite", fields)).status == 200
    browser.cookies["key"] = key
    return tenant


async def test_a_member_looks_and_changes_nothing(browser: Browser) -> None:
    """No button leads to a change, and the address alone does not either; the organization is not his to see."""
    tenant = await _member(browser, "member")
    key = browser.cookies["key"]
    for path in ("", "/tenants", f"/tenants/{tenant}", "/keys", f"/keys/{key}", "/requests"):
        reply = await browser.get(f"/console{path}")
        assert reply.status == 200, (path, text_of(reply))
        assert b"/new" not in reply.body
        assert b"/edit" not in reply.body
        assert b"Rotate" not in reply.body
        assert b"/console/audit" not in reply.body
        assert "since this process started" not in text_of(reply)
    for path in ("/tenants/new", f"/tenants/{tenant}/edit", "/keys/new", f"/keys/{key}/edit", "/audit", "/audit/check"):
        assert (await browser.get(f"/console{path}")).status == 403, path
    for path in ("/tenants/new", f"/tenants/{tenant}/edit", "/keys/new", f"/keys/{key}/rotate", f"/keys/{key}/revoke"):
        assert (await browser.post(f"/console{path}", {"name": "x"}, page="/console/account")).status == 403, path
    keys = await browser.world.ok("GET", "/v1/api-keys")
    assert key in {each["id"] for each in keys["data"]}


async def test_a_manager_changes_his_workspace_and_no_other(browser: Browser) -> None:
    """Tenants of another workspace are as if they were not there."""
    await _member(browser, "manager")
    await browser.world.ok("POST", "/v1/admin/workspaces", {"name": "other", "slug": "other"})
    await browser.world.ok(
        "POST", "/v1/admin/tenants", {"name": "Foreign", "tenant_id": "foreign", "workspace_id": "other"}
    )
    assert "Foreign" not in text_of(await browser.get("/console/tenants"))
    assert (await browser.get("/console/tenants/foreign")).status == 404
    assert (await browser.post("/console/tenants/acme/edit", {"name": "Renamed"})).status == 200
    assert (await browser.world.ok("GET", "/v1/admin/tenants/acme"))["name"] == "Renamed"
    entry: AuditEntry = (await browser.world.audit())[-1]
    assert entry.user_id is not None


async def test_calls_are_watched_as_they_end(admin: Browser) -> None:
    """With a script the rows are asked for again and again, without one there is a link; the filters stay."""
    await customer(admin.world)
    page = (await admin.get("/console/requests?live=on&tenant_id=acme")).body.decode()
    again = unescape(re.findall(r'<div id="rows" hx-get="([^"]+)" hx-trigger="every 2s"', page)[0])
    assert "tenant_id=acme" in again
    assert f'<a href="{escape(again)}">Load again</a>' in page
    rows = await admin.get(again, {"hx-request": "true"})
    assert rows.body.count(b'<a href="/console/requests/req_') == 2


async def test_one_call_is_told_from_its_arrival_on(admin: Browser) -> None:
    """When it held and was sent on, its first byte, its end; what it held and came to; what was thought of it."""
    await customer(admin.world)
    given = {"trace_id": "trace-1", "value": 7, "metadata": {"said": "helpful"}}
    await admin.world.ok("POST", "/v1/feedback", given)
    one = text_of(await admin.get(f"/console/requests/req_{1:032x}"))
    for told in (
        "Held, and sent on 1 ms",
        "First byte 45 ms",
        "Done 200 ms",
        "output tokens 100 5",
        "cost $0.06 $0.01",
        "7 1.0",
        "helpful",
    ):
        assert told in one
    other = text_of(await admin.get(f"/console/requests/req_{2:032x}"))
    assert "Nobody said what they think" in other


async def test_long_lists_come_in_pages(admin: Browser) -> None:
    """Fifty at a time, each with the way on."""
    await admin.world.ok("POST", "/v1/admin/workspaces", {"name": "pro", "slug": "pro"})
    for number in range(51):
        await admin.world.ok("POST", "/v1/admin/tenants", {"name": f"T{number:02}", "workspace_id": "pro"})
    first, second = [text_of(await admin.get(f"/console/tenants?page={page}")) for page in (1, 2)]
    assert "T49" in first
    assert "T50" not in first
    assert "T50" in second
    assert "1 of 2 Next" in first


async def test_the_first_paint_is_small(admin: Browser) -> None:
    """All that a page brings, as a browser gets it: below 100 kB, whatever page it is; the files are kept for good."""
    values = await furnished(admin.world)
    packed = {"accept-encoding": "gzip, br"}
    files: dict[str, int] = {}
    for path in [*paths(values), "/console/sign-in"]:
        page = await admin.send("GET", path, headers=packed)
        if path.endswith(("/csv", "/system/verify")):
            continue  # a file, and the way back to a page
        assert (page.status, page.headers.get("content-encoding")) == (200, "gzip"), path
        named = re.findall(r'(?:src|href)="(/console/static/[^"]+)"', gzip.decompress(page.body).decode())
        assert len(named) >= 3
        for name in {*named} - {*files}:
            reply = await admin.send("GET", name, headers=packed)
            assert (reply.status, "immutable" in reply.headers["cache-control"]) == (200, True)
            files[name] = len(reply.body)
        assert sum(files[name] for name in named) + len(page.body) < 100_000, path


async def test_a_page_never_carries_the_same_secret_twice(admin: Browser) -> None:
    """Compressed, it would tell how much of a guess in the address is right; each is good for a form all the same."""
    pages = [(await admin.get("/console/account")).body.decode() for _ in range(2)]
    secrets = [set(re.findall(r'name="csrf" value="([0-9a-f]{128})"', page)) for page in pages]
    assert [len(each) for each in secrets] == [1, 1]
    assert secrets[0] != secrets[1]
    for secret in secrets[0] | secrets[1]:
        assert (await admin.send("POST", "/console/account/sessions/end", {"csrf": secret})).status == 303


async def test_the_theme_is_kept(browser: Browser) -> None:
    """Without a script; what is no theme is none."""
    for theme, kept in (("dark", "dark"), ("light", "light"), ('x" onload="', "light")):
        await browser.send("POST", "/console/theme", {"theme": theme, "next": "/console/sign-in"})
        assert f'data-theme="{kept}"'.encode() in (await browser.get("/console/sign-in")).body


async def test_a_build_without_scripts_says_so_and_works(admin: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where Node could not be had: no script is named that is not there, figures are in tables."""
    await customer(admin.world)
    monkeypatch.setattr("headgate.console.static_files.VENDORED", ("vendor/absent.js",))
    bare = Browser(admin.world, create_console(admin.world.services, dict, "http://test"))
    await bare.sign_in(key=admin.world.admin_key)
    reply = await bare.get("/console")
    assert b"/vendor/" not in reply.body
    assert "built without the console's scripts" in text_of(reply)
    assert "The figures" in text_of(reply)
