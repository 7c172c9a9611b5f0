"""Calls from the portal: real ones, billed to the customer."""

import asyncio
import json
import re
from typing import Any

import pytest

from headgate.ledger.record import Outcome, UsageRecord
from headgate.storage import usage_queries
from tests.console.conftest import text_of
from tests.console.portal.conftest import Guest, Place
from tests.support.asgi import Message

FIELDS = {"model": "@openai/sim-fast", "message": "hello there", "max_tokens": "50"}


async def records(place: Place) -> list[UsageRecord]:
    """The latest first."""
    gateway = place.headgate.gateway
    await gateway.usage.flush()
    found = await gateway.database.read(
        lambda connection: usage_queries.recent(connection, usage_queries.EVERYTHING, 10)
    )
    return list(found)


async def sent(guest: Guest, **fields: str) -> Any:
    """As the page's script sends it."""
    page = (await guest.get("/portal/playground")).body.decode()
    [secret] = set(re.findall(r'name="csrf" value="([0-9a-f]+)"', page))
    accept = {"accept": "text/event-stream"}
    return await guest.send("POST", "/portal/playground", {"csrf": secret, **FIELDS, **fields}, accept)


async def test_an_answer_streams_and_then_its_cost_is_told(place: Place) -> None:
    """The provider's own events, and one of ours after them; the record says whose it was. No key is in the page."""
    guest = await place.visiting()
    reply = await sent(guest)
    assert reply.headers["content-type"].startswith("text/event-stream")
    *events, last, end = reply.body.decode().split("\n\n")
    assert (events[-1], end) == ("data: [DONE]", "")
    texts = [json.loads(each[6:])["choices"][0]["delta"].get("content") or "" for each in events[:-1]]
    assert "".join(texts) == "You said: hello there"
    settled = json.loads(last.removeprefix("event: settled\ndata: "))
    record = (await records(place))[0]
    assert (record.tenant_id, record.request_id) == (place.acme.id, settled["request_id"])
    assert record.key_id.startswith("pses_")
    assert (settled["output_tokens"], settled["cost_usd"]) == (6, "0.0006")
    assert record.cost == 600_000
    assert "hg_" not in (await guest.get("/portal/playground")).body.decode()


async def test_without_a_script_there_is_a_page_with_all_of_it(place: Place) -> None:
    """And what was typed stands in the form again."""
    guest = await place.visiting()
    seen = text_of(await guest.post("/portal/playground", FIELDS))
    assert "You said: hello there" in seen
    assert (
        "2 tokens in, 6 out. Cost: $0.0006. sim-fast" in seen or "3 tokens in, 6 out. Cost: $0.0006. sim-fast" in seen
    )
    wrong = await guest.post("/portal/playground", {**FIELDS, "message": " "})
    assert (wrong.status, "Write a message first." in text_of(wrong)) == (400, True)


async def test_the_customer_s_limits_hold(place: Place) -> None:
    """A refusal is told in the words of any other call, and costs nothing; models that are not his are not there."""
    guest = await place.visiting()
    count = len(await records(place))
    assert (await sent(guest, model="@openai/none")).status in (400, 404, 412)
    for wrong in ({"max_tokens": "0"}, {"max_tokens": "many"}, {"max_tokens": "999999999"}):
        assert (await sent(guest, **wrong)).status == 400
    await place.admin("PUT", "/admin/tenants/acme", {"usage_limits": {"credit_limit": 0.0001}})
    refused = await sent(guest)
    assert refused.status == 412
    assert "cost limit" in refused.json["error"]["message"]
    page = await guest.post("/portal/playground", FIELDS)
    assert (page.status, "cost limit" in text_of(page)) == (412, True)
    assert len(await records(place)) == count
    others = await place.visiting("other")
    assert (await sent(others)).status == 412


async def test_who_came_with_a_key_pays_with_that_key(place: Place) -> None:
    """Its own budget holds too."""
    body = {
        "name": "seat",
        "tenant_id": "acme",
        "scopes": ["completions.write"],
        "usage_limits": {"credit_limit": 0.001},
    }
    seat = await place.admin("POST", "/api-keys/workspace/service", body)
    guest = place.guest()
    await guest.with_key(seat["key"])
    assert (await sent(guest, max_tokens="8")).status == 200
    assert (await records(place))[0].key_id == seat["id"]
    assert (await sent(guest, max_tokens="8")).status == 412


async def test_a_key_that_makes_no_calls_makes_none_here(place: Place) -> None:
    """There is no playground for it."""
    body = {"name": "reader", "tenant_id": "acme", "scopes": ["analytics.view"]}
    reader = await place.admin("POST", "/api-keys/workspace/service", body)
    guest = place.guest()
    assert "Playground" not in text_of(await guest.with_key(reader["key"]))
    assert (await guest.get("/portal/playground")).status == 403


async def test_a_browser_that_leaves_ends_the_call(place: Place) -> None:
    """It is settled and recorded as for any client that hangs up."""
    guest = await place.visiting()
    page = (await guest.get("/portal/playground")).body.decode()
    [secret] = set(re.findall(r'name="csrf" value="([0-9a-f]+)"', page))
    body = f"csrf={secret}&model=%40openai%2Fsim-slow&message=hello&max_tokens=50".encode()
    left, asked = asyncio.Event(), False

    async def receive() -> Message:
        nonlocal asked
        if asked:
            await left.wait()
            return {"type": "http.disconnect"}
        asked = True
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: Message) -> None:
        if b"data:" in message.get("body", b""):
            left.set()

    headers = {
        "host": "test",
        "origin": "http://test",
        "accept": "text/event-stream",
        "content-type": "application/x-www-form-urlencoded",
        "cookie": f"headgate_portal={guest.cookies['headgate_portal']}",
    }
    scope = {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": "POST",
        "scheme": "http",
        "path": "/portal/playground",
        "raw_path": b"/portal/playground",
        "root_path": "",
        "query_string": b"",
        "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
        "client": ("127.0.0.1", 1),
        "server": ("test", 80),
    }
    await guest.app(scope, receive, send)
    await place.headgate.gateway.drain(30)
    record = (await records(place))[0]
    assert (record.model, record.outcome) == ("sim-slow", Outcome.CLIENT_GONE)


@pytest.mark.parametrize("message", ["</pre><script>alert(1)</script>", "{{7*7}} \u2028 \U0001f600"])
async def test_what_is_said_is_text(place: Place, message: str) -> None:
    """On the page, and as JSON in the events."""
    guest = await place.visiting()
    reply = await guest.post("/portal/playground", {**FIELDS, "message": message})
    assert b"<script>alert" not in reply.body
    assert f"You said: {message}" in text_of(reply) or message.split()[0] in text_of(reply)
