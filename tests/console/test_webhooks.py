"""Webhooks and alerts in the console: made, tried, looked at and sent again."""

import re

from headgate.storage.outbox import SqlOutbox
from headgate.tenancy.outbox import Attempt
from tests.console.conftest import Browser, text_of
from tests.console.furnished import customer

URL = "https://hooks.example.com/in"
SECRET = re.compile(r"whsec_[A-Za-z0-9+/=]+")
BUDGET = [{"type": "cost", "credit_limit": 0.01, "alert_thresholds": [50]}]


async def test_a_webhook_is_made_changed_and_removed(admin: Browser) -> None:
    """Its secret is on the page that made it and on no other; what was wrong is said beside its field."""
    assert "None yet" in text_of(await admin.get("/console/webhooks"))
    wrong = await admin.post("/console/webhooks/new", {"url": "ftp://nowhere", "description": "Ours"})
    assert (wrong.status, wrong.body.count(b'id="wrong"')) == (400, 1)
    assert b'value="Ours"' in wrong.body
    made = await admin.post("/console/webhooks/new", {"url": URL, "types": ["key.exhausted"]})
    secret = SECRET.findall(made.body.decode())[0]
    (found,) = (await admin.world.ok("GET", "/v1/admin/webhooks"))["data"]
    page = f"/console/webhooks/{found['id']}"
    assert "It has been told nothing yet" in text_of(await admin.get(page))
    for path in (page, f"{page}/edit", "/console/webhooks", "/console/audit"):
        assert secret not in (await admin.get(path)).body.decode()
    edited = await admin.post(f"{page}/edit", {"url": f"{URL}/2", "description": "Theirs"})
    assert f"{URL}/2 Told of everything" in text_of(edited)
    rotated = await admin.post(f"{page}/rotate", page=page)
    assert SECRET.findall(rotated.body.decode())[0] != secret
    assert "Signed with the secret before too" in text_of(await admin.get(page))
    off = await admin.post(f"{page}/switch", {"status": "disabled"}, page)
    assert "Disabled: nothing is sent." in text_of(off)
    refused = await admin.post(f"{page}/test", page=page)
    assert (refused.status, "This webhook is disabled" in text_of(refused)) == (400, True)
    await admin.post(f"{page}/remove", page=page)
    assert (await admin.world.ok("GET", "/v1/admin/webhooks"))["total"] == 0


async def test_deliveries_are_seen_and_sent_again(admin: Browser) -> None:
    """With every attempt and the answer it got; one that was given up is pending again."""
    await admin.post("/console/webhooks/new", {"url": URL})
    (found,) = (await admin.world.ok("GET", "/v1/admin/webhooks"))["data"]
    page = f"/console/webhooks/{found['id']}"
    assert "webhook.test pending 0" in text_of(await admin.post(f"{page}/test", page=page))
    outbox, now = SqlOutbox(admin.world.database, letters=False), admin.world.clock.now()
    (due,) = await outbox.due(found["id"], now, 10)
    made = Attempt(
        delivery_id=due.delivery.id, at=now, latency_ms=12, status=500, answer="<b>no</b>", error="answered 500"
    )
    await outbox.failed(due, made, None)
    seen = await admin.get(page)
    assert "webhook.test failed 1 500 answered 500 12 ms" in text_of(seen)
    assert b"&lt;b&gt;no&lt;/b&gt;" in seen.body
    again = await admin.post(f"{page}/deliveries/{due.delivery.id}/replay", page=page)
    assert "webhook.test pending 1" in text_of(again)
    assert (await admin.post(f"{page}/deliveries/none/replay", page=page)).status == 404


async def test_what_was_told_is_seen_with_whom_it_reached(admin: Browser) -> None:
    """A budget that was used up, by webhook and by letter; tests of webhooks are left out."""
    assert "None lately" in text_of(await admin.get("/console/alerts"))
    await admin.post("/console/webhooks/new", {"url": URL})
    fields = {"told": "own", "percents": "50, 100", "emails": "ops@example.com"}
    assert b"ops@example.com</textarea>" in (await admin.post("/console/alerts", fields)).body
    await customer(admin.world, usage_limits=BUDGET)
    await SqlOutbox(admin.world.database, letters=True).address(admin.world.clock.now())
    (hook,) = (await admin.world.ok("GET", "/v1/admin/webhooks"))["data"]
    await admin.post(f"/console/webhooks/{hook['id']}/test", page="/console/webhooks/new")
    seen = text_of(await admin.get("/console/alerts"))
    assert "budget.threshold_reached 100 % tenant acme ops@example.com pending" in seen
    assert f"{hook['id']} pending" in seen
    assert "webhook.test" not in seen
    (told,) = (await admin.world.ok("GET", "/v1/admin/alerts/sent"))["data"]
    assert {each["to"] for each in told["deliveries"]} == {"ops@example.com", hook["id"]}


async def test_alerts_are_set_for_a_workspace(admin: Browser) -> None:
    """Its own, or what the organization says; what cannot be is said beside the field, with what was typed."""
    await customer(admin.world)
    where = "/console/alerts?workspace=place"
    fields = {"workspace": "place", "told": "own", "percents": "70", "emails": ""}
    for wrong, field in ((("percents", "many"), b"many"), (("emails", "nobody"), b"nobody")):
        reply = await admin.post("/console/alerts", dict([*fields.items(), wrong]), where)
        assert (reply.status, reply.body.count(b'id="wrong"'), field in reply.body) == (400, 1, True), wrong
    ignored = await admin.post("/console/alerts", {**fields, "told": "inherited"}, where)
    assert (ignored.status, b'value="70"' in ignored.body) == (400, True), "typed, and the choice beside it says no"
    assert b'value="70"' in (await admin.post("/console/alerts", fields, where)).body
    assert b'value="80, 90, 100"' in (await admin.get("/console/alerts")).body
    inherited = await admin.post("/console/alerts", {**fields, "told": "inherited"}, where)
    assert b'value="80, 90, 100"' in inherited.body
