"""Event streams in every framing that a provider may choose, cut anywhere, through the whole gateway (S28): the client
reads the same answer, in either format, and the books have one call of five tokens."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from headgate.base.clock import SystemClock
from headgate.ledger.record import Outcome
from headgate.ledger.recovery import Replay
from headgate.storage.verification import verify
from headgate.wire.openai_chat.format import OpenAIChat
from headgate.wire.sse import EventSplitter
from headgate.wire.texts import StreamText
from tests.support.asgi import Reply
from tests.support.plane import STREAM_HEAD, Plane, chunk, open_plane
from tests.support.raw_server import Peer

PRICES = {"request_token": 0.0, "response_token": 0.01}
TEXT = "é日😀 \x00"
PATHS = ("/v1/chat/completions", "/v1/messages")


def event(**more: object) -> bytes:
    head = {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": []}
    return b"data: %b\n\n" % json.dumps({**head, **more}, ensure_ascii=False).encode()


SAID = event(choices=[{"index": 0, "delta": {"role": "assistant", "content": TEXT}, "finish_reason": None}])
STOP = event(choices=[{"index": 0, "delta": {}, "finish_reason": "stop"}])
USED = event(usage={"prompt_tokens": 3, "completion_tokens": 5, "total_tokens": 8})
DONE = b"data: [DONE]\n\n"
WHOLE = SAID + STOP + USED + DONE
ERROR = b'data: {"error": {"message": "too late"}}\n\n'

FRAMINGS = {
    "lf": WHOLE,
    "crlf": WHOLE.replace(b"\n", b"\r\n"),
    "cr": WHOLE.replace(b"\n", b"\r"),
    "mixed": SAID.replace(b"\n", b"\r\n") + STOP.replace(b"\n", b"\r") + USED + DONE,
    "bom": b"\xef\xbb\xbf" + WHOLE,
    "comments and retry": b": hello\n\nretry: 3000\n\n" + SAID + b":\n\n" + b"id: 7\n" + STOP + USED + DONE,
    "lines of data": SAID.replace(b", ", b",\ndata: ") + STOP + USED + DONE,
    "no blank line at the end": WHOLE[:-1],
    "no done": SAID + STOP + USED,
    "done twice": WHOLE + DONE,
}
"""The same answer, as it may be written."""


@pytest.fixture
def sent() -> list[bytes]:
    """What the provider sends, in these pieces."""
    return []


@pytest.fixture
async def plane(tmp_path: Path, sent: list[bytes]) -> AsyncIterator[Plane]:
    async def play(peer: Peer, body: dict[str, Any]) -> None:
        await peer.send(STREAM_HEAD)
        for piece in sent:
            await peer.send(chunk(piece))
        await peer.send(b"0\r\n\r\n")

    async with open_plane(tmp_path, play) as opened:
        await opened.integrate("openai", {"m": PRICES})
        yield opened
        found = await opened.gateway.database.read(lambda connection: verify(connection, Replay(), SystemClock().now()))
        assert found.differences == []


async def ask(plane: Plane, key: str, path: str) -> Reply:
    body = {"model": "@openai/m", "messages": [{"role": "user", "content": "hi"}], "max_tokens": 10, "stream": True}
    return await plane.call(key, body, path).reply()


def read(path: str, body: bytes) -> str:
    """The text, as a client of this endpoint reads it."""
    text = StreamText(OpenAIChat.name if path == PATHS[0] else "anthropic_messages")
    splitter = EventSplitter()
    for each in (*splitter.feed(body), *splitter.finish()):
        text.add(each)
    return text.text()


@pytest.mark.parametrize("name", FRAMINGS)
async def test_a_framing_changes_nothing(plane: Plane, sent: list[bytes], name: str) -> None:
    """Whole, byte by byte, and in two pieces cut within characters, lines and line ends."""
    key, stream = await plane.key(), FRAMINGS[name]
    cuts = [[stream], [stream[at : at + 1] for at in range(len(stream))]]
    cuts += [[stream[:at], stream[at:]] for at in range(1, len(stream), 37)]
    calls = 0
    for path in PATHS:
        for sent[:] in cuts:
            reply = await ask(plane, key, path)
            calls += 1
            assert (reply.status, read(path, reply.body)) == (200, TEXT), reply.body
            assert b'"error"' not in reply.body
    records = await plane.records()
    assert len(records) == calls
    assert {(record.outcome, record.usage["output"]) for record in records} == {(Outcome.OK, 5)}


@pytest.mark.parametrize("path", PATHS)
async def test_an_error_after_the_end_leaves_what_was_used(plane: Plane, sent: list[bytes], path: str) -> None:
    """The answer was whole, and is charged as the provider told it."""
    sent[:] = [WHOLE, ERROR]
    reply = await ask(plane, await plane.key(), path)
    assert (reply.status, read(path, reply.body).startswith(TEXT)) == (200, True)
    [record] = await plane.records()
    assert record.usage["output"] == 5


@pytest.mark.parametrize("before", [b"", SAID], ids=["at once", "later"])
@pytest.mark.parametrize("path", PATHS)
async def test_an_error_in_a_stream_does_not_carry_the_credential_on(
    plane: Plane, sent: list[bytes], path: str, before: bytes
) -> None:
    """Neither as the provider wrote it nor told in the client's format, in whatever pieces it comes."""
    key, stream = await plane.key(), before + ERROR.replace(b"too late", b"bad key upstream here")
    for sent[:] in ([stream], [stream[at : at + 1] for at in range(len(stream))]):
        reply = await ask(plane, key, path)
        assert b"upstream" not in reply.body.replace(b"upstream_", b"")
        assert b"bad key *** here" in reply.body


@pytest.mark.parametrize("path", PATHS)
async def test_an_event_without_end_is_no_answer(plane: Plane, sent: list[bytes], path: str) -> None:
    """Beyond 16 MiB it is given up; the client is told so, and nothing says that the answer is whole."""
    sent[:] = [b"data: ", *[b"x" * (1 << 20)] * 17]
    reply = await ask(plane, await plane.key(), path)
    assert b"error" in reply.body
    assert b"[DONE]" not in reply.body
    [record] = await plane.records()
    assert record.outcome is Outcome.UPSTREAM_FAILED


@pytest.mark.parametrize("path", PATHS)
async def test_an_event_of_ten_megabytes_passes(plane: Plane, sent: list[bytes], path: str) -> None:
    """Whatever its size within the bound, it is read once."""
    text = "x" * (10 << 20)
    sent[:] = [SAID.replace(TEXT.encode().replace(b"\x00", b"\\u0000"), text.encode()), STOP + USED + DONE]
    reply = await ask(plane, await plane.key(), path)
    assert read(path, reply.body) == text
