"""Bodies of calls: kept only where the organization wants it, encrypted, cut, and gone after their time."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from headgate.analytics.bodies import LONGEST
from headgate.base.clock import NANOS_PER_SECOND, SystemClock
from headgate.storage.analytics.bodies import SqlBodies
from tests.support.plane import Plane, chunk, completion, delta, open_plane
from tests.support.raw_server import Peer

DAY = 86_400 * NANOS_PER_SECOND
KEEP = {"log_bodies": {"retention_days": 7}}


async def play(peer: Peer, asked: dict[str, Any]) -> None:
    if asked.get("stream"):
        await peer.send(b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n")
        await peer.send(chunk(delta("Feld")) + chunk(delta("spat")) + chunk(b"data: [DONE]\n\n") + b"0\r\n\r\n")
    else:
        await peer.answer(completion("Feldspat" * asked.get("n_words", 1), 10, 5))


@pytest.fixture
async def plane(tmp_path: Path) -> AsyncIterator[Plane]:
    async with open_plane(tmp_path, play) as opened:
        await opened.integrate("openai", {"gpt-4o": {"request_token": 0.00025, "response_token": 0.001}})
        yield opened


def chat(said: str = "Glimmer", **more: object) -> dict[str, Any]:
    message = {"role": "user", "content": said}
    return {"model": "@openai/gpt-4o", "max_tokens": 100, "messages": [message], **more}


async def called(plane: Plane, key: str, body: object, **headers: str) -> str:
    """The request id of a call whose record, and body if it has one, are in the database."""
    reply = await plane.call(key, body, **headers).reply()
    assert reply.status == 200, reply.body
    await plane.gateway.usage.flush()
    await plane.gateway.logs.bodies.write()
    return reply.headers["x-headgate-request-id"]


async def log(plane: Plane, request_id: str) -> Any:
    return await plane.admin("GET", f"/logs/{request_id}")


async def bodies(plane: Plane) -> list[bytes]:
    statement = text("SELECT sealed FROM call_body")
    return await plane.gateway.database.read(lambda connection: list(connection.execute(statement).scalars()))


async def test_bodies_are_not_kept_unless_that_was_switched_on(plane: Plane) -> None:
    """By default a log has everything but what was said."""
    shown = await log(plane, await called(plane, await plane.key(), chat()))
    assert (shown["request"]["body"], shown["response"]["body"]) == (None, None)
    assert await bodies(plane) == []


async def test_bodies_are_kept_where_that_was_switched_on(plane: Plane) -> None:
    """Request and answer, as the client sent and got them; encrypted in the database."""
    key = await plane.key()
    assert (await plane.admin("PUT", "/admin/organisation", KEEP))["log_bodies"] == {"retention_days": 7}
    shown = await log(plane, await called(plane, key, chat()))
    assert shown["request"]["body"]["messages"][0]["content"] == "Glimmer"
    assert shown["response"]["body"]["choices"][0]["message"]["content"] == "Feldspat"
    [sealed] = await bodies(plane)
    assert b"Glimmer" not in sealed
    assert b"Feldspat" not in sealed


async def test_a_stream_is_kept_as_it_went_out(plane: Plane) -> None:
    """The events, to the last one."""
    await plane.admin("PUT", "/admin/organisation", KEEP)
    shown = await log(plane, await called(plane, await plane.key(), chat(stream=True)))
    assert '"Feld"' in shown["response"]["body"]
    assert shown["response"]["body"].endswith("data: [DONE]\n\n")


async def test_a_call_can_keep_its_bodies_out(plane: Plane) -> None:
    """With the contract's header."""
    await plane.admin("PUT", "/admin/organisation", KEEP)
    shown = await log(plane, await called(plane, await plane.key(), chat(), x_portkey_debug="false"))
    assert shown["request"]["body"] is None


async def test_a_long_body_is_cut(plane: Plane) -> None:
    """What is kept of a call is bounded; what the client gets is not."""
    await plane.admin("PUT", "/admin/organisation", KEEP)
    shown = await log(plane, await called(plane, await plane.key(), chat("x" * LONGEST, n_words=LONGEST)))
    assert len(shown["request"]["body"]) == len(shown["response"]["body"]) == LONGEST


async def test_bodies_go_when_their_time_is_over(plane: Plane) -> None:
    """After the days of the organization, or when it no longer keeps any."""
    await plane.admin("PUT", "/admin/organisation", KEEP)
    await called(plane, await plane.key(), chat())
    store, now = SqlBodies(plane.gateway.database), SystemClock().now()
    assert (await store.forget(now + 6 * DAY), len(await bodies(plane))) == (0, 1)
    assert (await store.forget(now + 8 * DAY), len(await bodies(plane))) == (1, 0)
    await called(plane, await plane.key(), chat())
    await plane.admin("PUT", "/admin/organisation", {"log_bodies": None})
    assert (await store.forget(now + DAY), len(await bodies(plane))) == (1, 0)


@pytest.mark.parametrize(
    "setting", [{}, {"retention_days": 0}, {"retention_days": 366}, {"retention_days": "7"}], ids=str
)
async def test_a_retention_that_makes_no_sense_is_refused(plane: Plane, setting: object) -> None:
    """And nothing is switched on."""
    with pytest.raises(AssertionError, match="retention_days"):
        await plane.admin("PUT", "/admin/organisation", {"log_bodies": setting})
    assert (await plane.admin("GET", "/admin/organisation"))["log_bodies"] is None
