"""How the installation stands, in the console."""

import asyncio

from headgate.console.formats import coded
from headgate.tenancy.system import Verification
from tests.console.conftest import Browser, text_of
from tests.console.portal.conftest import ADMIN, HELLO, Guest, Place, place, template

__all__ = ["place", "template"]


async def test_the_system_is_seen(admin: Browser) -> None:
    """Stores with their versions, the journal, the outbox, and settings that are not as they come, without secrets."""
    seen = text_of(await admin.get("/console/system"))
    for told in (
        "sqlite 3.",
        "in 1 segment",
        "0 pending, 0 delivered, 0 failed",
        "None: no call is under way in this process.",
        "This process has every allowance to itself.",
        "data_dir",
        "metrics_token ***",
        "Not since this process started.",
    ):
        assert told in seen, told
    assert "a token that nobody is to see" not in seen


def test_what_stands_between_backticks_is_code() -> None:
    """And nothing in it is markup of its own."""
    assert coded("set `redis_url`, or `a<b>` & on") == (
        "set <code>redis_url</code>, or <code>a&lt;b&gt;</code> &amp; on"
    )


async def operator_of(place: Place) -> Guest:
    browser = place.guest()
    assert (await browser.sign_in(key=ADMIN)).status == 200
    return browser


async def test_calls_under_way_are_seen_with_what_they_hold(place: Place) -> None:
    """While the provider has not answered yet; afterwards there is none."""
    operator = await operator_of(place)
    body = HELLO | {"model": "@openai/sim-slow", "stream": True, "max_tokens": 40}
    async with place.headgate.call("POST", "/v1/chat/completions", body, key=place.acme.key) as answer:
        seen = text_of(await operator.get("/console/system"))
        assert f"{answer.headers['x-headgate-request-id']} " in seen
        assert place.acme.key_id in seen
        assert "sim-slow" in seen
        await answer.read()
    await place.headgate.gateway.usage.flush()
    assert "None: no call is under way" in text_of(await operator.get("/console/system"))


async def test_the_books_are_added_up_beside_the_process(place: Place) -> None:
    """With how far it is, and what came of it; one that runs is not begun twice."""
    operator = await operator_of(place)
    reply = await operator.post("/console/system/verify", page="/console/system")
    assert "Adding up: " in text_of(reply)
    assert b'action="/console/system/verify"' not in reply.body
    part = {"hx-request": "true"}
    async with asyncio.timeout(60):
        while b"Adding up" in (reply := await operator.get("/console/system/verify", part)).body:  # noqa: ASYNC110
            await asyncio.sleep(0.05)  # why: another process adds up, and only its page tells how far
    seen = text_of(reply)
    assert seen.startswith("Right at")
    assert "follow from 2 usage records, with 0 calls under way" in seen
    state = await place.admin("GET", "/admin/system")
    assert (state["verification"]["records"], state["verification"]["differences"]) == (2, [])
    assert state["object"] == "system"


async def test_what_adding_up_came_to_is_told(admin: Browser) -> None:
    """Where there are no books, where they differ, and where it is not over."""
    machine = admin.world.services.system
    verifier = machine._machine.verifier  # type: ignore[attr-defined]
    for found, told in (
        (Verification(1, 2, failure="There is no database."), "It did not come to its end: There is no database."),
        (Verification(1, 2, differences=("<b>one",), more_differences=4), "5 differences, found at"),
        (Verification(1, records=50, of=200), "Adding up: 50 of 200 usage records"),
    ):
        verifier.last = found
        reply = await admin.get("/console/system")
        assert told in text_of(reply)
        assert b"<b>one" not in reply.body
