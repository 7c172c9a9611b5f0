"""A provider whose every answer is another one: its number, and as many tokens of output. So each answer tells which
call it was made for: that is the one whose usage record has so many tokens."""

import asyncio
import json
from typing import Any, Final

from tests.support.plane import STREAM_HEAD, Plane, chunk, completion, delta
from tests.support.raw_server import Peer

PRICES: Final = {"request_token": 0.0, "response_token": 0.01}
"""Nothing for input, 100,000 nano-dollars for each token of output."""
TOKEN: Final = 100_000
MODELS: Final = ("ok", "other", "e500", "cut", "reset", "no-usage", "slow", "long", "halting")
LAST: Final = {
    "id": "c",
    "object": "chat.completion.chunk",
    "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}],
}


class Numbered:
    """What a model does beside is in its name. `reached` is set when a slow model is asked; `go_on` has it answer."""

    def __init__(self) -> None:
        self.answers = 0
        self.reached = asyncio.Event()
        self.go_on = asyncio.Event()

    async def play(self, peer: Peer, body: dict[str, Any]) -> None:
        self.answers += 1
        model, number = body["model"], self.answers
        if model in ("slow", "halting") and body.get("stream"):
            await peer.send(STREAM_HEAD + chunk(delta(f"{number} ")))
        if model in ("slow", "halting"):
            self.reached.set()
            await self.go_on.wait()
        match model:
            case "e500":
                error = json.dumps({"error": {"message": "no", "type": "server_error"}}).encode()
                await peer.send(b"HTTP/1.1 500 No\r\ncontent-length: %d\r\n\r\n%b" % (len(error), error))
            case "reset":
                peer.reset()
            case "cut" if body.get("stream"):
                await peer.send(STREAM_HEAD + chunk(delta("partly")))
                await peer.finish()
            case _ if body.get("stream"):
                await self._stream(peer, model, number)
            case "no-usage":
                answer = json.loads(completion("unmeasured", 3, number))
                del answer["usage"]
                await peer.answer(json.dumps(answer).encode())
            case _:
                await peer.answer(completion(said(model, number), 3, number))

    async def _stream(self, peer: Peer, model: str, number: int) -> None:
        usage = {"prompt_tokens": 3, "completion_tokens": number, "total_tokens": 3 + number}
        told = {**LAST, "choices": [], "usage": usage}
        events = [delta(said(model, number)), *(b"data: %b\n\n" % json.dumps(each).encode() for each in (LAST, told))]
        start = b"" if model in ("slow", "halting") else STREAM_HEAD
        await peer.send(start + b"".join(map(chunk, [*events, b"data: [DONE]\n\n"])) + b"0\r\n\r\n")


def said(model: str, number: int) -> str:
    return f"answer {number}" + (" and so on" * 500 if model == "long" else "")


def ask(text: str = "hi", model: str = "ok", **more: object) -> dict[str, Any]:
    return {
        "model": f"@openai/{model}",
        "max_tokens": 1000,
        "messages": [{"role": "user", "content": text}],
        **more,
    }


async def furnish(plane: Plane) -> None:
    """With every model the provider plays."""
    await plane.integrate("openai", dict.fromkeys(MODELS, PRICES))
