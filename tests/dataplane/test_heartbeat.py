"""A stream whose provider is silent: a sign of life for the client, and nothing that changes the answer (S29)."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from headgate.dataplane.heartbeat import COMMENT
from tests.support.plane import STREAM_HEAD, Plane, chunk, delta, open_plane
from tests.support.raw_server import Peer

PRICES = {"request_token": 0.0, "response_token": 0.01}
BODY = {"model": "@openai/m", "messages": [{"role": "user", "content": "hi"}], "max_tokens": 10, "stream": True}
BREAK_OFF = b"break off"
END = b'data: {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}\n\n'


@pytest.fixture
def said() -> asyncio.Queue[bytes]:
    """What the provider says next; nothing at all is its end."""
    return asyncio.Queue()


@pytest.fixture
async def plane(tmp_path: Path, said: asyncio.Queue[bytes]) -> AsyncIterator[Plane]:
    async def play(peer: Peer, body: dict[str, Any]) -> None:
        await peer.send(STREAM_HEAD)
        while (data := await said.get()) != BREAK_OFF:
            await peer.send(chunk(data))
            if not data:
                return
        await peer.finish()

    async with open_plane(tmp_path, play, heartbeat_s=0.05) as opened:
        await opened.integrate("openai", {"m": PRICES})
        yield opened


async def test_comments_come_between_events(plane: Plane, said: asyncio.Queue[bytes]) -> None:
    """However long the provider thinks; taken out of the answer, they leave it as it was."""
    call = plane.call(await plane.key(), BODY)
    said.put_nowait(delta("one"))
    await call.received(len(delta("one") + 2 * COMMENT))
    said.put_nowait(delta("two") + END + b"data: [DONE]\n\n")
    said.put_nowait(b"")
    reply = await call.reply()
    assert reply.body.count(COMMENT) >= 2
    assert reply.body.replace(COMMENT, b"").startswith(delta("one") + delta("two"))


async def test_a_stream_that_has_not_begun_is_begun_by_one(plane: Plane, said: asyncio.Queue[bytes]) -> None:
    """The provider has said 200, and nothing else; what goes wrong from then on is told inside the stream."""
    call = plane.call(await plane.key(), BODY)
    await call.received(len(COMMENT))
    said.put_nowait(BREAK_OFF)
    reply = await call.reply()
    assert reply.status == 200
    assert reply.body.startswith(COMMENT)
    assert b'"error"' in reply.body
    assert b"[DONE]" not in reply.body
    [record] = await plane.records()
    assert (record.outcome, record.status) == ("upstream_failed", 200)


async def test_an_answer_that_is_held_back_says_nothing(plane: Plane, said: asyncio.Queue[bytes]) -> None:
    """A guardrail may yet deny it, with a status of its own."""
    check = {"id": "default.regexMatch", "parameters": {"rule": "secret", "not": True}}
    made = await plane.admin("POST", "/guardrails", {"name": "g", "checks": [check], "actions": {"deny": True}})
    await plane.admin("PUT", "/admin/organisation", {"defaults": {"output_guardrails": [made["id"]]}})
    call = plane.call(await plane.key(), BODY)
    said.put_nowait(delta("a secret"))
    async with asyncio.timeout(10):
        while not plane.asked:  # noqa: ASYNC110
            await asyncio.sleep(0)
    await asyncio.sleep(0.2)  # why: four times the longest silence, in which nothing may happen
    assert call.sent == []
    said.put_nowait(END + b"data: [DONE]\n\n")
    said.put_nowait(b"")
    assert (await call.reply()).status == 446
