"""The upstream of the benchmarks: answers from prepared bytes, streams at a steady pace; OpenAI's chat, and Anthropic's
messages at their path.

python -m bench.mock PORT [CHUNKS [PACE_S [CERTIFICATE]]]
"""

import asyncio
import json
import ssl
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

import httptools
import uvloop

TEXT = "The quick brown fox jumps over the lazy dog. " * 12
STREAM_HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
CHUNKS = 256
"""A long answer, so that what a call costs besides its chunks is lost among them."""
PACE_S = 0.005
WORDS = " word and more"


@dataclass(frozen=True, slots=True)
class Answers:
    """What one provider says: a whole answer, and a stream's beginning, repeated piece and end, all on the wire."""

    plain: bytes
    first: bytes
    piece: bytes
    last: bytes


def whole(body: object) -> bytes:
    text = json.dumps(body).encode()
    return b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n" % len(text) + text


def chunk(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)


def openai(chunks: int) -> Answers:
    head: dict[str, object] = {"id": "chatcmpl-bench", "created": 1, "model": "bench"}

    def event(delta: Sequence[tuple[str, str]], finish: str | None, **more: object) -> bytes:
        choices = [{"index": 0, "delta": dict(delta), "logprobs": None, "finish_reason": finish}]
        body = {**head, "object": "chat.completion.chunk", "choices": choices, **more}
        return chunk(b"data: " + json.dumps(body).encode() + b"\n\n")

    message = {"role": "assistant", "content": TEXT}
    answer = {"choices": [{"index": 0, "message": message, "finish_reason": "stop"}], "usage": _tokens(120)}
    last = event((), "stop") + event((), None, choices=[], usage=_tokens(chunks)) + chunk(b"data: [DONE]\n\n")
    return Answers(
        whole({**head, "object": "chat.completion", **answer}),
        event([("role", "assistant"), ("content", "")], None),
        event([("content", WORDS)], None),
        last + b"0\r\n\r\n",
    )


def anthropic(chunks: int) -> Answers:
    message: dict[str, object] = {"id": "msg_bench", "type": "message", "role": "assistant", "model": "bench"}

    def event(kind: str, **more: object) -> bytes:
        return chunk(b"event: %b\ndata: %b\n\n" % (kind.encode(), json.dumps({"type": kind, **more}).encode()))

    def usage(output: int) -> dict[str, int]:
        return {"input_tokens": 200, "output_tokens": output}

    ends = {"stop_reason": "end_turn", "stop_sequence": None}
    begins = {**message, "content": [], "stop_reason": None, "stop_sequence": None, "usage": usage(1)}
    return Answers(
        whole({**message, "content": [{"type": "text", "text": TEXT}], **ends, "usage": usage(120)}),
        event("message_start", message=begins)
        + event("content_block_start", index=0, content_block={"type": "text", "text": ""}),
        event("content_block_delta", index=0, delta={"type": "text_delta", "text": WORDS}),
        event("content_block_stop", index=0)
        + event("message_delta", delta=ends, usage=usage(chunks))
        + event("message_stop")
        + b"0\r\n\r\n",
    )


def _tokens(output: int) -> dict[str, int]:
    return {"prompt_tokens": 200, "completion_tokens": output, "total_tokens": 200 + output}


PLAIN = openai(CHUNKS).plain


class Mock(asyncio.Protocol):
    """One connection."""

    def __init__(self, chunks: int, pace_s: float, dialects: tuple[Answers, Answers]) -> None:
        self._chunks = chunks
        self._pace_s = pace_s
        self._openai, self._anthropic = dialects

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._parser = httptools.HttpRequestParser(self)

    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def on_message_begin(self) -> None:
        self._body: list[bytes] = []
        self._answers = self._openai

    def on_url(self, url: bytes) -> None:
        if url.endswith(b"/messages"):
            self._answers = self._anthropic

    def on_body(self, body: bytes) -> None:
        self._body.append(body)

    def on_message_complete(self) -> None:
        body = b"".join(self._body)
        if b'"stream":true' in body or b'"stream": true' in body:
            self._transport.write(STREAM_HEAD + self._answers.first)
            asyncio.get_running_loop().call_later(self._pace_s, self._next, self._chunks)
        else:
            self._transport.write(self._answers.plain)

    def _next(self, left: int) -> None:
        if self._transport.is_closing():
            return
        if left == 0:
            self._transport.write(self._answers.last)
            return
        self._transport.write(self._answers.piece)
        asyncio.get_running_loop().call_later(self._pace_s, self._next, left - 1)


async def main(port: int, chunks: int, pace_s: float, certificate: str | None) -> None:
    context = None
    if certificate is not None:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(certificate)
    dialects = openai(chunks), anthropic(chunks)
    loop = asyncio.get_running_loop()
    server = await loop.create_server(
        lambda: Mock(chunks, pace_s, dialects), "127.0.0.1", port, backlog=4096, ssl=context
    )
    await server.serve_forever()


if __name__ == "__main__":
    given = sys.argv[1:]
    pace_s = float(given[2]) if len(given) > 2 else PACE_S
    chunks = int(given[1]) if len(given) > 1 else CHUNKS
    uvloop.run(main(int(given[0]), chunks, pace_s, given[3] if len(given) > 3 else None))
