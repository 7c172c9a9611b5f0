"""OpenAI's Responses API as a client sends and reads it."""

from headgate.base.errors import HeadgateError
from headgate.wire.dialogue import Head
from headgate.wire.document import Document
from headgate.wire.errors import openai_body
from headgate.wire.heads import metadata
from headgate.wire.openai_responses.meter import ResponseMeter


class OpenAIResponses:
    name = "openai_responses"
    path = "/responses"
    headers: tuple[tuple[bytes, bytes], ...] = ()

    def head(self, document: Document) -> Head:
        return Head(
            model=document.string("model"),
            stream=document.boolean("stream") or False,
            max_output_tokens=document.integer("max_output_tokens", minimum=1),
            user=document.string("user"),
            metadata=metadata(document),
        )

    def error_body(self, error: HeadgateError) -> bytes:
        return openai_body(error)

    def changes(self, document: Document, head: Head) -> dict[str, bytes | None]:
        return {}

    def meter(self, document: Document, head: Head, model: str) -> ResponseMeter:
        return ResponseMeter(goes_on=bool(document.value("background")) if "background" in document else False)
