"""OpenAI's embeddings. Nothing is generated: input tokens only, and never a stream."""

from typing import Final

import msgspec

from headgate.base.errors import HeadgateError
from headgate.wire.dialogue import Head
from headgate.wire.document import Document
from headgate.wire.errors import openai_body
from headgate.wire.heads import metadata
from headgate.wire.openai_chat.usage import read_usage
from headgate.wire.plain import PlainMeter
from headgate.wire.reading import ABSENT, given, read_answer


class _Answer(msgspec.Struct, gc=False):
    usage: msgspec.Raw = ABSENT


_answer: Final = msgspec.json.Decoder(_Answer)


class OpenAIEmbeddings:
    name = "openai_embeddings"
    path = "/embeddings"
    headers: tuple[tuple[bytes, bytes], ...] = ()

    def head(self, document: Document) -> Head:
        return Head(
            model=document.string("model"),
            max_output_tokens=0,
            user=document.string("user"),
            metadata=metadata(document),
        )

    def error_body(self, error: HeadgateError) -> bytes:
        return openai_body(error)

    def changes(self, document: Document, head: Head) -> dict[str, bytes | None]:
        return {}

    def meter(self, document: Document, head: Head, model: str) -> "EmbeddingsMeter":
        return EmbeddingsMeter()


class EmbeddingsMeter(PlainMeter):
    def answer(self, body: bytes) -> None:
        answer = read_answer(_answer, body)
        self.usage = None if answer is None else read_usage(given(answer.usage))
        self.complete = True
