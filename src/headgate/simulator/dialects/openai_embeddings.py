"""OpenAI embeddings: `POST /embeddings`. A vector is 8 numbers drawn from the input's digest."""

import base64
import hashlib
import struct
from collections.abc import Iterator
from typing import Any, ClassVar

from headgate.simulator import tokens
from headgate.simulator.ask import Ask, Json, optional_int, required
from headgate.simulator.dialects import openai
from headgate.simulator.dialects.base import Frame, Headers, Reply, input_total, to_json

DIMENSIONS = 8


class Embeddings(openai.OpenAI):
    name: ClassVar[str] = "openai_embeddings"

    def ask(self, body: Json, headers: Headers, target: str) -> Ask:
        wanted = required(body, "input", (str, list))
        inputs = [wanted] if isinstance(wanted, str) or (wanted and isinstance(wanted[0], int)) else wanted
        size = sum(len(one) if isinstance(one, list) else tokens.count(str(one)) for one in inputs)
        dimensions = optional_int(body, "dimensions") or DIMENSIONS
        return Ask(
            model=required(body, "model", str),
            text="",
            input_tokens=max(1, size),
            wants_text=False,
            extras={"inputs": inputs, "base64": body.get("encoding_format") == "base64", "dimensions": dimensions},
        )

    def plain(self, reply: Reply) -> bytes:
        extras = reply.ask.extras
        vectors = [_vector(one, extras["dimensions"]) for one in extras["inputs"]]
        rows = [
            {"object": "embedding", "index": index, "embedding": _base64(vector) if extras["base64"] else vector}
            for index, vector in enumerate(vectors)
        ]
        body: Json = {"object": "list", "data": rows, "model": reply.ask.model}
        if reply.told is not None:
            counted = input_total(reply.told)
            body["usage"] = {"prompt_tokens": counted, "total_tokens": counted}
        return to_json(body)

    def frames(self, reply: Reply) -> Iterator[Frame]:
        """Embeddings are never streamed: one frame."""
        yield Frame(self.plain(reply), last=True)


def _vector(one: Any, dimensions: int) -> list[float]:
    digest = hashlib.shake_256(to_json(one)).digest(dimensions * 2)
    return [number / 32_768 for number in struct.unpack(f"<{dimensions}h", digest)]


def _base64(vector: list[float]) -> str:
    return base64.b64encode(struct.pack(f"<{len(vector)}f", *vector)).decode()
