"""The dialogue of a client of OpenAI's embeddings and a provider that speaks Gemini's `batchEmbedContents`.

Source: Google's API reference, "Embeddings", and OpenAI's, "Create embeddings".
"""

import struct
from base64 import b64encode
from typing import Any, Final

import msgspec

from headgate.base.errors import HeadgateError, UpstreamFailed
from headgate.base.usage import Usage
from headgate.wire.dialogue import Outgoing
from headgate.wire.document import Document
from headgate.wire.errors import openai_body, openai_event
from headgate.wire.fields import Fields, Harmless
from headgate.wire.gemini.usage import read_usage
from headgate.wire.openai_embeddings import OpenAIEmbeddings
from headgate.wire.provider_error import read_error
from headgate.wire.reading import ABSENT, given, read_answer

CLIENT: Final = OpenAIEmbeddings.name
PROVIDER: Final = "gemini_embeddings"
HARMLESS: Final = {
    "user": Harmless("names the end user to OpenAI's abuse detection only"),
    "metadata": Harmless("labels; Headgate keeps them with the usage record"),
}
"""Members of the request that are left out, with the reason."""


class _Embedding(msgspec.Struct, gc=False):
    values: list[float]


class _Answer(msgspec.Struct, rename="camel", gc=False):
    embeddings: list[_Embedding]
    usage_metadata: msgspec.Raw = ABSENT


_answer: Final = msgspec.json.Decoder(_Answer)


def embeds(client: str, provider: str) -> bool:
    """Whether this is the dialogue that joins the two formats."""
    return (client, provider) == (CLIENT, PROVIDER)


class GeminiEmbeddings:
    """A `Dialogue`. `model` is the provider's name for it. Raises `InvalidRequest` naming a member that is wrong, or
    that Gemini has no counterpart for.
    """

    hidden_tokens = False
    passed_error = False

    def __init__(self, document: Document, model: str) -> None:
        self.usage: Usage | None = None
        self.delivered = 0
        self.complete = False
        self._model = model
        fields = Fields(document.decode())
        fields.take("model")
        self._inputs = _inputs(fields)
        self._dimensions = fields.integer("dimensions", 1)
        self._base64 = _wants_base64(fields)
        fields.done(HARMLESS)

    def request(self) -> Outgoing:
        """One request of the batch for each input; the order is the answer's."""
        same: dict[str, Any] = {"model": f"models/{self._model.removeprefix('models/')}"}
        if self._dimensions is not None:
            same["outputDimensionality"] = self._dimensions
        requests = [{**same, "content": {"parts": [{"text": text}]}} for text in self._inputs]
        return Outgoing(msgspec.json.encode({"requests": requests}))

    def answer(self, status: int, body: bytes) -> bytes:
        """Raises `UpstreamFailed` unless there is one embedding for each input."""
        answer = read_answer(_answer, body)
        if answer is None or len(answer.embeddings) != len(self._inputs):
            raise UpstreamFailed("The provider's answer does not hold one embedding for each input.")
        self.usage = read_usage(given(answer.usage_metadata))
        data = [
            {"object": "embedding", "index": index, "embedding": self._written(embedding.values)}
            for index, embedding in enumerate(answer.embeddings)
        ]
        self.complete = True
        told: dict[str, Any] = {"object": "list", "data": data, "model": self._model}
        if self.usage is not None:
            tokens = self.usage.input_tokens
            told["usage"] = {"prompt_tokens": tokens, "total_tokens": tokens}
        return msgspec.json.encode(told)

    def _written(self, values: list[float]) -> list[float] | str:
        """As numbers, or as base64 of little-endian float32, which OpenAI's SDKs ask for unless told otherwise."""
        if not self._base64:
            return values
        try:
            return b64encode(struct.pack(f"<{len(values)}f", *values)).decode()
        except (struct.error, OverflowError):
            raise UpstreamFailed("The provider's embedding has a value beyond all floats of 32 bits.") from None

    def error(self, status: int, body: bytes) -> bytes:
        return openai_body(read_error(status, body))

    def feed(self, data: bytes) -> bytes:
        return b""

    def finish(self) -> bytes:
        raise UpstreamFailed("The provider streams its answer, which embeddings never are.")

    def cut(self) -> bytes:
        return b""

    def abort(self, error: HeadgateError) -> bytes:
        return openai_event(error)


def _inputs(fields: Fields) -> tuple[str, ...]:
    asked = fields.take("input")
    first = asked[0] if isinstance(asked, list) and asked else None
    if type(first) is int or isinstance(first, list):
        raise fields.cannot("input", "it takes text, not the tokens of another provider's model")
    inputs = fields.strings("input")
    if not inputs:
        raise fields.wrong("input", "a string or an array of at least one string")
    return inputs


def _wants_base64(fields: Fields) -> bool:
    asked = fields.string("encoding_format")
    if asked not in (None, "float", "base64"):
        raise fields.wrong("encoding_format", "`float` or `base64`")
    return asked == "base64"
